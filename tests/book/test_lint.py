"""The lint of notebooks finds each fault that it names, and none in a good notebook."""

import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import address
from tools.notebooks import lint, pages
from tools.notebooks.colab import insert
from tools.notebooks.files import VIEW, canonical

ALT = {"mystnb": {"image": {"alt": "A falling curve from noise to data."}}}
PNG = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure size 200x100 with 1 Axes>"}


def good():
    """A notebook without a fault."""
    nb = new_notebook(
        cells=[
            new_markdown_cell("# 1. A page\n$$a = b \\tag{1.1}$$", id="title"),
            new_code_cell("print(1)", id="number"),
            new_code_cell("ax.plot(x)\nplt.show()", id="figure", metadata=ALT),
        ]
    )
    insert(nb, address.read_address())
    for i, cell in enumerate((c for c in nb.cells if c.cell_type == "code"), start=1):
        cell.execution_count = i
    nb.cells[2].outputs = [new_output("stream", text="1\n")]
    nb.cells[3].outputs = [new_output("display_data", PNG)]
    return canonical(nb, [], "page")


def text_of(nb):
    return nbformat.writes(nb) + "\n"


def findings(folder, text):
    path = folder / "page.ipynb"
    path.write_text(text)
    return lint.findings(path, address.read_address())


def source(text):
    return lambda nb: nb.cells[2].update(source=text)


def printed(text):
    return lambda nb: nb.cells[2].outputs[0].update(text=text)


def equation(text):
    return lambda nb: nb.cells[0].update(source=text)


def data(extra):
    return lambda nb: nb.cells[3].outputs[0].data.update(extra)


def never_run(nb):
    nb.cells[2].execution_count = None


def out_of_order(nb):
    nb.cells[2].execution_count = 5


def an_error(nb):
    nb.cells[2].outputs = [new_output("error", ename="ValueError", evalue="", traceback=[])]


def a_warning(nb):
    nb.cells[2].outputs[0].name = "stderr"


def no_alt(nb):
    nb.cells[3].metadata = {}


def two_figures(nb):
    nb.cells[3].outputs *= 2


def tagged(nb):
    nb.cells[2].metadata["tags"] = ["nbval-skip"]


def widget_alone(nb):
    nb.cells[3].outputs[0].data = {VIEW: {"model_id": "0"}, "text/plain": "Flow()"}


def no_colab_cell(nb):
    nb.cells.pop(1)


def another_address(nb):
    nb.cells[1].source = nb.cells[1].source.replace("ddim-book", "other")


def shown_colab_cell(nb):
    nb.cells[1].metadata = {}


def foreign_metadata(nb):
    nb.metadata["toc"] = {}


def too_big(nb):
    nb.cells[0].source += "x" * 1_500_000


FAULTS = [
    (source(""), "empty cell"),
    (source("ax.plot(x);"), "ends in ';'"),
    (source("x = 1  # " + "x" * 80), "columns"),
    (source("for x in tqdm(y): pass"), "from run to run: tqdm"),
    (source("clear_output()"), "from run to run: clear_output"),
    (source("out = widgets.Output()"), "from run to run: Output("),
    (source("interact(f, x=1)"), "from run to run: interact("),
    (source("# NBVAL_IGNORE_OUTPUT\nf()"), "exemption"),
    (source("open('/" + "home/me/x')"), "path of one machine"),
    (tagged, "exemption"),
    (never_run, "never run"),
    (out_of_order, "not run from first to last"),
    (an_error, "stored an error: ValueError"),
    (a_warning, "stored a warning"),
    (printed("[<matplotlib.lines.Line2D>]"), "a drawn thing"),
    (printed("Text(0.5, 1.0, 'x')"), "a drawn thing"),
    (printed("<object object at 0x7f1>"), "stored an address"),
    (printed("<torch._C.Generator object>"), "stored an address"),
    (printed("10 %\r20 %"), "overwrites itself"),
    (printed("/" + "tmp/x.png"), "path of one machine"),
    (no_alt, "without alt text"),
    (two_figures, "share one alt text"),
    (widget_alone, "without a picture"),
    (equation("$$a \\\\ b \\tag{1.1}$$"), "numbered equation with"),
    (equation("$$a\n\nb \\tag{1.1}$$"), "empty line"),
    (no_colab_cell, "need a first code cell"),
    (another_address, "is not that for"),
    (shown_colab_cell, "other metadata"),
    (foreign_metadata, "not in the form"),
    (too_big, "bytes, need"),
]


def test_a_good_notebook_has_no_fault(tmp_path):
    assert findings(tmp_path, text_of(good())) == []


@pytest.mark.parametrize(("change", "message"), FAULTS, ids=[m for _, m in FAULTS])
def test_a_fault_is_found(change, message, tmp_path):
    nb = copy.deepcopy(good())
    change(nb)
    found = findings(tmp_path, text_of(nb))
    assert any(message in what for what in found), found


def test_a_slider_of_jupyters_own_needs_no_picture(tmp_path):
    nb = good()
    widget_alone(nb)
    nb.cells[3].outputs[0].data["text/plain"] = "FloatSlider(value=0.0)"
    assert findings(tmp_path, text_of(nb)) == []


def test_several_lines_inside_an_environment_are_fine(tmp_path):
    nb = good()
    nb.cells[0].source = "$$\\begin{aligned} a \\\\ b \\end{aligned} \\tag{1.1}$$"
    assert findings(tmp_path, text_of(nb)) == []


@pytest.mark.parametrize("change", ["missing", "twice"])
def test_ids_are_needed_and_unique(change, tmp_path):
    raw = json.loads(text_of(good()))
    if change == "missing":
        del raw["cells"][2]["id"]
    else:
        raw["cells"][2]["id"] = raw["cells"][3]["id"]
    assert any("id" in what for what in findings(tmp_path, json.dumps(raw)))


def test_another_form_of_a_notebook_is_found(tmp_path):
    (tmp_path / "chapters").mkdir()
    for name in ("one.ipynb", "one.py", "one.md", "ruff.toml"):
        (tmp_path / "chapters" / name).touch()
    found = pages.other_forms(tmp_path)
    assert [line.split(":")[0] for line in found] == ["chapters/one.md", "chapters/one.py"]


def test_findings_are_printed_and_counted(tmp_path, capsys):
    path = tmp_path / "page.ipynb"
    path.write_text(text_of(good()))
    assert lint.main([str(path)]) == 0
    nb = good()
    never_run(nb)
    path.write_text(text_of(nb))
    assert lint.main([str(path)]) == 1
    assert "page.ipynb: cell 2 (number): never run" in capsys.readouterr().out
