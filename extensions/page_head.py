"""Sphinx extension: how long a page takes, under its title, and the look of its boxes and cells.

The minutes are counted as the budgets are (tools/notebooks/count.py): 200 words a minute, 40 s for
a numbered formula, 3 s for a shown line of code. web/show.js puts its switch beside them.

A blockquote whose first word stands in bold says by it what it is, here and in Jupyter alike:
> **Trap.** …, > **Question.** …; a cell by what it shows. web/line.css gives each its look.
"""

import sys
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

BOXES = {  # the first word in bold, and the class
    "Afterwards": "promise",
    "Try": "try",
    "Trap": "trap",
    "Question": "question",
    "Side": "trip",  # "Side trip A."
    "Back": "back",
}


def minutes(words: int, formulas: int, lines: int) -> int:
    """Return about how long a page takes, in steps of five minutes."""
    seconds = 60 * words / 200 + 40 * formulas + 3 * lines
    return max(5, 5 * round(seconds / 300))


def first_word(quote: nodes.block_quote) -> str:
    """Return the first word of a blockquote that begins in bold, else ""."""
    start = next(quote.findall(nodes.paragraph), nodes.paragraph())
    parts = [part for part in start.children if part.astext()]  # MyST begins with an empty one
    if not parts or not isinstance(parts[0], nodes.strong):
        return ""
    return parts[0].astext().replace(".", " ").split()[0]


def cell_kind(cell: nodes.container) -> str:
    """Return "experiment" for a cell that draws or prints, "derivation" for one that derives."""
    shown = [part for part in cell.children if part.get("nb_element") == "cell_code_output"]
    if not shown:
        return ""
    only_formulas = all(list(part.findall(nodes.math_block)) for part in shown[0].children)
    return "derivation" if only_formulas else "experiment"


class PageHead(SphinxPostTransform):
    """Write the minutes under the title; mark boxes, cells and numbered formulas."""

    default_priority = 197  # before the folds, after MyST-NB chose what a cell shows
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Change a page that is a notebook."""
        path = Path(self.env.doc2path(self.env.docname))
        if path.suffix != ".ipynb":
            return
        self._write_minutes(path)
        for quote in self.document.findall(nodes.block_quote):
            if kind := BOXES.get(first_word(quote)):
                quote["classes"] += ["box", kind]
        for cell in self.document.findall(nodes.container):
            if cell.get("nb_element") == "cell_code" and (kind := cell_kind(cell)):
                cell["classes"].append(kind)
        for formula in self.document.findall(nodes.math_block):
            if r"\tag{" in formula.astext():
                formula["classes"].append("numbered")

    def _write_minutes(self, path: Path) -> None:
        from tools.notebooks.count import count  # the book's folder is on the path by now

        page = count(nbformat.read(path, as_version=4))
        time = minutes(page["visible"], page["formulas"], page["lines"])
        line = nodes.paragraph("", f"About {time} minutes", classes=["minutes"])
        title = next(self.document.findall(nodes.title))
        title.parent.insert(1, nodes.container("", line, classes=["page-head"]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension, and put the book's folder, where its tools are, on the path."""
    sys.path.append(str(app.srcdir))
    app.add_post_transform(PageHead)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
