"""The paths explorer under a reader's hand: every control moves the picture."""

import pytest
import torch

from ddim_lib.widgets import paths
from ddim_lib.widgets.paths import most_eta
from tests.support.paths_page import library_walk, settled
from tests.support.step_page import opened

# --- the hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "key", "traits"),
    [
        ("η, the share", "ArrowRight", {"eta": 0.51}),
        ("η, the share", "PageDown", {"eta": 0.4}),
        ("η, the share", "Home", {"eta": 0.0}),
        ("η, the share", "End", {"eta": 1.4}),
        ("number of steps", "ArrowRight", {"steps": 53}),
        ("number of steps", "Home", {"steps": 1}),
        ("x_T, where", "End", {"start": 3}),
        ("x_T, where", "ArrowLeft", {"start": 0.25}),
        ("number of paths", "Home", {"count": 1}),
        ("number of paths", "PageDown", {"count": 123}),
        ("seed", "ArrowUp", {"seed": 1}),
        ("score wrong", "Space", {"spoilt": True}),
    ],
)
def test_keys_move_the_picture(browser, site, label, key, traits):
    with opened(browser, site, paths(eta=0.5, count=200)) as page:
        before = settled(page)
        page.get_by_label(label).press(key)
        if label == "seed":
            page.get_by_label(label).press("Enter")
        assert settled(page) != before
        assert {name: page.evaluate("(n) => model.get(n)", name) for name in traits} == traits


def test_the_thumb_stops_where_the_family_ends(browser, site):
    with opened(browser, site, paths(eta=1.0, steps=10)) as page:
        settled(page)
        slider = page.get_by_label("η, the share")
        slider.press("End")
        settled(page)
        assert float(slider.input_value()) == pytest.approx(most_eta(10), abs=1e-9)
        assert slider.get_attribute("aria-valuetext") == "η = 1.08, the most at 10 steps"
        page.get_by_label("number of steps").press("Home")
        settled(page)
        assert float(slider.input_value()) == 1.4


ORANGE = """() => {  // the mean row of the thick path near both ends of the paths
  const canvas = document.querySelector("canvas"), pen = canvas.getContext("2d");
  const strip = Math.max(56, 0.13 * canvas.width), right = Math.round(canvas.width - strip - 14);
  return [26, right - 2].map((column) => {
    const { data } = pen.getImageData(column, 0, 1, canvas.height), rows = [];
    for (let y = 0; y < canvas.height; y++) {
      const [r, g, b] = data.slice(4 * y);
      if (r > 190 && g < 130 && b < 60) rows.push(y);
    }
    return rows.reduce((sum, y) => sum + y, 0) / rows.length;
  });
}"""


@pytest.mark.parametrize("start", [1.5, -0.4])
def test_the_thick_path_runs_through_the_librarys_numbers(browser, site, start):
    end = library_walk(torch.tensor([start]).double(), torch.zeros(1, 1001).double(), 50, 0.0)[
        0, -1
    ]
    with opened(browser, site, paths(start=start), device_scale_factor=1) as page:
        settled(page)
        middle, half = (10 + 352 - 36) / 2, (352 - 36 - 10) / 2
        assert page.locator("canvas").bounding_box()["height"] == 352
        expected = [middle - half * v / 3.2 for v in (start, end.item())]
        assert page.evaluate(ORANGE) == pytest.approx(expected, abs=2)


STRIP = """() => {  // how far to the right bars stand, at rows of a few values
  const canvas = document.querySelector("canvas"), pen = canvas.getContext("2d");
  const strip = Math.max(56, 0.13 * canvas.width), left = Math.round(canvas.width - strip - 4);
  return [0.95, -0.05, -0.95].map((v) => {
    const { data } = pen.getImageData(left, Math.round(163 - (153 * v) / 3.2), strip, 1);
    let last = 0;
    for (let x = 0; x < strip; x++) if (data[4 * x + 3] > 120 && data[4 * x + 2] > 120) last = x;
    return last / strip;
  });
}"""


def test_bars_stand_where_the_paths_end(browser, site):
    with opened(browser, site, paths(steps=100), device_scale_factor=1) as page:
        settled(page)
        high, between, low = page.evaluate(STRIP)
        assert min(high, low) > 0.5
        assert between < 0.1
