"""Run notebooks and store their outputs in one canonical form.

    python tools/execute.py chapters/*.ipynb

The same sources give the same bytes: no timings, no random widget ids, one kernel name. A notebook
is written only after all of it ran, in one move, so that an interrupted or failed run leaves the
old one whole.
"""

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

TIMEOUT = 600  # seconds a cell may take
STATE = "application/vnd.jupyter.widget-state+json"


def widget_id(notebook: str, i: int) -> str:
    """Id of the i-th widget that a notebook creates; notebook: its file name's stem."""
    return hashlib.md5(f"{notebook}:{i}".encode()).hexdigest()


def canonical(nb: NotebookNode, model_ids: list[str], name: str) -> NotebookNode:
    """Replace what differs from run to run; model_ids: the widgets' ids in order of creation."""
    text = nbformat.writes(nb)
    for i, model_id in enumerate(model_ids):
        text = text.replace(model_id, widget_id(name, i))
    nb = nbformat.reads(text, as_version=4)
    widgets = nb.metadata.get("widgets")
    nb.metadata = NotebookNode(
        kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
        language_info={"name": "python"},
    )
    if widgets:
        nb.metadata.widgets = widgets
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
    return nb


def execute(path: Path) -> NotebookNode:
    """Run one notebook in its own folder; raises CellExecutionError where a cell fails."""
    nb = nbformat.read(path, as_version=4)
    nb.metadata.pop("widgets", None)
    client = NotebookClient(
        nb,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    nb = canonical(nb, list(client.widget_state), path.stem)
    nbformat.validate(nb)
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


def main(names: list[str]) -> int:
    """Execute each named notebook; 0 when all of them ran."""
    failed = 0
    for name in names:
        path, start = Path(name), time.monotonic()
        try:
            write(execute(path), path)
            print(f"{path}: stored, {time.monotonic() - start:.0f} s")
        except CellExecutionError as error:
            failed += 1
            print(f"{path}: left as it was, a cell failed:\n{error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("need notebooks to run: python tools/execute.py chapters/*.ipynb")
    sys.exit(main(sys.argv[1:]))
