"""Folded cells: the first line of each says what lies in it, on the site, in Colab, in JupyterLab.

    # @title ✓ (3.8) is the library's step at all 1000 times, and x_s regressed on x_t to 44 digits

A check folds whole (tag hide-cell) and begins with ✓; so does a solution, without it. What only
draws a picture, or helps, folds its code (tag hide-input) and shows what it shows.
"""

import re
from collections.abc import Iterator

from nbformat import NotebookNode

TITLE = "# @title "
CHECK = "✓ "
PICTURE = "code of this picture"
TITLE_COLUMNS = 110  # of the line: what JupyterLab shows of a folded cell without cutting it
ASSERT = re.compile(r"^\s*assert\b", re.MULTILINE)


def title(source: str) -> str:
    """Return what a cell's first line says of it, "" if it has no title."""
    first = source.split("\n", 1)[0]
    return first.removeprefix(TITLE).strip() if first.startswith(TITLE) else ""


def draws(cell: NotebookNode) -> bool:
    """Say whether a cell shows a picture that is no widget's."""
    forms = [set(output.get("data", {})) for output in cell.outputs]
    return any({"image/png"} <= form <= {"image/png", "text/plain"} for form in forms)


def fold_rules(cell: NotebookNode) -> Iterator[str]:
    """Complaints about how a code cell is folded."""
    tags, text = set(cell.metadata.get("tags", [])), title(cell.source)
    if "hide-output" in tags:
        yield "hides only its output: fold the whole cell (hide-cell), or move it to tests/"
    if text and not tags & {"hide-cell", "hide-input", "remove-cell"}:
        yield "has a title but is not folded: tag hide-cell or hide-input"
    if tags & {"hide-cell", "hide-input"} and not text:
        yield f"is folded without a sentence: begin it with {TITLE.strip()!r} and what lies in it"
    if text.startswith(CHECK) and "hide-cell" not in tags:
        yield "a check folds whole: tag hide-cell"
    if text.startswith(CHECK) and not ASSERT.search(cell.source):
        yield "a check without an assert cannot fail"
    if "hide-input" in tags and draws(cell) and text and text != PICTURE:
        yield f"the code of a picture is titled {PICTURE!r}"
