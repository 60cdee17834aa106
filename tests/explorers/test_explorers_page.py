"""What all explorers promise in the page: on a phone, in any theme, by any hand, in any state."""

import io
import re
from functools import partial

import ipywidgets
import pytest
from PIL import Image

from ddim_lib.widgets import chain, flow, parts, paths, posterior
from tests.explorers.test_explorers import grid
from tests.support.browser import barriers, show_yourself, watched
from tests.support.step_page import INKED, PHONE, opened, write_linked

MAKERS = {
    "chain": chain,
    "flow": partial(flow, "ring", steps=5),
    "flow by Heun": partial(flow, "moons", steps=5, solver="heun", exact_path=True),
    "grid": grid,
    "paths": partial(paths, count=60),
    "posterior": partial(posterior, eta=0.5),
}
DRAWN = {name: make for name, make in MAKERS.items() if name != "grid"}  # not stored pictures
EACH = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
EACH_DRAWN = pytest.mark.parametrize("make", DRAWN.values(), ids=DRAWN)
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
LOOKS = """() => [...document.querySelectorAll(".ddim canvas")].map((c) => c.toDataURL())
  .concat(document.querySelector(".ddim output").textContent).join()"""
STEADY = f"""async () => {{
  let before, now = ({LOOKS})();
  while (before !== now || now.includes("≈") || now.endsWith(",")) {{
    before = now;
    await new Promise((done) => setTimeout(done, 150));
    now = ({LOOKS})();
  }}
  return now;
}}"""


def on(browser, site, make, **options):
    """The explorer alone on a page that moves nothing by itself."""
    return opened(browser, site, make(), reduced_motion="reduce", **options)


def steady(page) -> str:
    """Wait until nothing changes any more; the pictures and the line, as one text."""
    page.locator(".ddim canvas:visible").first.wait_for()
    return page.evaluate(STEADY)


# --- hands --------------------------------------------------------------------------------------


@pytest.mark.parametrize("touch", [False, True])
@pytest.mark.parametrize("label", ["η, the share", "number of steps"])
@EACH
def test_the_pointer_moves_it(browser, site, make, label, touch):
    with on(browser, site, make, has_touch=touch) as page:
        before = steady(page)
        box = page.get_by_role("slider", name=label).bounding_box()
        x, y = box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2
        (page.touchscreen.tap if touch else page.mouse.click)(x, y)
        assert steady(page) != before


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"flow by Heun"}))  # there η is out of play
def test_a_slider_of_jupyters_moves_it(browser, site, name):
    """As on a page of the book: nothing but stored state."""
    folder, base = site
    slider = ipywidgets.FloatSlider(value=0, min=0, max=1, step=1)
    write_linked(folder, MAKERS[name](), slider)
    with watched(browser, base, reduced_motion="reduce") as watch:
        watch.page.goto(base)
        show_yourself(watch.page)
        before = steady(watch.page)
        watch.page.locator(".noUi-handle").press("ArrowRight")
        assert steady(watch.page) != before
        assert not watch.external


@EACH
def test_every_control_has_a_name(browser, site, make):
    with on(browser, site, make) as page:
        steady(page)
        for control in page.locator(".ddim :is(input, select, button)").all():
            assert control.evaluate("e => e.ariaLabel || e.labels[0]?.textContent")
        for control in page.locator(".ddim input[type=range]").all():
            assert control.get_attribute("aria-valuetext")
        for picture in page.get_by_role("img").all():
            assert len(picture.get_attribute("aria-label")) > 20


# --- places -------------------------------------------------------------------------------------


