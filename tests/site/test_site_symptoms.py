"""Who searches the site for a symptom, in its own words, finds its entry."""

import re
from urllib.parse import quote

import nbformat
import pytest

from tests.support.built_site import ROOT

PAGE = "at_hand_symptoms"
NOTEBOOK = nbformat.read(ROOT / "chapters" / f"{PAGE}.ipynb", as_version=4)
HEADINGS = re.findall(
    r"^### \d+ · (.*)$", "\n".join(cell.source for cell in NOTEBOOK.cells), re.MULTILINE
)
OTHER_WORDS = [  # as people say it
    "index 1000 is out of bounds",
    "η does nothing",
    "eta has no effect",
    "color drift",
    "gray pictures",
    "residual noise last step",
    "black pictures half precision NaN",
    "pictures too dark",
    "inversion",
]


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


def found(page, base, words: str) -> list[str]:
    """Return where the results of a search lead, the best first."""
    page.goto(f"{base}search.html?q={quote(words)}")
    page.get_by_text("Search finished").wait_for()
    links = page.locator("ul.search li > a").evaluate_all("all => all.map(a => a.href)")
    return [link.rsplit("/", 1)[-1] for link in links]


def test_there_are_at_least_fifteen_symptoms():
    assert len(HEADINGS) >= 15


@pytest.mark.parametrize("heading", HEADINGS)
def test_a_heading_is_found_first(page, base, heading):
    best = found(page, base, heading)[0]
    assert re.fullmatch(rf"{PAGE}\.html(\?.*)?#.+", best)


@pytest.mark.parametrize("words", OTHER_WORDS)
def test_other_words_find_the_page(page, base, words):
    assert any(link.startswith(f"{PAGE}.html") for link in found(page, base, words)[:5])
