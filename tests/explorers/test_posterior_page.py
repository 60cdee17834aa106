"""The posterior explorer under a reader's hand: a hand on every number."""

import numpy as np
import pytest

from ddim_lib.widgets import posterior
from tests.support.step_page import INKED, PHONE, line, numbers, opened, settled

# --- the hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "key", "traits"),
    [
        ("η, the share", "Home", {"eta": 0.0}),
        ("η, the share", "ArrowLeft", {"eta": 0.99}),
        ("time t", "ArrowRight", {"t": 400}),
        ("number of steps", "End", {"steps": 1000}),
        ("x_t, the noisy", "End", {"x_t": 3}),
        ("x_t, the noisy", "ArrowRight", {"x_t": 0.55}),
        ("x_0, the clean", "PageDown", {"x_0": 0.5}),
        ("x_0, the clean", "Home", {"x_0": -3}),
    ],
)
def test_keys_move_the_picture(browser, site, label, key, traits):
    with opened(browser, site, posterior()) as page:
        before = settled(page)
        page.get_by_label(label).press(key)
        assert settled(page) != before
        moved = posterior(**traits)
        assert page.evaluate("(names) => names.map((n) => model.get(n))", list(traits)) == [
            *traits.values()
        ]
        (t, s), (kappa, lambda_, sigma) = moved.piece(), moved.coefficients()
        shown = {"t": t, "s": s, "κ": kappa, "λ": lambda_, "σ": sigma}
        shown |= {"xₛ": kappa * moved.x_t + lambda_ * moved.x_0, "±": sigma}
        assert numbers(page) == pytest.approx(shown, abs=0.005001)


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize(
    "label", ["η, the share", "time t", "number of steps", "x_t, the noisy", "x_0, the clean"]
)
def test_the_pointer_moves_the_picture(browser, site, label, touch):
    with opened(browser, site, posterior(), has_touch=touch) as page:
        before = settled(page)
        box = page.get_by_label(label).bounding_box()
        x, y = box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2
        (page.touchscreen.tap if touch else page.mouse.click)(x, y)
        assert settled(page) != before


@pytest.mark.parametrize(("name", "lane"), [("x_t", 28), ("x_0", 320 - 28)])
def test_the_points_may_be_dragged(browser, site, name, lane):
    with opened(browser, site, posterior()) as page:
        before = settled(page)
        box = page.locator("canvas").bounding_box()
        assert box["height"] == 320
        place = lambda v: box["x"] + box["width"] * (v + 3.5) / 7
        start = page.evaluate("(name) => model.get(name)", name)
        page.mouse.move(place(start) + 5, box["y"] + lane + 5)
        page.mouse.down()
        page.mouse.move(place(-1.5), box["y"] + 160, steps=4)
        page.mouse.up()
        page.mouse.move(place(2), box["y"] + 160)
        assert settled(page) != before
        assert page.evaluate("(name) => model.get(name)", name) == pytest.approx(-1.5, abs=0.02)
        page.mouse.move(place(0), box["y"] + 160)  # nothing to hold here
        page.mouse.down()
        page.mouse.move(place(1), box["y"] + 160)
        page.mouse.up()
        assert page.evaluate("(name) => model.get(name)", name) == pytest.approx(-1.5, abs=0.02)
        page.mouse.move(place(-1.5), box["y"] + lane)
        page.mouse.down()
        page.mouse.move(0, box["y"] + lane)  # beyond the edge of the axis
        page.mouse.up()
        assert page.evaluate("(name) => model.get(name)", name) == -3


def test_bayes_product_stays_for_comparison(browser, site):
    with opened(browser, site, posterior()) as page:
        settled(page)
        note = page.get_by_text("Bayes' posterior, η = 1")
        assert not note.is_visible()
        page.get_by_label("η, the share").press("ArrowLeft")
        note.wait_for()


PURPLE = """(row) => {  // where the posterior's colour stands in a row of pixels
  const canvas = document.querySelector("canvas"), pen = canvas.getContext("2d");
  const { data } = pen.getImageData(0, row, canvas.width, 1), found = [];
  for (let x = 0; x < canvas.width; x++) {
    const [r, g, b, alpha] = data.slice(4 * x);
    if (alpha > 200 && r > g + 60 && b > g + 40) found.push(x);
  }
  return found;
}"""


@pytest.mark.parametrize(("x_0", "x_t"), [(1, 0.5), (-1.5, 0.5), (-1.5, -2)])
def test_the_spike_stands_at_the_mean(browser, site, x_0, x_t):
    explorer = posterior(x_0=x_0, x_t=x_t, eta=0.0)
    kappa, lambda_, _ = explorer.coefficients()
    with opened(browser, site, explorer, device_scale_factor=1) as page:
        settled(page)
        width = page.locator("canvas").bounding_box()["width"]
        found = page.evaluate(PURPLE, 110)
        assert 1 <= len(found) <= 9
        place = (kappa * x_t + lambda_ * x_0 + 3.5) / 7 * width
        assert np.mean(found) == pytest.approx(place, abs=2)


def test_one_step_ends_at_x_0(browser, site):
    with opened(browser, site, posterior(steps=1, x_0=0.7)) as page:
        settled(page)
        assert line(page) == "t = 1000 → s = 0 · κ 0 · λ 1 · σ 0 · xₛ = 0.70 ± 0"


# --- bad states and places ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"x_0": None}, "need -3 <= x_0 <= 3, got x_0=null"),
        ({"x_t": 4}, "need -3 <= x_t <= 3, got x_t=4"),
        ({"eta": -1}, "need 0 <= eta <= 1, got eta=-1"),
        ({"t": None}, "need a whole number, 1 <= t <= 1000, got t=null"),
        ({"steps": 0}, "need a whole number, 1 <= steps <= 1000, got steps=0"),
    ],
)
def test_a_broken_state_shows_a_sentence(browser, site, change, sentence):
    with opened(browser, site, posterior(), changes=change) as page:
        assert sentence in page.get_by_role("alert").inner_text()
        assert page.locator("canvas:visible").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(browser, site, scheme):
    with opened(browser, site, posterior(eta=0.5), **PHONE, color_scheme=scheme) as page:
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(INKED)[0] > 0.05
        for box in (e.bounding_box() for e in page.locator("input").all()):
            assert box["height"] >= 44


def test_a_narrow_column_holds_it(browser, site):
    with opened(browser, site, posterior(), viewport={"width": 340, "height": 800}) as page:
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 340


def test_the_theme_may_change(browser, site):
    with opened(browser, site, posterior(), color_scheme="light") as page:
        (light,) = settled(page)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(
            "(old) => document.querySelector('canvas').toDataURL() !== old", arg=light
        )


def test_every_control_has_a_name(browser, site):
    with opened(browser, site, posterior()) as page:
        settled(page)
        label = page.get_by_role("img").get_attribute("aria-label").replace("\xa0", " ")
        assert label == f"What x_0 = 1.00 and x_t = 0.50 say of x_s, η = 1.00: {line(page)}"
        for control in page.locator("input").all():
            assert control.get_attribute("aria-label")
            assert control.get_attribute("aria-valuetext")