@SCHEMES
@EACH
def test_on_a_phone(browser, site, make, scheme):
    with on(browser, site, make, **PHONE, color_scheme=scheme) as page:
        steady(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert all(share > 0.05 for share in page.evaluate(INKED))
        for box in page.locator(".ddim :is(input:not([type=checkbox]), button):visible").all():
            assert box.bounding_box()["height"] >= (
                44 if box.get_attribute("type") != "number" else 36
            )
        for label in page.locator("label:has([type=checkbox]):visible").all():
            assert label.bounding_box()["height"] >= 44
        assert barriers(page) == []


@EACH
def test_a_narrow_column_holds_it(browser, site, make):
    with on(browser, site, make, viewport={"width": 340, "height": 800}) as page:
        steady(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 340


@EACH_DRAWN
def test_the_theme_may_change(browser, site, make):
    with on(browser, site, make, color_scheme="light") as page:
        light = steady(page)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(f"(old) => ({LOOKS})() !== old", arg=light)
        pictures = [now.split(",")[1:-1:2] for now in (light, steady(page))]
        assert all(a != b for a, b in zip(*pictures, strict=True))


def contrast(control) -> int:
    """The difference of light, of 255, down a line through a control's picture."""
    with Image.open(io.BytesIO(control.screenshot())) as picture:
        middle = picture.width // 2
        line = picture.convert("L").crop((middle, 0, middle + 1, picture.height))
        low, high = line.getextrema()
    return high - low


@SCHEMES
@EACH
def test_forced_colours_leave_every_control_visible(browser, site, make, scheme):
    """Where a system allows only its own colours, edges and fills are of these."""
    with on(browser, site, make, forced_colors="active", color_scheme=scheme) as page:
        steady(page)
        for control in page.locator(".ddim input[type=range], .ddim button").all():
            assert contrast(control) > 100, control.get_attribute("aria-label")


# --- states -------------------------------------------------------------------------------------


WHOLE = "need a whole number, {0} <= {2} <= {1}, got {2}={3}"
BROKEN = [
    (make, trait, value, words)
    for make in ("chain", "flow", "posterior")
    for trait, value, words in [
        ("eta", None, "need 0 <= eta <= 1, got eta=null"),
        ("eta", 1.5, "need 0 <= eta <= 1, got eta=1.5"),
        ("steps", 5000, WHOLE.format(1, 1000, "steps", 5000)),
    ]
] + [
    ("chain", "t", 0, WHOLE.format(1, 1000, "t", 0)),
    ("chain", "t", 2.5, WHOLE.format(1, 1000, "t", 2.5)),
    ("chain", "schedule", "odd", "need schedule among linear, cosine, sqrt, exp, got odd"),
    ("chain", "schedule", "toString", "linear, cosine, sqrt, exp, got toString"),
    ("flow", "mixtures", {"ring": []}, "need at least one component in ring, got none"),
    ("flow", "mixtures", {}, "need data among no names at all, got ring"),
    ("flow", "mixtures", {"ring": [[1, 0, 0, 0, 0, 0]]}, "positive definite covariances"),
    ("flow", "solver", "euler", "need solver among ddim, midpoint, heun, dpmpp2m, rk4, got euler"),
    ("paths", "eta", 1.5, "need 0 <= eta <= 1.4, got eta=1.5"),
    ("paths", "count", 0, WHOLE.format(1, 1000, "count", 0)),
    ("paths", "seed", -1, WHOLE.format(0, 2**32 - 1, "seed", -1)),
    ("paths", "start", 4, "need -3 <= start <= 3, got start=4"),
    ("paths", "spoilt", "no", "need spoilt true or false, got no"),
    ("posterior", "x_0", None, "need -3 <= x_0 <= 3, got x_0=null"),
    ("posterior", "x_t", 4, "need -3 <= x_t <= 3, got x_t=4"),
]


@pytest.mark.parametrize(("name", "trait", "value", "words"), BROKEN)
def test_a_broken_state_shows_a_sentence(browser, site, name, trait, value, words):
    with on(browser, site, MAKERS[name], changes={trait: value}) as page:
        sentence = page.get_by_role("alert").inner_text()
        assert re.fullmatch(r"This cannot be drawn: need .*\.", sentence)
        assert words in sentence
        assert page.locator("canvas:visible").count() == 0
        assert barriers(page) == []


@EACH_DRAWN
def test_a_mended_state_goes_on(browser, site, make):
    with on(browser, site, make) as page:
        before = steady(page)
        good = page.evaluate("model.get('eta')")
        page.evaluate("model.set('eta', NaN)")
        assert "got eta=NaN" in page.get_by_role("alert").inner_text()
        page.evaluate("(eta) => model.set('eta', eta)", good)
        page.get_by_role("alert").wait_for(state="hidden")
        assert steady(page) == before


# --- words --------------------------------------------------------------------------------------

FOREIGN = """
const foreign = (word) =>
  typeof word === "string" ? word.replace(/[A-Za-z]/g, "ж")
  : typeof word === "function" ? (...all) => foreign(word(...all))
  : Array.isArray(word) ? word.map(foreign)
  : Object.fromEntries(Object.entries(word).map(([key, value]) => [key, foreign(value)]));
"""
SHOWN = """() => [
  ...[...document.querySelectorAll(".ddim *")].flatMap((e) => [
    e.ariaLabel, e.getAttribute("aria-valuetext"), e.title,
    ...[...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data),
  ]),
  ...written,
].filter((text) => /[A-Za-z]{2,}/.test(text ?? ""))"""
WRITTEN = """window.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  written.push(text);
  write.call(this, text, ...place);
};"""


@EACH
def test_a_translation_replaces_one_file(browser, site, make, tmp_path, monkeypatch):
    """With every letter of words.js another one, no letter of ours is seen or heard."""
    pages = tmp_path / "pages"
    pages.mkdir()
    for path in parts.PAGE.iterdir():
        (pages / path.name).write_bytes(path.read_bytes())
    words = (pages / "words.js").read_text(encoding="utf-8")
    names = re.findall(r"^export const (\w+)", words, re.M)
    inner = words.replace("export const", "const")
    outer = "".join(f"export const {n} = foreign(English.{n});\n" for n in names)
    given = f"const English = (() => {{\n{inner}\nreturn {{ {', '.join(names)} }};\n}})();\n"
    (pages / "words.js").write_text(FOREIGN + given + outer, encoding="utf-8")
    explorer = make()
    name = type(explorer).__module__.rpartition(".")[2]
    monkeypatch.setattr(parts, "PAGE", pages)
    explorer._esm = parts.bundle(f"{name}.js")
    explorer.alt = ""
    with opened(browser, site, explorer, before=WRITTEN, reduced_motion="reduce") as page:
        steady(page)
        own = set(page.evaluate("Object.keys(model.get('mixtures') ?? {})"))
        assert set(page.evaluate(SHOWN)) - own == set()
