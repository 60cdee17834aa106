"""Notebook files: read them with steady ids, write them in one move, in one canonical form."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
COMPARED = ("text/plain", "text/latex", "text/html")
KEPT = ("cellView", "jupyter", "mystnb", "tags")  # what a cell's metadata may hold
FOLDS = {  # a tag of the site, and what JupyterLab folds by
    "hide-input": ("source_hidden",),
    "hide-cell": ("outputs_hidden", "source_hidden"),
}
METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def widget_id(notebook: str, i: int) -> str:
    """Id of the i-th widget that a notebook creates; notebook: its file name's stem."""
    return hashlib.md5(f"{notebook}:{i}".encode()).hexdigest()


def read(path: Path) -> NotebookNode:
    """Read a notebook; cells without an id, or with another cell's, get one from their text."""
    raw, seen = json.loads(path.read_text(encoding="utf-8")), set()
    for i, cell in enumerate(raw["cells"]):
        if cell.get("id") in seen | {None}:
            text = f"{i}:{''.join(cell['source'])}"
            cell["id"] = f"cell-{hashlib.md5(text.encode()).hexdigest()[:12]}"
        seen.add(cell["id"])
    raw["nbformat"], raw["nbformat_minor"] = 4, 5
    return nbformat.reads(json.dumps(raw), as_version=4)


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join what a kernel sent to one stream in pieces, unless something was shown in between."""
    whole: list[NotebookNode] = []
    for output in outputs:
        before = whole[-1] if whole else output
        if before is not output and before.get("name", 0) == output.get("name", 1):
            before.text += output.text
        else:
            whole.append(output)
    return whole


def texts(cell: NotebookNode) -> list[str]:
    """Return what a cell says in words and formulas, streams in one piece."""
    said = [output.get("text", "") for output in cell.outputs if output.output_type == "stream"]
    shown = [o.data for o in cell.outputs if "data" in o]
    return ["".join(said), *(data.get(mime, "") for data in shown for mime in COMPARED)]


def fold(cell: NotebookNode) -> None:
    """Let JupyterLab and Colab fold a cell that its tags fold on the site."""
    folds = {name: True for tag in cell.metadata.get("tags", []) for name in FOLDS.get(tag, ())}
    if folds:
        cell.metadata["jupyter"] = dict(sorted(folds.items()))
        if cell.source.startswith("# @title"):
            cell.metadata["cellView"] = "form"


def canonical(nb: NotebookNode, model_ids: list[str], name: str) -> NotebookNode:
    """Replace what differs from run to run; model_ids: the widgets' ids in order of creation."""
    text = nbformat.writes(nb)
    for i, model_id in enumerate(model_ids):
        text = text.replace(model_id, widget_id(name, i))
    nb = nbformat.reads(text, as_version=4)
    widgets = {"widgets": nb.metadata.widgets} if "widgets" in nb.metadata else {}
    nb.metadata = nbformat.from_dict(METADATA | widgets)
    for cell in nb.cells:
        kept = {key: cell.metadata[key] for key in KEPT if key in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        if cell.cell_type == "code":
            fold(cell)
            cell.outputs = joined(cell.outputs)
    return nb


def write(nb: NotebookNode, path: Path) -> None:
    """Put nb in the place of path in one move."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as f:
            nbformat.write(nb, f)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
