"""The chain explorer: its arithmetic is `ddim_lib`'s, and every control moves the pictures."""

import base64
import io
import json
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import traitlets
from ipywidgets.embed import dependency_state, embed_data
from PIL import Image

from ddim_lib import ddim_coefficients
from ddim_lib.widgets import ChainExplorer, chain
from ddim_lib.widgets.chain import SCHEDULES
from tests.browser import chromium, served, watched
from tests.step_page import INKED, PHONE, line, numbers, opened, settled

WEB = Path(__file__).parent.parent / "web"
MOVES = [(1000, 999), (1000, 0), (1000, 1), (500, 400), (731, 3), (2, 1), (1, 0)]
LOAD = """async (source) => {
  const blob = new Blob([source], { type: "text/javascript" });
  window.step = await import(URL.createObjectURL(blob));
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def module(browser):
    page = browser.new_page()
    page.evaluate(LOAD, ChainExplorer._esm)
    return page


@pytest.fixture
def site(tmp_path):
    with served(tmp_path) as base:
        yield tmp_path, base


# --- the same numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(module, name):
    found = module.evaluate(
        "(name) => { const s = step.scheduleOf(name); return [[...s.alphaBar], [...s.betaBar]] }",
        name,
    )
    schedule = SCHEDULES[name]()
    for ours, theirs in zip((schedule.alpha_bar, schedule.beta_bar), found, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=0)


def test_the_approximations_are_those_meant():
    """Anchors from direct sums: neither the page nor the library had a hand in them."""
    power = np.cumprod(1 - 0.02 * np.arange(1, 1001) / 1000)
    sqrt, exp = (SCHEDULES[name]().alpha_bar for name in ("sqrt", "exp"))
    assert sqrt[1000].item() == pytest.approx(power[-1] ** 0.5, rel=1e-12)
    assert sqrt[1000].item() == pytest.approx(0.00648, abs=5e-6)
    assert exp[500].item() == pytest.approx(np.exp(-1.25), rel=1e-14)
    linear = SCHEDULES["linear"]().alpha_bar
    assert (exp / linear - 1)[[500, 1000]].tolist() == pytest.approx([0.022, 0.061], abs=1e-3)


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", SCHEDULES)
def test_steps(module, name, eta):
    found = module.evaluate(
        """([name, moves, eta]) => { const schedule = step.scheduleOf(name);
        return moves.map(([t, s]) => step.stepOf(schedule, t, s, eta)) }""",
        [name, MOVES, eta],
    )
    schedule = SCHEDULES[name]()
    for (t, s), theirs in zip(MOVES, found, strict=True):
        kappa, lambda_, sigma = ddim_coefficients(schedule, t, s, eta)
        a_t, b_t, a_s, b_s = schedule.at(t, s)
        alpha, beta = a_t / a_s, (1 - (a_t / a_s) ** 2) ** 0.5
        ours = {"alpha": alpha, "beta": beta, "kappa": kappa, "lambda": lambda_, "sigma": sigma}
        if s:  # from the joint distribution, where Cov(x_s, x_t | x_0) = β̄_t √(β̄_s² − σ²)
            ours["correlation"] = b_t * (b_s**2 - sigma**2) ** 0.5 / (b_s * b_t)
        assert {k: v for k, v in theirs.items() if v is not None} == pytest.approx(ours, abs=1e-9)


def test_correlation_of_neighbours_at_both_ends(module):
    for eta, expected in ((0.0, 1.0), (1.0, None)):
        schedule = SCHEDULES["linear"]()
        a_t, b_t, a_s, b_s = schedule.at(500, 400)
        expected = expected or (a_t / a_s) * b_s / b_t
        measure = "(eta) => step.stepOf(step.scheduleOf('linear'), 500, 400, eta).correlation"
        assert module.evaluate(measure, eta) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 3, 7, 10, 600, 1000])
def test_the_piece_that_contains_t(module, steps):
    times = [1, 2, 143, 300, 500, 501, 999, 1000]
    find = """([steps, times]) => { const schedule = step.scheduleOf("linear");
      return times.map((time) => {
        const { t, s } = step.pieceOf(schedule, steps, time);
        return [t, s];
      }) }"""
    found = module.evaluate(find, [steps, times])
    for t, (upper, lower) in zip(times, found, strict=True):
        assert lower < t <= upper
        assert tuple(chain(steps=steps, t=t).piece()) == (upper, lower)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (1, "1"), (0.59, "0.59"), (-0.5, "−0.50"), (0.0842, "0.084"), (0.99995, "0.99995"),
     (0.998, "0.998"), (1.2345, "1.23"), (0.00031, "0.00031"), (-0.0042, "−0.0042")],
)  # fmt: skip
def test_numbers_in_words(module, value, words):
    assert module.evaluate("(v) => step.short(v)", value) == words


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
    link = ipywidgets.jslink((slider, "value"), (explorer, "eta"))
    state = dependency_state([explorer, slider, link], drop_defaults=False)
    data = embed_data([explorer, slider], state=state)
    kinds = [("state", data["manager_state"]), *(("view", view) for view in data["view_specs"])]
    mime = "application/vnd.jupyter.widget-{}+json"
    parts = [f"<script type='{mime.format(k)}'>{json.dumps(v)}</script>" for k, v in kinds]
    (folder / "index.html").write_text(
        f"{parts[0]}<div>{''.join(parts[1:])}</div><script src=web/widgets.js></script>"
    )
    (folder / "web").symlink_to(WEB)
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


# --- Python -------------------------------------------------------------------------------------


def test_repr_names_the_setting():
    words = "ChainExplorer(schedule='cosine'; t = 400 → s = 300 of 10 steps, η = 0.25)"
    assert repr(chain("cosine", t=345, eta=0.25)) == words


def test_output_carries_a_picture_and_words():
    explorer = chain()
    forms, metadata = explorer._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} <= set(forms)
    with Image.open(io.BytesIO(base64.b64decode(forms["image/png"]))) as picture:
        assert picture.size == (720, 310)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20
    assert metadata["image/png"]["alt"] == explorer.alt != ""


def test_still_is_the_setting():
    assert chain().still() == chain().still()
    others = [chain("cosine"), chain(steps=5), chain(t=200), chain(eta=0.0), chain(steps=1, t=9)]
    assert len({explorer.still() for explorer in [chain(), *others]}) == 6


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"eta": 1.5}, ValueError, "need 0 <= eta <= 1, got eta=1.5"),
        ({"eta": float("nan")}, ValueError, "need 0 <= eta <= 1, got eta=nan"),
        ({"steps": 0}, ValueError, "need a whole number, 1 <= steps <= 1000, got steps=0"),
        ({"t": 1001}, ValueError, "need a whole number, 1 <= t <= 1000, got t=1001"),
        ({"schedule": "odd"}, traitlets.TraitError, "odd"),
    ],
)
def test_python_says_what_it_needs(call, error, message):
    with pytest.raises(error, match=message):
        chain(**call)


def test_traits_are_those_of_any_widget():
    seen, explorer = [], chain()
    explorer.observe(lambda change: seen.append((change.name, change.new)), ["eta", "t"])
    slider = ipywidgets.FloatSlider(min=0, max=1, value=1)
    ipywidgets.link((slider, "value"), (explorer, "eta"))
    slider.value = 0.25
    explorer.t = 7
    assert seen == [("eta", 0.25), ("t", 7)]
    link = ipywidgets.jslink((slider, "value"), (explorer, "eta"))
    assert link.target == (explorer, "eta")
    assert json.dumps(explorer.get_state(("schedule", "steps", "t", "eta")))


def test_one_module_without_imports():
    assert "import " not in "\n".join(
        row for row in ChainExplorer._esm.splitlines() if not row.lstrip().startswith("//")
    )
