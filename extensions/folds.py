"""Sphinx extension: a folded cell shows the sentence of its first line, "# @title <sentence>".

The sentence takes the place of MyST-NB's "Show code cell source", and is left out of the code. A
fold bears the id of its cell, so that a link can lead to it. The code of a picture folds below it.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

TITLE = "# @title "
KINDS = {"✓": "check", "Solution": "solution"}  # by a sentence's first word


class fold(nodes.Element):
    """What is shown when the reader opens it."""


class fold_sentence(nodes.TextElement):
    """What is seen of a fold before."""


class Folds(SphinxPostTransform):
    """Put each titled cell that its tags fold behind its sentence."""

    default_priority = 198  # one before MyST-NB folds the cells that are left
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Change every folded cell of the page."""
        cells = [c for c in self.document.findall(nodes.container) if c.get("hide_mode")]
        ids = _cell_ids(Path(self.env.doc2path(self.env.docname))) if cells else []
        for cell in cells:
            if sentence := _take_title(cell):
                _fold(cell, sentence, ids[cell["cell_index"]])


def _cell_ids(path: Path) -> list[str]:
    """Return the ids of a notebook's cells, in their order."""
    return [cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def _take_title(cell: nodes.container) -> str:
    """Take the first line off a cell's code and return its sentence, "" if it has none."""
    code = next(cell.findall(nodes.literal_block))
    first, _, rest = code.astext().partition("\n")
    if not first.startswith(TITLE):
        return ""
    code.rawsource = rest
    code.children = [nodes.Text(rest)]
    code.setup_child(code.children[0])
    return first.removeprefix(TITLE).strip()


def _fold(cell: nodes.container, sentence: str, name: str) -> None:
    """Move a cell's code, and in the mode "all" what it shows, behind the sentence."""
    kind = KINDS.get(sentence.split()[0], "code")
    box = fold("", fold_sentence("", sentence), classes=["fold", kind], ids=[name])
    children = list(cell.children)
    cell.clear()
    if cell.attributes.pop("hide_mode") == "all":
        box += children
        cell += box
    else:
        box += children[0]
        cell += [*children[1:], box]


def _open(tag: str) -> object:
    def visit(self: HTML5Translator, node: nodes.Element) -> None:
        self.body.append(self.starttag(node, tag))

    return visit


def _close(tag: str) -> object:
    def depart(self: HTML5Translator, node: nodes.Element) -> None:
        self.body.append(f"</{tag}>\n")

    return depart


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_node(fold, html=(_open("details"), _close("details")))
    app.add_node(fold_sentence, html=(_open("summary"), _close("summary")))
    app.add_post_transform(Folds)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
