"""Run notebooks and store their outputs in one canonical form.

    python -m tools.notebooks.execute chapters/*.ipynb

The same sources give the same bytes: no timings, no random ids, one kernel name. A notebook is
written only after all of it ran, in one move, so that an interrupted or failed run leaves the old
one whole. Two notebooks run at a time.
"""

import os
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tools.address import read_address
from tools.notebooks.colab import insert
from tools.notebooks.files import canonical, read, write
from tools.notebooks.kernels import AsyncQuietKernel

TIMEOUT = 600  # seconds a cell may take
WORKERS = 2


def execute(path: Path) -> NotebookNode:
    """Run one notebook in its own folder; raises CellExecutionError where a cell fails."""
    nb = read(path)
    insert(nb, read_address())
    nb.metadata.pop("widgets", None)
    client = NotebookClient(
        nb,
        timeout=TIMEOUT,
        kernel_name="python3",
        kernel_manager_class=AsyncQuietKernel,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    nb = canonical(nb, list(client.widget_state), path.stem)
    nbformat.validate(nb)
    return nb


def store(path: Path) -> tuple[float, str]:
    """Run one notebook and write it; return the seconds and, if a cell failed, the error."""
    start, error = time.monotonic(), ""
    try:
        write(execute(path), path)
    except CellExecutionError as failure:
        error = f"left as it was, a cell failed:\n{failure}"
    return time.monotonic() - start, error


def end_with_parent() -> None:
    """Let a worker end when the main process is killed; by itself it would wait for ever."""

    def follow() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def store_all(paths: list[Path]) -> int:
    """Run and write notebooks, WORKERS at a time; return how many failed."""
    failed = 0
    workers = min(WORKERS, len(paths))
    with ProcessPoolExecutor(workers, get_context("spawn"), end_with_parent) as pool:
        try:
            runs = [pool.submit(store, path) for path in paths]
            for path, run in zip(paths, runs, strict=True):
                seconds, error = run.result()
                failed += bool(error)
                print(f"{path}: {error or 'stored'}, {seconds:.0f} s", flush=True)
        except KeyboardInterrupt:
            for worker in active_children():
                worker.terminate()
            raise
    return failed


def main(names: list[str]) -> int:
    """Execute each named notebook; 0 when all of them ran."""
    try:
        failed = store_all([Path(name) for name in names])
    except KeyboardInterrupt:
        print("interrupted: what is not named above is as it was", file=sys.stderr)
        return 130
    if failed:
        print(f"{failed} of {len(names)} failed and are as they were", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("need notebooks to run: python -m tools.notebooks.execute chapters/*.ipynb")
    sys.exit(main(sys.argv[1:]))
