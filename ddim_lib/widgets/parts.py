"""A widget's module and style, each joined of files: a page may load nothing by import."""

from pathlib import Path

FOLDER = Path(__file__).parent


def joined(*names: str) -> str:
    """Return the files of this folder, in that order, as one text."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)
