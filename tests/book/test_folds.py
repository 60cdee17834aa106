"""Every folded cell says what lies in it, and a check can fail."""

import pytest
from nbformat.v4 import new_code_cell, new_output

from tools.address import ROOT, notebooks
from tools.notebooks.files import read
from tools.notebooks.folds import TITLE_COLUMNS, fold_rules, title

PNG = new_output("display_data", {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"})
GOOD = [
    ("print(1)", []),
    ("# @title Solution 1.1\nprint(1)", ["hide-cell"]),
    ("# @title ✓ one is one\nassert 1 == 1", ["hide-cell"]),
    ("# @title a helper\ndef f(): pass", ["hide-input"]),
]
FAULTS = [
    ("print(1)", ["hide-cell"], "folded without a sentence"),
    ("print(1)", ["hide-input"], "folded without a sentence"),
    ("# @title\nprint(1)", ["hide-input"], "folded without a sentence"),
    ("# a comment\n# @title late\nprint(1)", ["hide-input"], "folded without a sentence"),
    ("# @title a helper\nprint(1)", [], "not folded"),
    ("# @title a helper\nprint(1)", ["hide-output"], "hides only its output"),
    ("# @title ✓ one is one\nassert 1 == 1", ["hide-input"], "folds whole"),
    ("# @title ✓ one is one\nprint('assert')", ["hide-cell"], "cannot fail"),
]


def complaints(source, tags, outputs=()):
    metadata = {"tags": tags} if tags else {}
    cell = new_code_cell(source, id="a", metadata=metadata, outputs=list(outputs))
    return list(fold_rules(cell))


@pytest.mark.parametrize(("source", "tags"), GOOD)
def test_a_good_fold_is_left_alone(source, tags):
    assert complaints(source, tags) == []


@pytest.mark.parametrize(("source", "tags", "message"), FAULTS)
def test_a_faulty_fold_is_named(source, tags, message):
    found = complaints(source, tags)
    assert any(message in what for what in found), found


def test_the_code_of_a_picture_has_one_title():
    [found] = complaints("# @title the ring\nplt.show()", ["hide-input"], [PNG])
    assert "code of this picture" in found
    assert complaints("# @title code of this picture\nplt.show()", ["hide-input"], [PNG]) == []
    assert complaints("# @title Solution 1.1\nplt.show()", ["hide-cell"], [PNG]) == []


def test_no_title_of_the_book_is_cut_in_jupyterlab():
    titles = [
        cell.source.split("\n", 1)[0]
        for path in notebooks(ROOT)
        for cell in read(path).cells
        if cell.cell_type == "code" and title(cell.source)
    ]
    assert len(titles) > 80
    assert max(map(len, titles)) <= TITLE_COLUMNS
