"""The repository's address: read it, or write it wherever it stands.

    python tools/address.py                                   print it
    python tools/address.py https://github.com/owner/name     change it everywhere
    python tools/address.py --check URL                       fail unless it is URL

It is kept in pyproject.toml ([project.urls] Repository). CITATION.cff, README.md and the first code
cell of each notebook repeat it, and `problems` says where they disagree.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FORM = re.compile(r"https://[\w.-]+(?:/[\w.-]+){2,}(?<!\.git)(?<!/)")
PLACES = {  # one line each
    "pyproject.toml": re.compile(r'(?<=^Repository = ")[^"]*(?="$)', re.MULTILINE),
    "CITATION.cff": re.compile(r'(?<=^repository-code: ")[^"]*(?="$)', re.MULTILINE),
}
NAMED = re.compile(r"(?<=git[ +])(?:clone )?(https://[^\s\"'`#@\\]+)")  # README.md, notebooks
CONFIGURED = re.compile(r"^\s*url\s*:\s*[\"']?(https?://[^\s\"']+)", re.MULTILINE)


def read_address(root: Path = ROOT) -> str:
    """Return the address that pyproject.toml gives."""
    with (root / "pyproject.toml").open("rb") as f:
        return tomllib.load(f)["project"]["urls"]["Repository"]


def is_example(address: str) -> bool:
    """Whether an address is one of those that are reserved for examples, so leads nowhere."""
    return address.startswith("https://example.org/")


def notebooks(root: Path) -> list[Path]:
    """Return the book's notebooks."""
    return sorted((root / "chapters").glob("*.ipynb"))


def problems(root: Path = ROOT) -> list[str]:
    """Say where another address stands than in pyproject.toml, or none where one is needed."""
    address, found = read_address(root), []
    if (cited := PLACES["CITATION.cff"].findall((root / "CITATION.cff").read_text())) != [address]:
        found.append(f"CITATION.cff: need {address}, got {', '.join(cited) or 'none'}")
    for path in [root / "README.md", *notebooks(root)]:
        named = set(NAMED.findall(path.read_text(encoding="utf-8")))
        if named != {address}:
            found.append(f"{path.name}: need {address}, got {', '.join(sorted(named)) or 'none'}")
    config = (root / "_config.yml").read_text(encoding="utf-8")
    found += [
        f"_config.yml: need {address} or no url, got {url}"
        for url in CONFIGURED.findall(config)
        if url != address
    ]
    return found


def write_address(address: str, root: Path = ROOT) -> None:
    """Put an address into pyproject.toml, and where it is repeated."""
    if not FORM.fullmatch(address):
        raise ValueError(f"need https://host/owner/name, got {address}")
    for name, place in PLACES.items():
        text, count = place.subn(address, (root / name).read_text(encoding="utf-8"))
        if count != 1:
            raise ValueError(f"need one line with the address in {name}, got {count}")
        (root / name).write_text(text, encoding="utf-8")
    for path in [root / "README.md", *notebooks(root)]:
        text = path.read_text(encoding="utf-8")
        text = NAMED.sub(lambda match: match[0].replace(match[1], address), text)
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Print, change or check the address."""
    match arguments:
        case []:
            print(read_address())
        case ["--check", url] if url.removesuffix(".git") != read_address():
            print(f"need {url}, got {read_address()}; mend it with: make address URL={url}")
            return 1
        case ["--check", _]:
            return 0
        case [url]:
            write_address(url)
            print(f"the repository's address is now {url}; next: make test, then commit")
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(str(error))
