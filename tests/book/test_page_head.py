"""The boxes of a page's prose and its cells are known by what they begin with or show."""

import importlib.util
from pathlib import Path

import pytest
from docutils import nodes

PATH = Path(__file__).resolve().parents[2] / "extensions" / "page_head.py"
spec = importlib.util.spec_from_file_location("page_head", PATH)
page_head = importlib.util.module_from_spec(spec)
spec.loader.exec_module(page_head)


@pytest.mark.parametrize(
    ("words", "formulas", "lines", "minutes"),
    [(200, 0, 0, 5), (4500, 20, 200, 45), (0, 0, 300, 15), (0, 45, 0, 30), (2000, 0, 0, 10)],
)
def test_minutes(words, formulas, lines, minutes):
    assert page_head.minutes(words, formulas, lines) == minutes


def quote(*parts):
    paragraph = nodes.paragraph("", "", *parts)
    return nodes.block_quote("", paragraph)


@pytest.mark.parametrize(
    ("bold", "kind"),
    [
        ("Trap.", "trap"),
        ("Question.", "question"),
        ("Try.", "try"),
        ("Side trip B.", "trip"),
        ("Afterwards", "promise"),
        ("Back", "back"),
        ("Traps", None),
        ("A note.", None),
    ],
)
def test_a_box_says_what_it_is(bold, kind):
    parts = (nodes.Text(""), nodes.strong("", bold), nodes.Text(" and more"))
    word = page_head.first_word(quote(*parts))
    assert page_head.BOXES.get(word) == kind


def test_a_quotation_is_no_box():
    assert page_head.first_word(quote(nodes.Text("Trap."))) == ""
    assert page_head.first_word(nodes.block_quote()) == ""


FORMULA = nodes.math_block("a", "a")
TEXT = nodes.literal_block("1", "1")


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ([], ""),
        ([FORMULA], "derivation"),
        ([nodes.container("", FORMULA.deepcopy()), FORMULA], "derivation"),
        ([TEXT], "experiment"),
        ([FORMULA, TEXT], "experiment"),
        ([nodes.image()], "experiment"),
    ],
)
def test_a_cell_is_known_by_what_it_shows(shown, kind):
    cell = nodes.container("", nodes.container(nb_element="cell_code_source"))
    if shown:
        parts = [part.deepcopy() for part in shown]
        cell += nodes.container("", *parts, nb_element="cell_code_output")
    assert page_head.cell_kind(cell) == kind
