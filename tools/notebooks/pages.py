"""How the pages hang together: what each begins with, its numbers, the ways to side trips and back.

A page's first cell says what one can do afterwards and what it needs (the minutes are written by
the site): a page in chapters/budget.toml may still lack it. Each "(n.m)" is the \\tag of one
formula. A side trip is entered from a chapter of the line, and leads back to it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools.address import ROOT, notebooks
from tools.notebooks.files import read
from tools.notebooks.folds import title

TAG = re.compile(r"\\tag\{([^}]+)\}")
NUMBER = re.compile(r"(?<!\w)\(((?:\d|[A-Z])\.\d+)\)")
TARGET = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)\s]*)?\)")
LINE, ASIDE = re.compile(r"\d\d_"), re.compile(r"trip_|lab\.")
HEAD = re.compile(r"^> \*\*Afterwards\*\* .*\*\*You need\*\* ", re.MULTILINE | re.DOTALL)
Pages = dict[str, NotebookNode]  # by file name


def prose(nb: NotebookNode) -> str:
    """Return a page's Markdown and the sentences of its folds."""
    return "\n\n".join(
        title(cell.source) if cell.cell_type == "code" else cell.source for cell in nb.cells
    )


def number_faults(pages: Pages) -> Iterator[str]:
    """Complaints about numbers of formulas: given twice, or given to none."""
    owner: dict[str, str] = {}
    for name, nb in pages.items():
        for tag in TAG.findall(prose(nb)):
            if tag in owner:
                yield f"{name}: two formulas have the number ({tag}), one is in {owner[tag]}"
            owner[tag] = name
    for name, nb in pages.items():
        for number in sorted(set(NUMBER.findall(prose(nb))) - set(owner)):
            yield f"{name}: no formula has the number ({number})"


def targets(nb: NotebookNode) -> set[str]:
    """Return the files that a page links to, as it writes them."""
    return set(TARGET.findall(prose(nb)))


def link_faults(pages: Pages, folder: Path) -> Iterator[str]:
    """Complaints about links that lead nowhere, and about side trips off every path."""
    links = {name: targets(nb) for name, nb in pages.items()}
    for name, found in links.items():
        for target in sorted(found):
            if not (folder / target).is_file():
                yield f"{name}: a link to {target}, which is no file of the book"
    for name in filter(ASIDE.match, pages):
        doors = {page for page, found in links.items() if LINE.match(page) and name in found}
        if not doors:
            yield f"{name}: no chapter of the line leads to it"
        elif not doors & links[name]:
            yield f"{name}: leads back to none of {', '.join(sorted(doors))}"


def head_faults(pages: Pages, uncut: set[str]) -> Iterator[str]:
    """Complaints about pages that do not say what they are for; uncut: stems that need not yet."""
    for name, nb in pages.items():
        first = next((c.source for c in nb.cells if c.cell_type == "markdown"), "")
        if Path(name).stem not in uncut and not HEAD.search(first):
            yield f"{name}: its first cell needs '> **Afterwards** you can …' and '**You need** …'"


def other_forms(root: Path) -> list[str]:
    """Return files that look like a second form of a notebook: only .ipynb is the source."""
    stems = {path.stem for path in notebooks(root)}
    return [
        f"{path.relative_to(root)}: another form of a notebook; keep only the .ipynb"
        for path in sorted((root / "chapters").rglob("*"))
        if path.is_file() and path.suffix != ".ipynb" and path.name.split(".")[0] in stems
    ]


def faults(uncut: set[str], root: Path = ROOT) -> list[str]:
    """Return all complaints about the pages of the book as a whole."""
    pages = {path.name: read(path) for path in notebooks(root)}
    heads, numbers = head_faults(pages, uncut), number_faults(pages)
    links = link_faults(pages, root / "chapters")
    return [*other_forms(root), *heads, *numbers, *links]
