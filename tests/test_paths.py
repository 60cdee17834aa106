"""The paths explorer: its walks are `ddim_lib`'s on the same noise; every control moves it."""

import base64
import io
import json
import statistics
from bisect import bisect
from itertools import pairwise
from math import sqrt
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import torch
from ipywidgets.embed import dependency_state, embed_data
from PIL import Image

from ddim_lib import GaussianMixture, Schedule, ddim_coefficients, ddim_step
from ddim_lib.data import two_spikes
from ddim_lib.widgets import PathsExplorer, paths
from ddim_lib.widgets.paths import most_eta
from tests.browser import barriers, chromium, served, watched
from tests.step_page import INKED, PHONE, line, opened
from tests.step_page import settled as painted

WEB = Path(__file__).parent.parent / "web"
LINEAR = Schedule.linear()
HEAPS = GaussianMixture(*two_spikes())
LOAD = """async (source) => {
  const blob = new Blob([source], { type: "text/javascript" });
  window.lib = await import(URL.createObjectURL(blob));
}"""
WALKS = """([setting, seed, count]) => {
  const paths = new lib.Paths({ schedule: lib.linearSchedule(), ...setting });
  const chance = new lib.Wiener(seed, count);
  return JSON.stringify(Array.from({ length: count }, (_, i) => {
    const { start, row } = chance.of(i);
    return { start, row: [...row], walk: [...paths.from(start, row)] };
  }));
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def module(browser):
    page = browser.new_page()
    page.evaluate(LOAD, PathsExplorer._esm)
    return page


@pytest.fixture
def site(tmp_path):
    with served(tmp_path) as base:
        yield tmp_path, base


def settled(page):
    """Wait until all paths have walked, and return the picture."""
    page.wait_for_function("document.querySelector('.ddim').dataset.done == model.get('count')")
    (picture,) = painted(page)
    return picture


def page_walks(module, steps, eta, spoilt=False, seed=0, count=6):
    """Starts (n,), Wiener processes (n, 1001) and all positions (n, S+1), by the page's module."""
    setting = {"steps": steps, "eta": eta, "spoilt": spoilt}
    found = json.loads(module.evaluate(WALKS, [setting, seed, count]))
    return (
        torch.tensor([one[name] for one in found], dtype=torch.float64)
        for name in ("start", "row", "walk")
    )


def library_walk(start, row, steps, eta, spoilt=False):
    """All positions, (n, S+1), by the library's step; a long step's kick: the sum of short ones."""
    fine = row.diff(dim=1)
    x, taken, found = start[:, None], 0, [start]
    for t, s in pairwise(LINEAR.times(steps)):
        kick = fine[:, taken : taken + t - s].sum(1, keepdim=True) / sqrt(t - s)
        taken += t - s
        eps_hat = HEAPS.eps(LINEAR, x, t)
        if spoilt and 400 <= t <= 800:
            eps_hat = eps_hat + 0.3 * torch.sin(4 * x)
        x = ddim_step(LINEAR, x, eps_hat, t, s, eta, kick)
        found.append(x[:, 0])
    return torch.stack(found, dim=1)


# --- the same numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("spoilt", [False, True])
@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0, "most"])
@pytest.mark.parametrize("steps", [1, 2, 7, 20, 130, 1000])
def test_walks_are_the_librarys(module, steps, eta, spoilt):
    eta = most_eta(steps) if eta == "most" else eta
    start, row, walk = page_walks(module, steps, eta, spoilt)
    expected = library_walk(start, row, steps, eta, spoilt)
    assert walk.shape == (6, steps + 1)
    assert (walk - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("t", [0, 1, 50, 400, 1000])
def test_density_and_score(module, t):
    x = torch.linspace(-3, 3, 25, dtype=torch.float64)
    found = module.evaluate(
        """([xs, t]) => { const s = lib.linearSchedule();
        return xs.map((x) => [lib.densityAt(s, x, t), lib.scoreAt(s, x, t)]) }""",
        [x.tolist(), t],
    )
    expected = HEAPS.log_prob(LINEAR, x[:, None], t).exp(), HEAPS.score(LINEAR, x[:, None], t)[:, 0]
    np.testing.assert_allclose(np.array(found).T, torch.stack(expected), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 50, 200, 600, 999, 1000])
