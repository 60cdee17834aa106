"""Alter each kind of stored output of each notebook, and see which item of the check notices.

Part of tools.mutants. A notebook is executed once, its kernel's messages recorded; each altered
version is then compared with those through all of the notebook check (tools/mutants/replay.py).
Prints a table: the kind, how many were tried and how many caught; survivors with their cell.
"""

import io
import os
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import nbformat

from tools.address import ROOT, notebooks
from tools.mutants.altered import Altered, alterations
from tools.mutants.kept import keep
from tools.mutants.replay import Tape, load

PLUGINS = ["nbval.plugin", "tools.notebooks.check", "tools.mutants.replay"]
UNNEEDED = ["cacheprovider", "unraisableexception", "threadexception"]  # they cost half the time
AS_IT_IS = "nothing"
Tried = dict[tuple[int, str, str], bool]  # number, kind, cell: caught
LIMIT = 12  # of a kind in a notebook


def run_check(notebook: Path, *options: str) -> tuple[int, str]:
    """Run the notebook check in this process; return pytest's status and its report."""
    import pytest

    plugins = [f"-p{plugin}" for plugin in PLUGINS] + [f"-pno:{name}" for name in UNNEEDED]
    plugins.append("--disable-plugin-autoload")
    arguments = ["-x", "-q", "-rfE", f"--rootdir={notebook.parent}", "-Wignore", *plugins]
    with redirect_stdout(io.StringIO()) as report:
        status = pytest.main(
            [*arguments, "--nbval", "--nbval-current-env", *options, str(notebook)]
        )
    return int(status), report.getvalue()


def record(notebook: Path, tape: Path) -> Tape:
    """Execute a notebook once, comparing its outputs as stored, and return the tape."""
    status, report = in_fork(run_check, notebook, "--record", str(tape))
    if status != 0:
        raise RuntimeError(f"{notebook.name} fails as it is:\n{report[-3000:]}")
    return load(tape)


def in_fork(function, *arguments):
    """Call a function in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def try_altered(altered: Altered, name: str, tape: Path) -> bool:
    """Whether the check notices an altered notebook; name: that of its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        nbformat.write(altered.notebook, path)
        status, report = run_check(path, "--replay", str(tape), "--tb=no")
    if status not in (0, 1) or (status == 1 and "FAILED" not in report):
        raise RuntimeError(f"pytest ended with {status} on {altered[:2]}:\n{report[-2000:]}")
    return status == 1


def try_notebook(notebook: Path, folder: Path, limit: int = LIMIT) -> Tried:
    """Alter a notebook in every way; return kind and cell of each, and whether it was caught."""
    tape, nb = folder / f"{notebook.stem}.tape", nbformat.read(notebook, as_version=4)
    reseeded = record(notebook, tape).reseeded
    return try_all([*alterations(nb, reseeded, limit), Altered(AS_IT_IS, "", nb)], notebook, tape)


def try_all(altered: list[Altered], notebook: Path, tape: Path) -> Tried:
    """Whether the check notices each of a notebook's altered versions, and passes itself."""
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        tries = pool.map(try_altered, altered, repeat(notebook.name), repeat(tape))
        tried = {
            (i, *a[:2]): caught for i, (a, caught) in enumerate(zip(altered, tries, strict=True))
        }
    if any(caught for (_, kind, _), caught in tried.items() if kind == AS_IT_IS):
        raise RuntimeError(f"{notebook.name} fails when played back as it is")
    return {key: caught for key, caught in tried.items() if key[1] != AS_IT_IS}


def try_outputs(word: str, keeping: bool = False) -> int:
    """Alter the notebooks whose name contains word; print the table, return the status."""
    survivors = total = 0
    names = [notebook.stem for notebook in notebooks(ROOT)]
    with tempfile.TemporaryDirectory() as folder:
        for notebook in notebooks(ROOT):
            if word in notebook.name:
                start = time.monotonic()
                tried = try_notebook(notebook, Path(folder))
                print_table(notebook.stem, tried)
                print(f"{notebook.stem}: {time.monotonic() - start:.0f} s", flush=True)
                total += len(tried)
                survivors += sum(not caught for caught in tried.values())
                if keeping:
                    keep("output", {notebook.stem: tried.values()}, names)
    print(f"{total} outputs altered, {total - survivors} caught")
    return 1 if survivors else 0


def print_table(name: str, tried: Tried) -> None:
    """Print a line for each kind, and one for each survivor."""
    of_kind = Counter(kind for _, kind, _ in tried)
    caught = Counter(kind for (_, kind, _), noticed in tried.items() if noticed)
    for kind, count in sorted(of_kind.items()):
        print(f"{name:20} {kind:34} {caught[kind]:3} of {count:3} caught")
    for (_, kind, cell), noticed in tried.items():
        if not noticed:
            print(f"{name:20} {kind:34} SURVIVED in cell {cell}")
