"""The paths explorer under a reader's hand: every control moves the picture."""

import ipywidgets
import pytest
import torch

from ddim_lib.widgets import paths
from ddim_lib.widgets.paths import most_eta
from tests.support.browser import barriers, watched
from tests.support.paths_page import library_walk, settled
from tests.support.step_page import INKED, PHONE, line, opened, write_linked

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


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize(
    "label", ["η, the share", "number of steps", "x_T, where", "number of paths", "score wrong"]
)
def test_the_pointer_moves_the_picture(browser, site, label, touch):
    with opened(browser, site, paths(eta=0.5, count=200), has_touch=touch) as page:
        before = settled(page)
        box = page.get_by_label(label).bounding_box()
        x, y = box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2
        (page.touchscreen.tap if touch else page.mouse.click)(x, y)
        assert settled(page) != before


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


# --- bad states ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"eta": None}, "need 0 <= eta <= 1.4, got eta=null"),
        ({"eta": 1.5}, "need 0 <= eta <= 1.4, got eta=1.5"),
        ({"steps": 5000}, "need a whole number, 1 <= steps <= 1000, got steps=5000"),
        ({"count": 0}, "need a whole number, 1 <= count <= 1000, got count=0"),
        ({"seed": -1}, "need a whole number, 0 <= seed <= 4294967295, got seed=-1"),
        ({"start": 4}, "need -3 <= start <= 3, got start=4"),
        ({"spoilt": "no"}, "need spoilt true or false, got no"),
    ],
)
def test_a_broken_state_shows_a_sentence(browser, site, change, sentence):
    with opened(browser, site, paths(), changes=change) as page:
        assert sentence in page.get_by_role("alert").inner_text()
        assert page.locator("canvas:visible").count() == 0


def test_a_mended_state_goes_on(browser, site):
    with opened(browser, site, paths(eta=1.0)) as page:
        before = settled(page)
        page.evaluate("model.set('seed', NaN)")
        assert "got seed=NaN" in page.get_by_role("alert").inner_text()
        page.evaluate("model.set('seed', 0)")
        page.get_by_role("alert").wait_for(state="hidden")
        assert settled(page) == before


# --- places -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(browser, site, scheme):
    with opened(browser, site, paths(), **PHONE, color_scheme=scheme) as page:
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate(INKED)[0] > 0.3
        for box in (e.bounding_box() for e in page.locator("input:not([type=checkbox])").all()):
            assert box["height"] >= 44
        assert page.locator("label:has([type=checkbox])").bounding_box()["height"] >= 44
        assert barriers(page) == []


def test_a_narrow_column_holds_it(browser, site):
    with opened(browser, site, paths(), viewport={"width": 340, "height": 800}) as page:
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 340


def test_the_theme_may_change(browser, site):
    with opened(browser, site, paths(), color_scheme="light") as page:
        light = settled(page)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(
            "(old) => document.querySelector('canvas').toDataURL() !== old", arg=light
        )


def test_nothing_moves_by_itself(browser, site):
    with opened(browser, site, paths(eta=0.7)) as page:
        before = settled(page)
        page.wait_for_timeout(400)
        assert settled(page) == before


def test_a_linked_slider_moves_the_picture(browser, site):
    """Jupyter's own controls drive it, as on a page of the book: nothing but stored state."""
    folder, base = site
    explorer, slider = paths(eta=1.0), ipywidgets.FloatSlider(value=1, min=0, max=1, step=0.5)
    write_linked(folder, explorer, slider)
    with watched(browser, base) as watch:
        watch.page.goto(base)
        watch.page.locator(".ddim output", has_text="η\xa0=\xa01.00").wait_for()
        for _ in range(2):
            watch.page.locator(".noUi-handle").press("ArrowLeft")
        watch.page.locator(".ddim output", has_text="0\xa0%\xa0change\xa0sides").wait_for()
        assert line(watch.page).startswith("50 steps · η = 0.00 · W1")
        assert not watch.external


def test_every_control_has_a_name(browser, site):
    with opened(browser, site, paths()) as page:
        settled(page)
        label = page.get_by_role("img").get_attribute("aria-label").replace("\xa0", " ")
        assert label.startswith("500 paths from noise to data, yours from 0.30 to ")
        assert label.endswith(f": {line(page)}")
        for control in page.locator("input[type=range]").all():
            assert control.get_attribute("aria-label")
            assert control.get_attribute("aria-valuetext")
        assert page.get_by_role("checkbox", name="score wrong at t = 400 … 800").count() == 1
        assert page.get_by_role("spinbutton", name="seed of the noise").count() == 1
