"""The chain explorer under a reader's hand: every control moves the pictures."""

import ipywidgets
import pytest

from ddim_lib.widgets import chain
from ddim_lib.widgets.chain import SCHEDULES
from tests.support.browser import watched
from tests.support.step_page import INKED, PHONE, line, numbers, opened, settled, write_linked

# --- the hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "key", "traits"),
    [
        ("time t", "ArrowRight", {"t": 600}),
        ("time t", "ArrowLeft", {"t": 400}),
        ("time t", "PageUp", {"t": 1000}),
        ("time t", "Home", {"t": 100}),
        ("number of steps", "ArrowRight", {"steps": 11}),
        ("number of steps", "Home", {"steps": 1}),
        ("number of steps", "End", {"steps": 1000}),
        ("η, the share", "PageDown", {"eta": 0.9}),
        ("η, the share", "Home", {"eta": 0.0}),
    ],
)
def test_keys_move_the_pictures(browser, site, label, key, traits):
    with opened(browser, site, chain()) as page:
        before = settled(page)
        page.get_by_label(label).press(key)
        after = settled(page)
        moved = chain(**traits)
        assert page.evaluate("(names) => names.map((n) => model.get(n))", list(traits)) == [
            *traits.values()
        ]
        (t, s), (kappa, lambda_, sigma) = moved.piece(), moved.coefficients()
        shown = {"t": t, "s": s, "κ": kappa, "λ": lambda_, "σ": sigma}
        assert {n: numbers(page)[n] for n in shown} == pytest.approx(shown, abs=0.005)
        assert line(page).endswith("xₛ is x₀") == (s == 0)
        if "η" in label:  # the curves do not know of η
            assert after[0] == before[0]
            assert after[1] != before[1]
        else:
            assert all(a != b for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize("label", ["time t", "number of steps", "η, the share"])
def test_the_pointer_moves_the_pictures(browser, site, label, touch):
    with opened(browser, site, chain(), has_touch=touch) as page:
        before = settled(page)
        box = page.get_by_label(label).bounding_box()
        x, y = box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2
        (page.touchscreen.tap if touch else page.mouse.click)(x, y)
        assert settled(page) != before


def test_every_schedule_has_its_own_curves(browser, site):
    with opened(browser, site, chain()) as page:
        pictures = [settled(page)[0]]
        for name in list(SCHEDULES)[1:]:
            page.get_by_label("schedule").first.select_option(name)
            pictures.append(settled(page)[0])
            assert page.evaluate("model.get('schedule')") == name
        assert len(set(pictures)) == len(pictures)


PIXELS = """(places) => {
  const pen = document.querySelector("canvas.curves").getContext("2d");
  return places.map(([x, y]) => [...pen.getImageData(Math.floor(x), Math.floor(y), 1, 1).data]);
}"""


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_curves_run_through_the_librarys_numbers(browser, site, name):
    schedule = SCHEDULES[name]()
    with opened(browser, site, chain(name, t=1000), device_scale_factor=1) as page:
        settled(page)
        box = page.locator("canvas.curves").bounding_box()
        left, right, top, bottom = 30, box["width"] - 12, 30, box["height"] - 46
        for values, colour in (
            (schedule.alpha_bar, (0, 114, 178)),
            (schedule.beta_bar, (213, 94, 0)),
        ):
            height = {t: bottom - (bottom - top) * values[t].item() for t in (150, 450, 800)}
            places = [[left + (right - left) * t / 1000, y] for t, y in height.items()]
            for pixel in page.evaluate(PIXELS, places):
                assert pixel == pytest.approx([*colour, 255], abs=70)


STRIPS = """() => {  // the pixels outside the square of the pairs: the two marginals
  const canvas = document.querySelector("canvas.pairs"), pen = canvas.getContext("2d");
  const { width, height } = canvas;
  const over = pen.getImageData(0, 0, width, 40).data;
  const beside = pen.getImageData(width - 42, 0, 42, height).data;
  return [over, beside].map((data) => data.join());
}"""


def test_eta_moves_the_cloud_and_leaves_the_marginals(browser, site):
    with opened(browser, site, chain(), device_scale_factor=1) as page:
        cloud, strips = settled(page)[1], page.evaluate(STRIPS)
        page.get_by_label("η, the share").press("Home")
        assert settled(page)[1] != cloud
        assert page.evaluate(STRIPS) == strips
        page.get_by_label("time t").press("Home")
        settled(page)
        assert page.evaluate(STRIPS) != strips


def test_the_thumb_stands_at_the_time_shown(browser, site):
    with opened(browser, site, chain(t=345, steps=10)) as page:
        settled(page)
        slider = page.get_by_label("time t")
        assert slider.input_value() == "400"
        assert slider.get_attribute("aria-valuetext") == "t = 400 → s = 300"
        page.evaluate("model.set('steps', 1)")
        settled(page)
        assert slider.input_value() == "1000"
        page.evaluate("model.set('steps', 10)")
        settled(page)
        assert (slider.input_value(), page.evaluate("model.get('t')")) == ("400", 345)


# --- bad states ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"eta": None}, "need 0 <= eta <= 1, got eta=null"),
        ({"eta": 1.5}, "need 0 <= eta <= 1, got eta=1.5"),
        ({"t": 0}, "need a whole number, 1 <= t <= 1000, got t=0"),
        ({"t": 2.5}, "need a whole number, 1 <= t <= 1000, got t=2.5"),
        ({"steps": 5000}, "need a whole number, 1 <= steps <= 1000, got steps=5000"),
        ({"schedule": "odd"}, "need schedule linear, cosine, sqrt, exp, got odd"),
        ({"schedule": "toString"}, "got toString"),
    ],
)
def test_a_broken_state_shows_a_sentence(browser, site, change, sentence):
    with opened(browser, site, chain(), changes=change) as page:
        assert sentence in page.get_by_role("alert").inner_text()
        assert page.locator("canvas:visible").count() == 0


