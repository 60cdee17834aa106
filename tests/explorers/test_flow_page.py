"""The flow explorer under a reader's hand: every control moves the picture, and nothing breaks."""

import pytest

from tests.support.browser import barriers
from tests.support.flow_page import PICTURE, STILL, inked, opened, settled
from tools.assets import state

# --- moving -------------------------------------------------------------------------------------


def test_it_moves_when_opened(browser, site):
    with opened(browser, site) as page:
        before = settled(page)
        page.wait_for_timeout(300)
        assert page.evaluate(PICTURE) != before
        page.get_by_role("button", name="pause").click()
        paused = settled(page)
        page.wait_for_timeout(300)
        assert page.evaluate(PICTURE) == paused
        page.get_by_role("button", name="play").click()
        page.wait_for_timeout(300)
        assert page.evaluate(PICTURE) != paused


def test_it_is_still_where_the_reader_prefers_that(browser, site):
    with opened(browser, site, **STILL) as page:
        before = settled(page)
        assert inked(page) > 0.1
        page.wait_for_timeout(300)
        assert page.evaluate(PICTURE) == before


def test_same_seed_same_picture(browser, site):
    pictures = []
    for _ in range(2):
        with opened(browser, site, {"eta": 0.5}, **STILL) as page:
            pictures.append(settled(page))
    assert pictures[0] == pictures[1]


def test_touching_a_knob_shows_where_the_flow_ends(browser, site):
    with opened(browser, site) as page:
        settled(page)
        page.get_by_label("η, the share").press("ArrowRight")
        settled(page, "20 steps · η = 0.01")
        assert page.get_by_role("button", name="play").is_visible()
        assert page.get_by_label("time, from").get_attribute("aria-valuetext") == (
            "step 20 of 20, t = 0"
        )


# --- controls -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "key", "shown"),
    [
        ("η, the share", "ArrowRight", "20 steps · η = 0.01"),
        ("η, the share", "PageUp", "20 steps · η = 0.10"),
        ("η, the share", "End", "20 steps · η = 1.00"),
        ("number of steps", "ArrowRight", "21 steps · η = 0.00"),
        ("number of steps", "ArrowLeft", "19 steps · η = 0.00"),
        ("number of steps", "Home", "1 step · η = 0.00"),
        ("time, from", "ArrowLeft", "20 steps · η = 0.00"),
    ],
)
def test_keys_move_the_picture(browser, site, label, key, shown):
    with opened(browser, site, **STILL) as page:
        before = settled(page)
        page.get_by_label(label).press(key)
        assert settled(page, shown) != before
        assert page.locator("output").inner_text().startswith(shown)
        assert "distance to the data 0." in page.locator("output").inner_text()


def test_what_is_behind_more(browser, site):
    with opened(browser, site, {"eta": 0.5}, **STILL) as page:
        pictures = [settled(page)]
        page.get_by_text("more", exact=True).click()
        page.get_by_label("spacing of the times").select_option("quadratic")
        pictures.append(settled(page))
        page.get_by_label("seed of the noise").fill("7")
        page.get_by_label("seed of the noise").press("Enter")
        pictures.append(settled(page))
        page.get_by_label("σ̂").check()
        pictures.append(settled(page, "20 steps · σ̂"))
        for name in list(state()["mixtures"])[1:]:
            page.get_by_label("data set").select_option(name)
            pictures.append(settled(page))
        assert len(set(pictures)) == len(pictures)
        page.get_by_label("η, the share").press("ArrowLeft")  # η speaks again
        settled(page, "20 steps · η = 0.49")


def test_traits_move_the_picture_and_controls(browser, site):
    with opened(browser, site, **STILL) as page:
        before = settled(page)
        page.evaluate("model.set('eta', 0.35); model.set('steps', 100)")
        assert settled(page, "100 steps · η = 0.35") != before
        assert float(page.get_by_label("η, the share").input_value()) == 0.35
        assert float(page.get_by_label("number of steps").input_value()) == pytest.approx(2)
        page.get_by_label("η, the share").press("ArrowRight")
        assert page.evaluate("model.get('eta')") == 0.36


# --- places -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_in_any_state(browser, site, scheme):
    with opened(browser, site, **STILL, color_scheme=scheme) as page:
        settled(page)
        assert barriers(page) == []
        assert page.get_by_label("seed of the noise").is_visible()
        page.evaluate("model.set('eta', 2)")
        assert page.get_by_role("alert").is_visible()
        assert barriers(page) == []
