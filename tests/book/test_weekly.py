"""The weekly run: a made-up package that changes, the cell that moves with it, and what is said."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import weekly
from tools.notebooks.files import write

FREEZE = "# Colab\nNumPy==2.1.3\nlocal @ https://example.org/x.whl\njupyter_client==7.4.9\n"


@pytest.fixture
def page(tmp_path):
    """A notebook that prints what a package says, and two editions of that package."""
    for edition in (1, 2):
        folder = tmp_path / f"edition{edition}"
        folder.mkdir()
        (folder / "pretend.py").write_text(f"EDITION = {edition}\n")
    said = [new_output("stream", name="stdout", text=text) for text in ("0\n", "1\n")]
    sources = ["import pretend", "print(0)", "print(pretend.EDITION)"]
    ids, outputs = ["imports", "still", "moves"], [[], said[:1], said[1:]]
    cells = [
        new_code_cell(source, id=name, outputs=found, execution_count=1)
        for source, name, found in zip(sources, ids, outputs, strict=True)
    ]
    write(new_notebook(cells=cells), tmp_path / "page.ipynb")
    return tmp_path / "page.ipynb"


def test_the_first_cell_that_says_another_thing_is_named(page):
    assert weekly.first_other(page, page.with_name("edition1")) == ""
    assert weekly.first_other(page, page.with_name("edition2")) == "moves"
    assert weekly.first_moved(page.with_name("edition2"), [page]) == ("page", "moves")
    assert weekly.first_moved(page.with_name("edition1"), [page]) is None


def test_a_cell_that_fails_is_named_although_it_shows_nothing(page):
    assert weekly.first_other(page, page.with_name("no such edition")) == "imports"


def test_colabs_list_is_read():
    assert weekly.parse(FREEZE) == {"numpy": "2.1.3", "jupyter-client": "7.4.9"}


def test_what_the_library_needs_is_asked_for():
    assert {"torch", "numpy", "matplotlib"} <= set(weekly.needed())


def test_only_other_versions_count_and_each_is_tried_alone():
    present = {"a": "1", "b": "1", "c": "3"}
    pins = weekly.changed({"a": "2", "b": "1", "c": "4"}, present.__getitem__)
    assert pins == {"a": "2", "c": "4"}
    tried = []
    assert weekly.culprits(pins, lambda some: tried.append(some) or "c" in some) == ["c"]
    assert tried == [{"a": "2"}, {"c": "4"}]


def test_the_report_names_cell_and_package():
    pins = {"numpy": "99.1"}
    text = weekly.report("newest versions", pins, ("04_skip_steps", "skip-007"), ["numpy"])
    assert "`04_skip_steps` first says something else in cell `skip-007`" in text
    assert "It moves with: numpy." in text
    assert " → 99.1" in text
    nobody = weekly.report("newest versions", pins, ("04_skip_steps", "skip-007"), [])
    assert "no package alone; several together" in nobody


def test_a_run_writes_its_report_only_if_something_moved(page, tmp_path, monkeypatch, capsys):
    out = tmp_path / "report.md"
    monkeypatch.setattr(weekly, "NOTEBOOKS", [page])
    monkeypatch.setattr(weekly, "ROOT", tmp_path)
    monkeypatch.setattr(weekly, "newest", lambda: {"numpy": "99.1"})
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "page.ipynb").write_bytes(page.read_bytes())
    monkeypatch.setattr(weekly, "lay", lambda *_: page.with_name("edition1"))
    assert weekly.main(["newest", str(out)]) == 0
    assert not out.exists()
    monkeypatch.setattr(weekly, "lay", lambda *_: page.with_name("edition2"))
    assert weekly.main(["newest", str(out)]) == 1
    assert "in cell `moves`" in out.read_text(encoding="utf-8")
    assert "It moves with: numpy." in capsys.readouterr().out


def test_it_says_how_it_is_called(capsys):
    assert weekly.main(["tomorrow"]) == 2
    assert "python -m tools.weekly newest REPORT" in capsys.readouterr().err
