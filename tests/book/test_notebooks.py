"""The notebook check must be able to fail, and the executor must repeat itself byte for byte."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tools.mutants.altered import Altered, alterations
from tools.mutants.outputs import AS_IT_IS, record, try_all, try_altered
from tools.notebooks.execute import execute, main
from tools.notebooks.files import canonical, write

ROOT = Path(__file__).resolve().parents[2]
CELLS = {
    "number": "print(f'{2 / 3:.4f}')",
    "table": "for i in range(1, 5):\n    print(i, f'{i / 7:.3f}', i**2)",
    "latex": "import sympy as sp\nsp.Symbol('kappa') ** 2 + sp.Symbol('x')",
    "figure": (
        "import matplotlib.pyplot as plt\nimport numpy as np\n"
        "fig, ax = plt.subplots(figsize=(2, 1))\n"
        "ax.plot(np.random.default_rng(0).normal(size=20))\nplt.show()"
    ),
    "several": "display(sp.Symbol('y'))\nprint('and')\ndisplay(sp.Symbol('z'))\nprint('so on')",
    "widget": (
        "from ddim_lib.widgets import explore\n"
        "explore(lambda eta, steps: np.full((4, 6), eta), eta=[0, 1], steps=[1, 2])"
    ),
}
KINDS = {
    "cell: never run",
    "cells: in another order",
    "cells: outputs exchanged",
    "figure: another colour",
    "figure: another seed",
    "figure: shifted",
    "formula: a digit",
    "formula: a symbol",
    "number: a digit",
    "output: exchanged in a cell",
    "output: removed",
    "table: a cell",
    "text: a letter",
    "widget's picture: shifted",
    "widget: a buffer",
    "widget: a trait",
    "widget: another one shown",
    "widget: removed",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A small notebook with one cell of each kind, executed and stored."""
    path = tmp_path_factory.mktemp("book") / "page.ipynb"
    cells = [new_code_cell(source, id=name) for name, source in CELLS.items()]
    write(new_notebook(cells=cells), path)
    write(execute(path), path)
    return path


def check(path):
    """Run the notebook check on one notebook as `make notebooks` does."""
    plugins = ["-p", "tools.notebooks.check", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command = [sys.executable, "-m", "pytest", *plugins, "--nbval", "--nbval-current-env", path]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_check_passes_what_is_right(executed):
    run = check(executed)
    assert run.returncode == 0, run.stdout
    assert f"{len(CELLS) + 3} passed" in run.stdout  # and the Colab cell, form and widgets


@pytest.fixture(scope="module")
def tape(executed):
    """The small notebook's run, recorded."""
    path = executed.with_name("tape")
    return record(executed, path), path


def test_the_check_catches_every_alteration(executed, tape):
    """A sample of what `make mutants` does with the chapters."""
    nb = nbformat.read(executed, as_version=4)
    altered = list(alterations(nb, tape[0].reseeded, limit=3))
    assert {a.kind for a in altered} == KINDS
    original = Altered(AS_IT_IS, "", nb)
    tried = try_all([*altered, original], executed, tape[1])
    survived = [key[1:] for key, caught in tried.items() if not caught]
    assert not survived
    assert max(Counter(a.kind for a in altered).values()) <= 3


def without_effect(nb):
    nb.cells[-1].metadata["note"] = "not an output"


def ask_for_mercy(nb):
    nb.cells[1].metadata["tags"] = ["nbval-ignore-output"]


def ask_to_skip(nb):
    nb.cells[1].metadata["tags"] = ["nbval-skip"]


def ask_to_raise(nb):
    nb.cells[1].metadata["tags"] = ["raises-exception"]


def run_twice(nb):
    nb.cells[2].execution_count = 7


def split_stream(nb):
    """All of a cell's text before its formulas, none between them."""
    outputs = next(cell for cell in nb.cells if cell.get("id") == "several").outputs
    first, second = [o for o in outputs if o.output_type == "stream"]
    first.text += second.text
    outputs.remove(second)


@pytest.mark.parametrize(
    "alter", [ask_for_mercy, ask_to_skip, ask_to_raise, run_twice, split_stream]
)
def test_the_check_catches(alter, executed, tape):
    assert noticed(alter, executed, tape[1])


def test_what_is_no_output_may_change(executed, tape):
    assert not noticed(without_effect, executed, tape[1])


def noticed(alter, executed, tape):
    nb = nbformat.read(executed, as_version=4)
    alter(nb)
    return try_altered(Altered("by hand", "", nb), executed.name, tape)


ADDRESS = "from ipykernel.kernelapp import IPKernelApp\nprint(IPKernelApp.instance().transport)"


def test_kernels_take_no_ports(tmp_path):
    """Two that start at the same instant took the same one; the check's kernel says the same."""
    path = tmp_path / "page.ipynb"
    nb = new_notebook(cells=[new_code_cell(ADDRESS)])
    write(nb, path)
    write(execute(path), path)
    assert nbformat.read(path, as_version=4).cells[1].outputs[0].text == "ipc\n"
    run = check(path)
    assert run.returncode == 0, run.stdout


def test_executing_again_is_no_diff(executed):
    folder = executed.parent
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=folder, check=True)
    subprocess.run([*git, "add", "page.ipynb"], cwd=folder, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "once"], cwd=folder, check=True)
    assert main([str(executed)]) == 0
    run = subprocess.run([*git, "diff", "--stat"], cwd=folder, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "")


