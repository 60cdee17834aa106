"""An explorer's module and style, each joined from files that say what they import.

A widget's source may load nothing by import: it runs in JupyterLab, in Colab, on a page and from a
disk. This file needs no package, so that whoever builds the site can use it without PyTorch.
"""

import re
from pathlib import Path

PAGE = Path(__file__).parent / "page"
IMPORT = re.compile(
    r'^(?:import \{\s*\w+(?:,\s*\w+)*,?\s*\} from|@import) "\./([\w.]+)";\n', re.MULTILINE
)
COMMENT = re.compile(r"^ *//.*\n", re.MULTILINE)  # a third of the bytes: every page carries them
EXPORT = re.compile(r"^export (?=async |class |const |function\b)", re.MULTILINE)
OTHER = re.compile(r"^(?:@?import\b|export [{*]).*", re.MULTILINE)


def bundle(entry: str) -> str:
    """Return a file of page/ and all that it imports, each file once and before what needs it.

    Lines that are comments stay behind.

    Raises ValueError on files that import each other, and on an import of another form.
    """
    texts: dict[str, str] = {}

    def follow(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"need imports without a circle, got {' -> '.join((*above, name))}")
        text = (PAGE / name).read_text(encoding="utf-8")
        for needed in IMPORT.findall(text):
            if needed not in texts:
                follow(needed, (*above, name))
        texts[name] = COMMENT.sub("", IMPORT.sub("", text)).strip("\n") + "\n"
        if other := OTHER.search(texts[name]):
            raise ValueError(f'need import {{ name }} from "./file"; in {name}, got {other[0]}')

    follow(entry, ())
    return "\n".join(texts.values())


def script(entry: str) -> str:
    """Return a bundle that exports nothing: a classic script, as any browser's Worker takes it."""
    return EXPORT.sub("", bundle(entry))