def test_the_most_eta_is_the_familys(module, steps):
    most = most_eta(steps)
    found = module.evaluate("(steps) => lib.mostEta(lib.linearSchedule(), steps)", steps)
    assert found == pytest.approx(most, rel=1e-9)
    assert 1 < most <= 1.4
    moves = list(pairwise(LINEAR.times(steps)))
    for t, s in moves:
        ddim_coefficients(LINEAR, t, s, most)
    if most < 1.4:
        with pytest.raises(ValueError, match="need sigma"):
            [ddim_coefficients(LINEAR, t, s, most * (1 + 1e-6)) for t, s in moves]
    else:
        assert steps in (1, 600)


def test_kicks_are_standard_normal_and_independent(module):
    start, row, _ = page_walks(module, 1, 0.0, count=300)
    kicks = row.diff(dim=1)
    assert (row[:, 0] == 0).all()
    assert abs(start.mean()) < 0.2
    assert abs(start.std() - 1) < 0.15
    assert abs(kicks.mean()) < 0.01
    assert abs(kicks.std() - 1) < 0.01
    assert abs(kicks.pow(4).mean() - 3) < 0.1
    for far in (1, 2, 3):
        assert abs((kicks[:, far:] * kicks[:, :-far]).mean()) < 0.01
    assert abs((kicks[1:] * kicks[:-1]).mean()) < 0.01
    assert abs(row[:, -1].var() / 1000 - 1) < 0.3  # w at the end


def test_a_path_is_the_same_one_at_more_steps(module):
    """Strong convergence: the Wiener process belongs to the path, not to its steps."""
    ends = [page_walks(module, S, 1.0, count=60) for S in (1000, 500, 250, 50)]
    fine, *coarse = [walk[:, -1] for _, _, walk in ends]
    gaps = [(fine - end).abs().median().item() for end in coarse]
    assert gaps[0] < gaps[1] < gaps[2] < 0.2
    assert gaps[0] < 0.02
    assert (fine - fine.roll(1)).abs().median() > 0.2


def exact_quantiles(count):
    """Quantiles of the two heaps, by bisection of their distribution function."""
    bells = [statistics.NormalDist(m, 0.15) for m in (-1, 1)]
    grid = np.linspace(-2.5, 2.5, 200_001)
    below = [sum(b.cdf(x) for b in bells) / 2 for x in grid]
    return np.array([grid[bisect(below, (i + 0.5) / count)] for i in range(count)])


def test_distance_is_the_gap_to_the_datas_quantiles(module):
    quantiles = exact_quantiles(200)
    found = module.evaluate(
        "(n) => Array.from({ length: n }, (_, i) => lib.quantile((i + 0.5) / n))", 200
    )
    np.testing.assert_allclose(found, quantiles, atol=1e-4)
    ends = HEAPS.sample(200, torch.Generator().manual_seed(0))[:, 0] + 0.1
    expected = np.abs(np.sort(ends) - quantiles).mean()
    assert module.evaluate("(x) => lib.apart(x)", ends.tolist()) == pytest.approx(
        expected, abs=1e-4
    )


@pytest.mark.parametrize("count", [1, 30, 500])
def test_the_floor_is_that_of_fresh_draws(module, count):
    draws = [HEAPS.sample(count, torch.Generator().manual_seed(k))[:, 0] for k in range(300)]
    quantiles = exact_quantiles(count)
    gaps = torch.tensor([np.abs(np.sort(d) - quantiles).mean() for d in draws])
    spread = gaps.std() / sqrt(40)
    found = module.evaluate("(n) => lib.floorOf(n)", count)
    assert abs(found - gaps.mean()) < 4 * spread + 1e-6