def test_ids_and_metadata_are_put_in_order(tmp_path):
    path = tmp_path / "page.ipynb"
    cells = [new_code_cell(f"x = {i}", metadata={"scrolled": True}) for i in range(3)]
    raw = json.loads(nbformat.writes(new_notebook(cells=cells, metadata={"toc": {}})))
    raw["cells"][1]["id"] = raw["cells"][0]["id"]
    del raw["cells"][2]["id"]
    results = set()
    for _ in range(2):
        path.write_text(json.dumps(raw))
        assert main([str(path)]) == 0
        results.add(path.read_text())
    (text,) = results
    nb = nbformat.reads(text, as_version=4)
    assert len({cell.id for cell in nb.cells}) == 4
    assert nb.cells[1].id == raw["cells"][0]["id"]
    assert set(nb.metadata) == {"kernelspec", "language_info"}
    assert all(cell.metadata == {} for cell in nb.cells[1:])


SOURCE, BOTH = {"source_hidden": True}, {"outputs_hidden": True, "source_hidden": True}


@pytest.mark.parametrize(
    ("tag", "source", "folds", "view"),
    [
        ("hide-input", "1", SOURCE, None),
        ("hide-cell", "1", BOTH, None),
        ("hide-cell", "# @title Solution 1.1\n1", BOTH, "form"),
        ("other", "# @title Solution 1.1\n1", None, None),
    ],
)
def test_what_the_site_folds_is_folded_everywhere(tag, source, folds, view):
    cell = new_code_cell(source, metadata={"tags": [tag]})
    nb = canonical(new_notebook(cells=[cell]), [], "page")
    assert nb.cells[0].metadata.get("jupyter") == folds
    assert nb.cells[0].metadata.get("cellView") == view


def test_a_failing_notebook_is_left_as_it_was(executed, tmp_path, capsys):
    path, good = tmp_path / "page.ipynb", tmp_path / "good.ipynb"
    nb = nbformat.read(executed, as_version=4)
    nb.cells.append(new_code_cell("raise RuntimeError('no')", id="fails"))
    nbformat.write(nb, path)
    write(new_notebook(cells=[new_code_cell("print(1)")]), good)
    before = path.read_bytes()
    assert main([str(path), str(good)]) == 1
    assert path.read_bytes() == before
    assert "left as it was" in capsys.readouterr().out
    assert nbformat.read(good, as_version=4).cells[1].outputs[0].text == "1\n"
    assert sorted(tmp_path.iterdir()) == [good, path]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_the_notebook_whole(end, executed, tmp_path):
    path, mark = tmp_path / "page.ipynb", tmp_path / "running"
    nb = nbformat.read(executed, as_version=4)
    source = f"import pathlib, time\npathlib.Path({str(mark)!r}).touch()\ntime.sleep(3)"
    nb.cells.append(new_code_cell(source, id="slow"))
    nbformat.write(nb, path)
    before = path.read_bytes()
    command = [sys.executable, "-m", "tools.notebooks.execute", str(path)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **quiet)
    while not mark.exists():
        assert run.poll() is None
        time.sleep(0.05)
    run.send_signal(end)
    assert run.wait(timeout=60) != 0
    with contextlib.suppress(ProcessLookupError):
        while True:  # until the workers, which may outlive it, are gone as well
            os.killpg(run.pid, 0)
            time.sleep(0.05)
    assert path.read_bytes() == before
