"""The flow explorer under a reader's hand: every control moves the picture, and nothing breaks."""

import json
import re
import statistics
from contextlib import contextmanager

import pytest

from ddim_lib.widgets.flow import PARTS, STYLES, FlowExplorer
from tests.browser import barriers, chromium, served, watched
from tools.make_landing import FOLDER as LANDING
from tools.make_landing import state

STILL = {"reduced_motion": "reduce"}
PICTURE = "document.querySelector('.ddim-flow canvas').toDataURL()"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def site(tmp_path):
    with served(tmp_path) as base:
        yield tmp_path, base


def write(folder, **changes):
    """A page with the explorer alone, made of the files that the landing page is made of."""
    opening = json.dumps({**state(), "steps": 20, **changes})
    flow, css = FlowExplorer._esm, FlowExplorer._css
    landing = (LANDING / "landing.js").read_text(encoding="utf-8")
    (folder / "index.html").write_text(
        f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>flow</title>
        <meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
        <style>@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #ddd }} }}
        {css}</style><div id="flow"></div>
        <script type="application/json" id="flow-state">{opening}</script>
        <script type="module">{flow}\n{landing}
        Object.assign(window, {{ model, Picture }});</script>""",
        encoding="utf-8",
    )


@contextmanager
def opened(browser, site, changes=None, **options):
    folder, base = site
    write(folder, **(changes or {}))
    with watched(browser, base, **options) as watch:
        watch.page.goto(base + "index.html")
        yield watch.page
        assert watch.problems() == []


def settled(page, shown=None):
    """Wait until all points have walked (with the setting given), and return the picture."""
    page.wait_for_function(
        """(shown) => { const { points, shown: is } = document.querySelector(".ddim-flow").dataset;
        return Number(points) === model.get("points") && (!shown || is === shown) }""",
        arg=shown,
    )
    page.evaluate("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
    return page.evaluate(PICTURE)


def inked(page):
    """Share of the canvas that is not empty."""
    return page.evaluate(
        """() => { const canvas = document.querySelector(".ddim-flow canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let inked = 0;
        for (let i = 3; i < data.length; i += 4) inked += data[i] > 0;
        return 4 * inked / data.length }"""
    )


def test_the_landing_page_has_every_part():
    page = (LANDING.parent.parent / "intro.md").read_text(encoding="utf-8")
    held = re.findall(r"^:file: ddim_lib/widgets/(.*)$", page, re.M)
    assert held == [*STYLES, *PARTS]


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


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize("label", ["η, the share", "number of steps", "time, from"])
def test_the_pointer_moves_the_picture(browser, site, label, touch):
    with opened(browser, site, **STILL, has_touch=touch) as page:
        before = settled(page)
        box = page.get_by_label(label).bounding_box()
        x, y = box["x"] + 0.4 * box["width"], box["y"] + box["height"] / 2
        (page.touchscreen.tap if touch else page.mouse.click)(x, y)
        assert settled(page) != before


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


# --- the equation of η = 0 ----------------------------------------------------------------------

RIDING = {"data": "moons", "steps": 5, "spacing": "log-snr", "exact_path": True}


def compared(page, shown=None):
    """Wait until the exact paths are there too, and return the picture."""
    settled(page, shown)
    page.wait_for_function(
        "Number(document.querySelector('.ddim-flow').dataset.exact) === model.get('points')"
    )
    return settled(page, shown)


def gap(page):
    """The median distance from the exact ends, as the words have it."""
    line = page.locator("output").inner_text()
    return float(re.search(r"· ([\d.]+) from the exact ends \(median\)$", line)[1])


def test_solvers_walk_in_words_and_picture(browser, site):
    with opened(browser, site, RIDING, **STILL) as page:
        pictures = [compared(page, "5 steps · η = 0.00")]
        assert " · 5 calls · " in page.locator("output").inner_text()
        gaps = {"ddim": gap(page)}
        asked = {"heun": "Heun · 9", "dpmpp2m": "2M · 5", "rk4": "RK4 · 17"}
        for solver, words in asked.items():
            page.get_by_label("solver of the equation").select_option(solver)
            pictures.append(compared(page, f"5 steps of {words} calls"))
            gaps[solver] = gap(page)
            assert "η is out of play" in page.locator(".hint").inner_text()
        assert len(set(pictures)) == len(pictures)
        assert gaps["dpmpp2m"] < gaps["rk4"] < gaps["ddim"] < gaps["heun"]
        page.get_by_label("η, the share").press("PageUp")  # η speaks again
        settled(page, "5 steps · η = 0.10")
        assert page.locator(".hint").inner_text() == ""
        assert gap(page) > gaps["ddim"]


def test_exact_paths_come_and_go(browser, site):
    with opened(browser, site, RIDING, **STILL) as page:
        beside = compared(page)
        label = page.get_by_role("img").get_attribute("aria-label")
        assert label.endswith("beside their exact paths")
        page.get_by_label("exact paths", exact=True).uncheck()
        assert settled(page) != beside
        assert "exact" not in page.locator("output").inner_text()
        page.get_by_label("exact paths", exact=True).check()
        assert compared(page) == beside


def test_both_clouds_are_shown_at_the_same_time(browser, site):
    with opened(browser, site, {**RIDING, "steps": 200}, **STILL) as page:
        compared(page)
        page.evaluate(
            """() => { const place = Picture.prototype.beside; window.apart = [];
            Picture.prototype.beside = function (exact, walk, moment, pairs) {
              for (let i = 0; i < pairs; i++) {
                const [x, y] = this.place(exact.paths.paths, exact.moment, i);
                const [u, v] = this.place(walk.paths, moment, i);
                apart.push(Math.hypot(x - u, y - v) / this.view.scale);
              }
              return place.call(this, exact, walk, moment, pairs);
            } }"""
        )
        for key in ["Home"] + ["PageUp"] * 10:
            page.get_by_label("time, from").press(key)
            settled(page)
        apart = page.evaluate("apart")
        assert len(apart) >= 160
        assert statistics.median(apart) < 0.02  # many steps: DDIM keeps to the path all the way


def test_the_landing_page_keeps_solvers_behind_more(browser, site):
    with opened(browser, site, **STILL) as page:
        settled(page)
        assert not page.get_by_label("solver of the equation").is_visible()
        page.get_by_text("more", exact=True).click()
        page.get_by_label("exact paths", exact=True).check()
        compared(page)
        page.get_by_label("solver of the equation").select_option("heun")
        settled(page, "20 steps of Heun · 39 calls")
        page.get_by_label("σ̂").check()
        settled(page, "20 steps · σ̂")


def test_a_state_from_before_there_were_solvers(browser, site):
    with opened(browser, site, {"solver": None, "exact_path": None}, **STILL) as page:
        settled(page, "20 steps · η = 0.00")
        assert page.get_by_role("alert").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_comparing_on_a_phone(browser, site, scheme):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    changes = {**RIDING, "solver": "dpmpp2m"}
    with opened(browser, site, changes, **phone, **STILL, color_scheme=scheme) as page:
        compared(page)
        assert page.get_by_label("solver of the equation").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert barriers(page) == []


# --- bad states ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"mixtures": {"DDIM": []}}, "need at least one component in DDIM, got none"),
        ({"mixtures": {}}, "need data among no names at all, got DDIM"),
        ({"eta": None}, "need 0 <= eta <= 1, got eta=null"),
        ({"solver": "euler"}, "need solver among ddim, heun, dpmpp2m, rk4, got euler"),
        ({"steps": 5000}, "need a whole number, 1 <= steps <= 1000, got steps=5000"),
        ({"mixtures": {"DDIM": [[1, 0, 0, 0, 0, 0]]}}, "positive definite covariances"),
    ],
)
def test_a_broken_state_shows_a_sentence(browser, site, change, sentence):
    with opened(browser, site, change) as page:
        assert sentence in page.get_by_role("alert").inner_text()


def test_a_mended_state_goes_on(browser, site):
    with opened(browser, site, **STILL) as page:
        settled(page)
        page.evaluate("model.set('eta', NaN)")
        assert "got eta=NaN" in page.get_by_role("alert").inner_text()
        page.evaluate("model.set('eta', 0.2)")
        settled(page, "20 steps · η = 0.20")
        assert page.get_by_role("alert").count() == 0


# --- places -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(browser, site, scheme):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with opened(browser, site, **phone, **STILL, color_scheme=scheme) as page:
        settled(page)
        page.get_by_text("more", exact=True).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert inked(page) > 0.1
        for box in (e.bounding_box() for e in page.locator("input[type=range], button").all()):
            assert box["height"] >= 44


def test_the_theme_may_change(browser, site):
    with opened(browser, site, **STILL, color_scheme="light") as page:
        light = settled(page)
        page.emulate_media(color_scheme="dark")
        page.wait_for_timeout(100)
        assert settled(page) != light


def test_every_control_has_a_name(browser, site):
    with opened(browser, site, **STILL) as page:
        settled(page)
        canvas = page.get_by_role("img")
        assert canvas.get_attribute("aria-label") == (
            "1000 points flow from noise to DDIM: 20 steps · η = 0.00"
        )
        for control in page.locator("input, select, button").all():
            named = control.evaluate("e => e.ariaLabel || e.labels[0]?.textContent")
            assert named


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_barrier_in_any_state(browser, site, scheme):
    with opened(browser, site, **STILL, color_scheme=scheme) as page:
        settled(page)
        assert barriers(page) == []
        assert page.get_by_label("seed of the noise").is_visible()
        page.evaluate("model.set('eta', 2)")
        assert page.get_by_role("alert").is_visible()
        assert barriers(page) == []


# --- time ---------------------------------------------------------------------------------------

DRAG = """async ([label, moves]) => {
  const input = document.querySelector(`input[aria-label^="${label}"]`), taken = [];
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel(); // its message comes when this frame is drawn
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  }));
  for (let i = 0; i < moves; i++) {
    await painted();
    const start = performance.now();
    input.value = input.max * (0.5 + 0.49 * Math.sin(0.7 * i));
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await painted();
    taken.push(performance.now() - start);
  }
  return taken.sort((a, b) => a - b);
}"""


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("steps", [20, 50, 1000])
def test_time_from_input_to_repaint(browser, site, steps, exact, capsys):
    with opened(browser, site, {"steps": steps, "exact_path": exact}, **STILL) as page:
        (compared if exact else settled)(page)
        taken = page.evaluate(DRAG, ["η", 60])
        points = page.locator(".ddim-flow").get_attribute("data-points")
    beside = " beside exact paths" if exact else ""
    line = (
        f"{steps} steps{beside}: median {statistics.median(taken):.0f} ms, p95 {taken[56]:.0f} ms"
    )
    with capsys.disabled():
        print(f"\n  η dragged, DDIM, {line}, {points} points at the last move")
