"""A chapter on paper: light whatever the screen is, its answers and solutions open."""

from itertools import product

import pytest

from tests.support.built_site import PAGES, calm

CHAPTERS = [page for page in PAGES if page.startswith("chapters/")]
RECORD = """() => addEventListener("beforeprint", () => {
  const FOLDS = ".bd-article details:not(.ddim *)";
  const look = (name) => getComputedStyle(document.querySelector(name));
  const light = (css) => {
    const [r, g, b] = css.match(/[\\d.]+/g).map(Number);
    return 0.3 * r + 0.59 * g + 0.11 * b;
  };
  window.printed = {
    theme: document.documentElement.dataset.theme,
    paper: light(look("body").backgroundColor),
    inks: ["article h1", "article p", "article pre", "article pre .k, article pre .kn"].map(
      (name) => light(look(name).color),
    ),
    shut: [...document.querySelectorAll(FOLDS)]
      .filter((fold) => !fold.open)
      .map((fold) => fold.className || "prose"),
    open: [...document.querySelectorAll(FOLDS)]
      .filter((fold) => fold.open)
      .map((fold) => fold.className || "prose"),
  };
})"""
SCREEN = """() => [
  document.documentElement.dataset.theme,
  [...document.querySelectorAll("details:not(.ddim *)")].map((fold) => fold.open),
]"""


@pytest.fixture
def printed(browser, base):
    """A function that prints a page from a light or a dark screen and tells what was on paper."""

    def print_page(name: str, scheme: str) -> dict:
        with calm(browser, base, color_scheme=scheme) as watch:
            watch.page.goto(base + name)
            watch.page.wait_for_load_state("networkidle")
            watch.page.evaluate(RECORD)
            screen = watch.page.evaluate(SCREEN)
            assert screen[0] == scheme
            watch.page.pdf()
            assert watch.page.evaluate(SCREEN) == screen, "the screen is as it was"
            return watch.page.evaluate("printed")

    return print_page


@pytest.mark.parametrize(("name", "scheme"), [*product(CHAPTERS, ["dark"]), (CHAPTERS[0], "light")])
def test_a_chapter_on_paper(name, scheme, printed):
    paper = printed(name, scheme)
    assert paper["theme"] == "light"
    assert paper["paper"] == pytest.approx(255)
    assert max(paper["inks"]) < 120
    assert paper["open"] or "at_hand" in name  # not all of those fold prose
    kinds = {"code", "check", "hide"}  # MyST folds the cells that have no sentence of their own
    assert all(kinds & set(fold.split()) for fold in paper["shut"])
    assert not any(kinds & set(fold.split()) for fold in paper["open"])


def test_paper_is_light_where_the_reader_chose_the_dark(browser, base):
    with calm(browser, base) as watch:
        watch.page.goto(base + CHAPTERS[0])
        watch.page.evaluate(
            "localStorage.setItem('mode', 'dark'), localStorage.setItem('theme', 'dark')"
        )
        watch.page.reload()
        watch.page.evaluate(RECORD)
        watch.page.pdf()
        assert watch.page.evaluate("printed.theme") == "light"
        assert watch.page.evaluate("document.documentElement.dataset.theme") == "dark"
