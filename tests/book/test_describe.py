"""What a page says of itself in its head is how it begins, in plain letters."""

import importlib.util
from pathlib import Path

import pytest
from docutils import nodes
from docutils.utils import new_document

PATH = Path(__file__).resolve().parents[2] / "extensions" / "describe.py"
SECOND = "It is a longer sentence, and with it a page has said enough of itself."
SPEC = importlib.util.spec_from_file_location("describe", PATH)
describe = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(describe)


def page(*parts: nodes.Node) -> nodes.document:
    """A page with an aside before its first paragraph, which consists of the parts, and more."""
    document = new_document("page")
    aside = nodes.note("", nodes.paragraph("", "Not this."))
    first = nodes.paragraph("", "", *parts)
    document += nodes.section(
        "", nodes.title("", "Title"), aside, first, nodes.paragraph("", SECOND)
    )
    return document


def test_emphasis_and_lines_become_plain_words():
    words = page(nodes.Text("Of the\n"), nodes.emphasis("", "same"), nodes.Text(" noise."))
    assert describe.describe(words) == f"Of the same noise. {SECOND}"


@pytest.mark.parametrize(
    ("tex", "letters"),
    [("x_t", "xt"), (r"\bar\alpha_{t}", "ᾱt"), (r"\eta", "η"), (r"\frac{1}{2}", "")],
)
def test_a_formula_becomes_letters(tex, letters):
    formula = page(nodes.Text("See "), nodes.math(tex, tex), nodes.Text("!"))
    assert describe.describe(formula) == f"See {letters}! {SECOND}"


def test_what_is_long_ends_with_a_sentence_or_says_that_it_goes_on():
    sentences = "Seventy letters and more are a good sentence, says who counts them all. " * 4
    assert describe.shorten(sentences.strip()) == (sentences[:143])
    words = describe.shorten("so many words " * 30)
    assert words.endswith("many words so …") or words.endswith("words so many …")
    assert len(words) <= describe.LIMIT + 2


def test_a_paragraph_that_says_enough_is_all():
    assert describe.describe(page(nodes.Text(SECOND))) == SECOND


def test_a_page_without_a_paragraph_says_nothing():
    assert describe.describe(new_document("page")) == ""