def test_a_mended_state_goes_on(browser, site):
    with opened(browser, site, chain()) as page:
        before = settled(page)
        page.evaluate("model.set('eta', NaN)")
        assert "got eta=NaN" in page.get_by_role("alert").inner_text()
        page.evaluate("model.set('eta', 1)")
        page.get_by_role("alert").wait_for(state="hidden")
        assert settled(page) == before


# --- places -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(browser, site, scheme):
    with opened(browser, site, chain(), **PHONE, color_scheme=scheme) as page:
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert all(share > 0.05 for share in page.evaluate(INKED))
        for box in (e.bounding_box() for e in page.locator("input, select").all()):
            assert box["height"] >= 44


def test_a_narrow_column_holds_it(browser, site):
    with opened(browser, site, chain(), viewport={"width": 340, "height": 800}) as page:
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 340


def test_pixels_are_those_of_the_screen(browser, site):
    with opened(browser, site, chain(), device_scale_factor=3) as page:
        settled(page)
        sizes = "[...document.querySelectorAll('canvas')].map((c) => [c.width, c.clientWidth])"
        assert all(width == 3 * shown for width, shown in page.evaluate(sizes))


def test_the_theme_may_change(browser, site):
    with opened(browser, site, chain(), color_scheme="light") as page:
        light = settled(page)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(
            "(old) => document.querySelector('canvas').toDataURL() !== old", arg=light[0]
        )
        assert all(a != b for a, b in zip(settled(page), light, strict=True))


def test_a_linked_slider_moves_the_pictures(browser, site):
    """Jupyter's own controls drive it, as on a page of the book: nothing but stored state."""
    folder, base = site
    explorer, slider = chain(), ipywidgets.FloatSlider(value=1, min=0, max=1, step=0.5)
    write_linked(folder, explorer, slider)
    with watched(browser, base) as watch:
        watch.page.goto(base)
        watch.page.locator(".ddim canvas").first.wait_for()
        before = settled(watch.page)
        watch.page.locator(".noUi-handle").press("ArrowLeft")
        watch.page.locator(".ddim output", has_text="correlation\xa00.92").wait_for()
        assert settled(watch.page)[1] != before[1]
        assert not watch.external


def test_every_control_has_a_name(browser, site):
    with opened(browser, site, chain()) as page:
        settled(page)
        for picture in page.get_by_role("img").all():
            assert line(page) in picture.get_attribute("aria-label").replace("\xa0", " ")
        for control in page.locator("input, select").all():
            assert control.get_attribute("aria-label")
