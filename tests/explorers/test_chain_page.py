"""The chain explorer under a reader's hand: every control moves the pictures."""

import pytest

from ddim_lib.widgets import chain
from ddim_lib.widgets.chain import SCHEDULES
from tests.support.step_page import line, numbers, opened, settled

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


# --- places -------------------------------------------------------------------------------------


def test_pixels_are_those_of_the_screen(browser, site):
    with opened(browser, site, chain(), device_scale_factor=3) as page:
        settled(page)
        sizes = "[...document.querySelectorAll('canvas')].map((c) => [c.width, c.clientWidth])"
        assert all(width == 3 * shown for width, shown in page.evaluate(sizes))