# --- the words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("eta", "steps"), [(0.0, 50), (1.0, 8), (1.4, 10)])
def test_the_line_tells_what_the_paths_did(browser, site, module, eta, steps):
    used = min(eta, most_eta(steps))
    start, row, _ = page_walks(module, steps, used, seed=3, count=60)
    ends = library_walk(start, row, steps, used)[:, -1]
    gap = np.abs(np.sort(ends) - exact_quantiles(60)).mean()
    with opened(browser, site, paths(eta, steps, count=60, seed=3)) as page:
        settled(page)
        words, dose, distance, sides = line(page).split(" · ")
        floor = module.evaluate("(n) => lib.floorOf(n)", 60)
        assert words == f"{steps} steps"
        assert dose == f"η = {used:.2f}" + (" (the most)" if used < eta else "")
        assert distance == f"W1 to the data {gap:.3f} (floor {floor:.3f})"
        assert sides == f"{100 * (start * ends < 0).double().mean():.0f} % change sides"
        assert (sides == "0 % change sides") == (eta == 0)


def test_the_path_drawn_thick_starts_where_it_is_told(browser, site):
    with opened(browser, site, paths(start=-0.05)) as page:
        settled(page)
        label = "document.querySelector('canvas').getAttribute('aria-label')"
        left = page.evaluate(label)
        assert "yours from −0.05 to −" in left
        page.get_by_label("x_T, where your path").press("PageUp")
        settled(page)
        assert "yours from 0.45 to " in page.evaluate(label)
        assert "to −" not in page.evaluate(label)


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


# --- Python -------------------------------------------------------------------------------------


def test_repr_names_the_setting():
    words = "PathsExplorer(300 paths; 10 steps, η = 1.08, score spoilt)"
    assert repr(paths(1.4, 10, count=300, spoilt=True)) == words
    assert repr(paths(steps=1)) == "PathsExplorer(500 paths; 1 step, η = 0.00)"


def test_output_carries_a_picture_and_words():
    explorer = paths()
    forms, metadata = explorer._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} <= set(forms)
    with Image.open(io.BytesIO(base64.b64decode(forms["image/png"]))) as picture:
        assert picture.size == (720, 320)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20
    assert metadata["image/png"]["alt"] == explorer.alt != ""


def test_still_is_the_setting():
    assert paths(count=90).still() == paths(count=90).still()
    others = [{"eta": 0.5}, {"steps": 20}, {"start": -1.0}, {"seed": 1}, {"spoilt": True}]
    assert len({paths(**{"count": 90, **other}).still() for other in [{}, *others]}) == 6
    assert paths(eta=1.4, steps=10, count=90).still()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"eta": 1.5}, "need 0 <= eta <= 1.4, got eta=1.5"),
        ({"eta": float("nan")}, "need 0 <= eta <= 1.4, got eta=nan"),
        ({"steps": 0}, "need a whole number, 1 <= steps <= 1000, got steps=0"),
        ({"count": 1001}, "need a whole number, 1 <= count <= 1000, got count=1001"),
        ({"start": -4}, "need -3 <= start <= 3, got start=-4"),
        ({"seed": -1}, "need a whole number, 0 <= seed <= 4294967295, got seed=-1"),
    ],
)
def test_python_says_what_it_needs(call, message):
    with pytest.raises(ValueError, match=message):
        paths(**call)


def test_traits_are_those_of_any_widget():
    seen, explorer = [], paths()
    explorer.observe(lambda change: seen.append((change.name, change.new)), ["eta", "steps"])
    slider = ipywidgets.FloatSlider(min=0, max=1, value=0)
    ipywidgets.link((slider, "value"), (explorer, "eta"))
    slider.value = 0.25
    explorer.steps = 7
    assert seen == [("eta", 0.25), ("steps", 7)]
    link = ipywidgets.jslink((slider, "value"), (explorer, "eta"))
    assert link.target == (explorer, "eta")
    assert json.dumps(explorer.get_state(("eta", "steps", "start", "count", "seed", "spoilt")))


def test_one_module_without_imports():
    assert "import " not in "\n".join(
        row for row in PathsExplorer._esm.splitlines() if not row.lstrip().startswith("//")
    )
