"""The posterior explorer under a reader's hand: a hand on every number."""

import numpy as np
import pytest

from ddim_lib.widgets import posterior
from tests.support.step_page import line, numbers, opened, settled

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
