"""The first code cell of every notebook: where the library is missing, it fetches it.

    python -m tools.notebooks.colab chapters/*.ipynb      put it there without running anything

It is the same in all notebooks, and `make execute` puts it there too. The address it names is that
of pyproject.toml (tools/address.py).
"""

import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from tools.address import read_address
from tools.notebooks.files import canonical, write

ID = "colab"
METADATA = {
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "tags": ["remove-cell"],
}
SOURCE = """\
# @title Colab: install the book's library (elsewhere this does nothing)
from importlib.util import find_spec

if find_spec("ddim_lib") is None:
    %pip install --quiet git+{address}
"""


def colab_cell(address: str) -> NotebookNode:
    """Return the cell, not yet run."""
    source = SOURCE.format(address=address).rstrip("\n")
    return new_code_cell(source, id=ID, metadata=METADATA)


def insert(nb: NotebookNode, address: str) -> None:
    """Put the cell before the first code cell, in the place of an older one."""
    nb.cells = [cell for cell in nb.cells if cell.get("id") != ID]
    kinds = [cell.cell_type for cell in nb.cells]
    nb.cells.insert(kinds.index("code") if "code" in kinds else len(kinds), colab_cell(address))


def trouble(nb: NotebookNode, address: str) -> str:
    """Say what is wrong with a notebook's cell, "" if nothing is."""
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    if not code or code[0].get("id") != ID:
        return f"need a first code cell with the id {ID!r}"
    want = colab_cell(address)
    if code[0].source != want.source:
        return f"the first code cell is not that for {address}"
    return "" if code[0].metadata == want.metadata else "the first code cell has other metadata"


def renumber(nb: NotebookNode) -> None:
    """Count the cells that were run from 1, as if they had just been."""
    run = [cell for cell in nb.cells if cell.get("execution_count") is not None]
    for i, cell in enumerate(run, start=1):
        cell.execution_count = i
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = i


def refresh(path: Path, address: str) -> None:
    """Put the cell into a stored notebook without running it: it does nothing where we are."""
    nb = nbformat.read(path, as_version=4)
    insert(nb, address)
    next(cell for cell in nb.cells if cell.get("id") == ID).execution_count = 0
    renumber(nb)
    write(canonical(nb, [], path.stem), path)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        refresh(Path(name), read_address())
