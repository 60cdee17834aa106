"""The notebook check must be able to fail, and the executor must repeat itself byte for byte."""

import base64
import io
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from tools.execute import STATE, execute, main, write

ROOT = Path(__file__).resolve().parents[1]
CELLS = {
    "number": "print(f'{2 / 3:.4f}')",
    "latex": "import sympy as sp\nsp.Symbol('kappa') ** 2",
    "figure": (
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots(figsize=(2, 1))\n"
        "ax.plot([0, 1], [0, 1])\nplt.show()"
    ),
    "widget": (
        "import numpy as np\nfrom ddim_lib.widgets import explore\n"
        "explore(lambda eta, steps: np.full((4, 6), eta), eta=[0, 1], steps=[1, 2])"
    ),
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A small notebook with one cell of each kind, executed and stored."""
    path = tmp_path_factory.mktemp("book") / "page.ipynb"
    cells = [new_code_cell(source, id=name) for name, source in CELLS.items()]
    write(new_notebook(cells=cells), path)
    write(execute(path), path)
    return path


def output_of(nb, name):
    return next(cell for cell in nb.cells if cell.id == name).outputs[0]


def redraw(data, change):
    """Change the pixels of a stored PNG."""
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
    buffer = io.BytesIO()
    change(picture).save(buffer, "PNG")
    data["image/png"] = base64.b64encode(buffer.getvalue()).decode()


def shift(picture):
    """Move a picture right by two pixels."""
    moved = Image.new("RGB", picture.size, "white")
    moved.paste(picture, (2, 0))
    return moved


def alter_number(nb):
    output_of(nb, "number").text = "0.6668\n"


def alter_latex(nb):
    output_of(nb, "latex").data["text/latex"] = r"$\displaystyle \kappa^{3}$"


def alter_figure(nb):
    redraw(output_of(nb, "figure").data, shift)


def alter_still(nb):
    redraw(output_of(nb, "widget").data, lambda picture: picture.point(lambda v: 255 - v))


def alter_slider(nb):
    for model in nb.metadata.widgets[STATE]["state"].values():
        model["state"].update({"etas": [0.0, 0.5]} if "etas" in model["state"] else {})


def alter_sheet(nb):
    for model in nb.metadata.widgets[STATE]["state"].values():
        for buffer in model.get("buffers", []):
            redraw(changed := {"image/png": buffer["data"]}, shift)
            buffer["data"] = changed["image/png"]


def remove_output(nb):
    nb.cells[0].outputs = []


def never_run(nb):
    nb.cells[0].outputs, nb.cells[0].execution_count = [], None


def check(path):
    """Run the notebook check on one notebook as `make notebooks` does."""
    plugins = ["-p", "tests.notebook_outputs", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command = [sys.executable, "-m", "pytest", *plugins, "--nbval", "--nbval-current-env", path]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_check_passes_what_is_right(executed):
    run = check(executed)
    assert run.returncode == 0, run.stdout
    assert "5 passed" in run.stdout  # four cells and the widgets' states


@pytest.mark.parametrize(
    "alter",
    [
        alter_number,
        alter_latex,
        alter_figure,
        alter_still,
        alter_slider,
        alter_sheet,
        remove_output,
        never_run,
    ],
)
def test_the_check_catches(alter, executed, tmp_path):
    nb = nbformat.read(executed, as_version=4)
    alter(nb)
    path = tmp_path / "page.ipynb"
    nbformat.write(nb, path)
    run = check(path)
    assert run.returncode != 0
    assert "1 failed" in run.stdout or "never run" in run.stdout + run.stderr


def test_executing_again_changes_no_byte(executed):
    before = executed.read_bytes()
    assert main([str(executed)]) == 0
    assert executed.read_bytes() == before


def test_a_failing_notebook_is_left_as_it_was(executed, tmp_path, capsys):
    path = tmp_path / "page.ipynb"
    nb = nbformat.read(executed, as_version=4)
    nb.cells.append(new_code_cell("raise RuntimeError('no')", id="fails"))
    nbformat.write(nb, path)
    before = path.read_bytes()
    assert main([str(path)]) == 1
    assert path.read_bytes() == before
    assert "left as it was" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]
