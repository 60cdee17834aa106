"""The network on a page of the built site: nothing until a reader asks, then the same digits."""

import numpy as np
import pytest

from ddim_lib.widgets.sheet import SHADE, tile_of
from tests.support.browser import pixels
from tests.support.built_site import LAB, PAGES, SITE, calm, explorers, open_explorer

WITH_DIGITS = [page for page in PAGES if any(state.get("digits") for state in explorers(page))]
COMPUTED = "document.querySelector('.ddim-grid').dataset.shown.startsWith('computed here')"


def test_pages_have_digits_for_the_network():
    assert len(WITH_DIGITS) >= 2


@pytest.mark.parametrize("page", WITH_DIGITS)
def test_the_page_computes_the_digits_that_are_stored(browser, base, page):
    state = explorers(page)[0]
    with calm(browser, base) as watch:
        explorer = open_explorer(watch, base + page)
        button = explorer.get_by_role("button", name="run the network here")
        button.wait_for()
        assert not watch.asked_for("_static/network/"), "a page loads it before it is asked"
        button.click()
        watch.page.wait_for_function(COMPUTED, timeout=120_000)
        row, column = (
            state[values].index(state[name])
            for values, name in (("etas", "eta"), ("step_counts", "steps"))
        )
        stored = tile_of(state["sheet"], row, column, state["tile"]).ravel()
        assert np.abs(np.array(pixels(watch.page)) - stored).max() <= SHADE / 2 + 1
        assert watch.problems() == []


def test_pages_without_such_an_explorer_know_of_no_network():
    for page in set(PAGES) - {p for p in PAGES if explorers(p)} - {LAB}:
        assert "ddim-network" not in (SITE / page).read_text(encoding="utf-8"), page
