"""Pack the built site into one archive that a reader unpacks and opens without a server.

python -m tools.pack                     _build/ddim-book.zip, from _build/html
"""

import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
ARCHIVE = ROOT / "_build" / "ddim-book.zip"


def pack(site: Path, archive: Path) -> None:
    """Write all files of the site into the archive, below a folder of its name."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            packed.write(path, Path(archive.stem, path.relative_to(site)))


if __name__ == "__main__":
    pack(SITE, ARCHIVE)
    size = ARCHIVE.stat().st_size / 1e6
    print(f"== packed: {ARCHIVE}   ({size:.0f} MB; unpack it, open index.html: no network needed)")
