"""Break each formula of the library once, in a copy, and see which test notices.

Part of tools.mutants. The list is formulas.txt: a title "file: name", the text to replace, and
what to put there. Prints a table: the mutation and the first test that failed, or SURVIVED.
"""

import io
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("formulas.txt")
PRELOAD = [  # imported once; each run of the tests starts as a fork that has them
    "pytest",
    "hypothesis",
    "torch",
    "scipy.integrate",
    "scipy.interpolate",
    "playwright.sync_api",
    "diffusers.schedulers.scheduling_ddim",
    "diffusers.schedulers.scheduling_ddpm",
    "diffusers.schedulers.scheduling_dpmsolver_multistep",
]
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+?\.py(?:::\S+)?)", re.MULTILINE)


class Mutant(NamedTuple):
    """One change of one file that must not go unnoticed."""

    file: str
    old: str
    new: str
    name: str


def parse(text: str) -> list[Mutant]:
    """Read the list."""
    mutants = []
    for block in text.strip().split("\n\n"):
        title, *lines = block.split("\n")
        file, name = title.split(": ", 1)
        old = "\n".join(line[2:] for line in lines if line.startswith("- "))
        new = "\n".join(line[2:] for line in lines if line.startswith("+ "))
        mutants.append(Mutant(file, old, new, name))
    return mutants


def suite_of(file: str) -> list[str]:
    """Name a module's tests: test_<module>.py first, then each test_<module>_<subject>.py.

    They lie in any folder of tests; a module of a subpackage is named with it: train/run has
    test_train_run.py.
    """
    module = file.replace("/", "_")
    names = (f"test_{module}.py", f"test_{module}_*.py")
    found = [path for name in names for path in sorted((ROOT / "tests").rglob(name))]
    return [path.relative_to(ROOT).as_posix() for path in found]


def run_tests(file: str, old: str = "", new: str = "") -> tuple[int, str]:
    """Run a module's tests on a copy with old replaced by new; pytest's status and its report."""
    import pytest

    with tempfile.TemporaryDirectory() as name, redirect_stdout(io.StringIO()) as report:
        folder = Path(name).resolve()
        for part in ("ddim_lib", "tests"):
            leave = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(ROOT / part, folder / part, ignore=leave)
        shutil.copy(ROOT / "pyproject.toml", folder)
        path = folder / "ddim_lib" / f"{file}.py"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        os.chdir(folder)
        sys.path.insert(0, name)
        status = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-rfE", *suite_of(file)])
        tested = Path(sys.modules["ddim_lib"].__file__).resolve()
        os.chdir(ROOT)
    assert folder in tested.parents, f"need the copy in {folder} to be tested, got {tested}"
    return int(status), report.getvalue()


def verdict(mutant: Mutant, status: int, report: str) -> str:
    """Name the first test that failed, or return the empty string."""
    found = FAILED.search(report)
    if status not in (0, 1) or (status == 1 and not found):
        raise RuntimeError(f"pytest ended with {status} on '{mutant.name}':\n{report[-2000:]}")
    return found.group(1) if found else ""


def stale(mutants: list[Mutant]) -> list[str]:
    """Complaints about mutations whose text is not in the library exactly once."""
    complaints = []
    for mutant in mutants:
        text = (ROOT / "ddim_lib" / f"{mutant.file}.py").read_text(encoding="utf-8")
        if (count := text.count(mutant.old)) != 1:
            complaints.append(f"{mutant.file}: {mutant.name}: found {count} times: {mutant.old}")
    return complaints


def table(mutants: list[Mutant], pool: ProcessPoolExecutor) -> list[bool]:
    """Try the mutations and print a line for each; return which were caught."""
    runs = [pool.submit(run_tests, m.file, m.old, m.new) for m in mutants]
    caught = []
    for mutant, run in zip(mutants, runs, strict=True):
        test = verdict(mutant, *run.result())
        caught.append(bool(test))
        print(f"{mutant.file:9} {mutant.name:41} {test or 'SURVIVED'}", flush=True)
    return caught


def by_module(
    mutants: list[Mutant], caught: list[bool], listed: list[Mutant]
) -> dict[str, list[bool]]:
    """Return what was caught of each module of which every listed mutation was tried."""
    found: dict[str, list[bool]] = {}
    for mutant, noticed in zip(mutants, caught, strict=True):
        found.setdefault(mutant.file, []).append(noticed)
    whole = Counter(mutant.file for mutant in listed)
    return {file: noticed for file, noticed in found.items() if len(noticed) == whole[file]}


def try_formulas(word: str, keeping: bool = False) -> int:
    """Try the mutations whose name or file contains word; print the table, return the status."""
    listed = parse(LIST.read_text(encoding="utf-8"))
    mutants = [m for m in listed if word in m.name or word in m.file]
    if complaints := stale(mutants):
        print("need every text exactly once; this list is out of date:", *complaints, sep="\n  ")
        return 1
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    with ProcessPoolExecutor(os.cpu_count(), context, max_tasks_per_child=1) as pool:
        for status, report in pool.map(run_tests, sorted({m.file for m in mutants})):
            if status != 0:
                print("the tests fail without a mutation:", report[-3000:], sep="\n")
                return 2
        caught = table(mutants, pool)
    print(f"{len(mutants)} formulas broken, {sum(caught)} caught")
    if keeping:
        from tools.mutants.kept import keep  # it has ddim_lib; the copies must come first

        keep("formula", by_module(mutants, caught, listed), {m.file for m in listed})
    return 0 if all(caught) else 1
