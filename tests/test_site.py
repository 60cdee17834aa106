"""The built site in a browser: every page, every explorer, with and without a kernel.

The site is _build/html, or the folder named by BOOK_SITE; `make book` builds it.
"""

import base64
import hashlib
import io
import json
import os
import re
import statistics
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
from ipywidgets.embed import dependency_state, embed_data
from PIL import Image

from ddim_lib.widgets import explore
from tests.browser import barriers, chromium, pixels, scroll_through, served, watched
from tests.lab import jupyter_lab, notebook, run_cell

ROOT = Path(__file__).parent.parent
SITE = Path(os.environ.get("BOOK_SITE", ROOT / "_build" / "html")).resolve()
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if not path.relative_to(SITE).parts[0].startswith("_") and path != SITE / "index.html"
)
STATE = re.compile(
    r'<script type="application/vnd.jupyter.widget-state\+json">(.*?)</script>', re.S
)
FORMULA = 'class="math'
EXPLORER = "ddim_lib.widgets.grid.GridExplorer"
STILL = ".widget-still.gridexplorer"
PHONE = {"width": 390, "height": 844}
CHAPTER_LIMIT, LANDING_LIMIT = 800_000, 400_000  # bytes, compressed, before any interaction


def explorers(page: str) -> list[dict]:
    """Return the stored states of a page's grid explorers, their sheets decoded."""
    match = STATE.search((SITE / page).read_text())
    models = json.loads(match[1])["state"].values() if match else []
    found = [m for m in models if m["state"].get("_anywidget_id") == EXPLORER]
    for model in found:
        model["state"]["sheet"] = base64.b64decode(model["buffers"][0]["data"])
    return [model["state"] for model in found]


@pytest.fixture(scope="session", autouse=True)
def _built():
    if not (SITE / "index.html").is_file():
        pytest.fail(f"need a built site in {SITE}: run `make book`, or name one in BOOK_SITE")


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def base():
    with served(SITE) as base:
        yield base


@pytest.fixture(scope="session")
def chapter() -> str:
    """Return the page whose grid explorer is tried in every way: stored η and steps are many."""
    page = "chapters/03_free_sigma.html"
    assert explorers(page), f"{page} of {SITE} has no grid explorer"
    return page


def calm(browser, base: str, **options):
    """Open a watched page that plays nothing by itself, so that the tests' time is their own."""
    return watched(browser, base, reduced_motion="reduce", **options)


def open_explorer(watch, address: str):
    """Open a page and bring its first explorer to life; return its element."""
    watch.page.goto(address)
    watch.page.locator(STILL).first.scroll_into_view_if_needed()
    explorer = watch.page.locator(".ddim-grid").first
    explorer.locator("canvas").wait_for()
    return explorer


@pytest.fixture(scope="module")
def page(browser, base, chapter):
    """Return the chapter in a browser window, its explorer alive; several tests use it in turn."""
    with calm(browser, base) as watch:
        open_explorer(watch, base + chapter)
        yield watch.page


@pytest.mark.parametrize("name", PAGES)
def test_page(name, browser, base, capsys):
    with calm(browser, base) as watch:
        watch.page.goto(base + name)
        watch.page.wait_for_load_state("networkidle")
        raw, packed = watch.weight(SITE)
        with capsys.disabled():
            print(f"\n{name}: {raw / 1e3:.0f} kB, compressed {packed / 1e3:.0f} kB", end=" ")
        scroll_through(watch.page)
        assert not watch.problems()
        assert not without_alt(watch.page), "images without alt text"
        assert packed <= (LANDING_LIMIT if name == "intro.html" else CHAPTER_LIMIT)
        if not STATE.search((SITE / name).read_text()):
            for part in ("widgets.js", "require.js", "anywidget", "html-manager"):
                assert not watch.asked_for(part), f"{part} on a page without widgets"
        assert watch.asked_for("mathjax") == (FORMULA in (SITE / name).read_text())
        watch.page.set_viewport_size(PHONE)
        for scheme in ("light", "dark"):
            watch.page.emulate_media(color_scheme=scheme)
            watch.page.wait_for_function(
                "theme => document.documentElement.dataset.theme === theme", arg=scheme
            )
            assert not too_wide(watch.page), f"wider than a phone, {scheme}"


def without_alt(page) -> list[str]:
    """Return the addresses of the page's images that say nothing to who cannot see them."""
    return page.evaluate("[...document.images].filter(i => !i.alt.trim()).map(i => i.src)")


def too_wide(page) -> list[str]:
    """Return what of a page sticks out at the side and does not scroll in a box of its own."""
    return page.evaluate(
        """() => ['html', 'body', 'main', '.bd-article-container', 'article']
          .filter(name => document.querySelector(name))
          .filter(name => {
            const box = document.querySelector(name);
            return box.scrollWidth > Math.max(box.clientWidth, box.offsetWidth);
          })"""
    )


@pytest.mark.parametrize("name", PAGES)
def test_every_equation_is_set(name, browser, base):
    with calm(browser, base) as watch:
        watch.page.goto(base + name)
        if FORMULA not in (SITE / name).read_text():
            return
        watch.page.evaluate("MathJax.startup.promise")
        assert watch.page.locator("mjx-container").count() > 0
        wrong = "[...document.querySelectorAll('mjx-merror')].map((m) => m.dataset.mjxError)"
        assert watch.page.evaluate(wrong) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_barrier_for_readers_with_disabilities(name, scheme, browser, base):
    with calm(browser, base, color_scheme=scheme) as watch:
        watch.page.goto(base + name)
        scroll_through(watch.page)
        watch.page.wait_for_function("!document.querySelector('.widget-still')")
        watch.page.evaluate(SET)
        assert barriers(watch.page) == []
        watch.page.set_viewport_size(PHONE)
        watch.page.evaluate(SET)
        assert barriers(watch.page) == []


SET = """async () => {
  await window.MathJax?.startup.promise;
  await document.fonts.ready;
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
}"""


def test_works_below_a_sub_path(browser, chapter):
    with served(SITE.parent) as base, calm(browser, f"{base}{SITE.name}/") as watch:
        watch.page.goto(f"{base}{SITE.name}/index.html")
        watch.page.wait_for_url("**/intro.html")
        open_explorer(watch, f"{base}{SITE.name}/{chapter}")
        watch.page.wait_for_load_state("networkidle")
        assert not watch.problems()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_link_to_a_section_arrives_there(width, browser, base, chapter):
    """Equations make the page longer after the browser has jumped."""
    with calm(browser, base, viewport={"width": width, "height": 844}) as watch:
        watch.page.goto(base + chapter + "#your-turn")
        watch.page.wait_for_function(
            """async () => {
                await MathJax.startup.promise;
                await new Promise((done) => setTimeout(done, 500));
                const top = document.getElementById("your-turn").getBoundingClientRect().top;
                return -10 <= top && top <= 200;
            }"""
        )


def test_widgets_wait_for_the_reader(browser, base, chapter):
    with calm(browser, base) as watch:
        watch.page.goto(base + chapter)
        watch.page.wait_for_load_state("networkidle")
        still = watch.page.locator(STILL).first
        assert still.bounding_box()["y"] > 1500, "the explorer stands too high for this test"
        assert not watch.asked_for("embed-amd.js")
        still.scroll_into_view_if_needed()
        watch.page.locator(".ddim-grid canvas").first.wait_for()
        assert watch.asked_for("embed-amd.js")
        assert watch.page.locator(STILL).count() == 0, "the picture stands beside it"


def test_without_javascript_the_pictures_stand(browser, base, chapter):
    with calm(browser, base, java_script_enabled=False) as watch:
        watch.page.goto(base + chapter)
        stills = watch.page.locator(".widget-still").all()
        assert len(stills) >= 2
        for still in stills:
            still.scroll_into_view_if_needed()
            assert still.is_visible()
            assert still.bounding_box()["height"] > 50
        alt = watch.page.locator(STILL).first.get_attribute("alt")
        assert alt == explorers(chapter)[0]["alt"]


def test_without_javascript_the_landing_page_has_its_picture(browser, base):
    with calm(browser, base, java_script_enabled=False) as watch:
        with watch.page.expect_response("**/flow.png") as answer:
            watch.page.goto(base + "intro.html")
        assert answer.value.ok
        picture = watch.page.locator("#flow img")
        assert picture.is_visible()
        assert picture.bounding_box()["height"] > 200
        assert picture.get_attribute("alt").startswith("1000 points flow from noise")


def stored_picture(state: dict, eta: float, steps: int) -> list[int]:
    """Return the grey values of one picture of a sheet, row by row."""
    height, width = state["tile"]
    top = state["etas"].index(eta) * height
    left = state["step_counts"].index(steps) * width
    sheet = np.asarray(Image.open(io.BytesIO(state["sheet"])).convert("L"))
    return sheet[top : top + height, left : left + width].ravel().tolist()


def test_keyboard_moves_the_picture(page, chapter):
    state, explorer = explorers(chapter)[0], page.locator(".ddim-grid").first
    eta, steps = (explorer.locator(f"input.{name}") for name in ("eta", "steps"))
    seen = [pixels(page)]
    for slider, key in ((eta, "End"), (steps, "Home"), (eta, "ArrowLeft"), (steps, "End")):
        slider.press(key)
        seen.append(pixels(page))
    assert len({tuple(picture) for picture in seen}) == 5
    assert seen[1] == stored_picture(state, state["etas"][-1], state["steps"])
    assert seen[4] == stored_picture(state, state["etas"][-2], state["step_counts"][-1])
    line = explorer.locator("output").inner_text()
    assert line == f"η = {state['etas'][-2]:.2f} · {state['step_counts'][-1]} steps · stored"
    assert explorer.get_attribute("data-mode") == "stored"


def test_pointer_moves_the_picture(browser, base, chapter):
    state = explorers(chapter)[0]
    with calm(browser, base, has_touch=True, viewport=PHONE) as watch:
        explorer = open_explorer(watch, base + chapter)
        before = pixels(watch.page)
        for name in ("eta", "steps"):
            slider = explorer.locator(f"input.{name}")
            slider.scroll_into_view_if_needed()
            box = slider.bounding_box()
            assert box["height"] >= 44, "too small for a finger"
            watch.page.touchscreen.tap(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
            after = pixels(watch.page)
            assert after != before, name
            before = after
        assert after == stored_picture(state, state["etas"][-1], state["step_counts"][-1])


def test_a_broken_sheet_says_so(browser, base, chapter):
    def break_off(route):
        answer = route.fetch()
        whole = base64.b64encode(explorers(chapter)[0]["sheet"]).decode()
        route.fulfill(
            response=answer, body=answer.text().replace(whole, whole[: len(whole) // 8 * 4])
        )

    with calm(browser, base) as watch:
        watch.page.route(base + chapter, break_off)
        watch.page.goto(base + chapter)
        watch.page.locator(STILL).first.scroll_into_view_if_needed()
        trouble = watch.page.locator(".ddim-grid .trouble").first
        trouble.wait_for()
        assert trouble.inner_text() == "The stored pictures cannot be shown: the file breaks off."
        assert watch.page.locator(STILL).first.is_visible()


def test_a_linked_slider_moves_the_picture(browser, tmp_path):
    explorer = explore(lambda eta, steps: np.full((2, 2), eta), eta=[0, 0.4, 1], steps=[5])
    slider = ipywidgets.FloatSlider(description="η", min=0, max=1, step=0.5)
    link = ipywidgets.jslink((slider, "value"), (explorer, "eta"))
    state = dependency_state([explorer, slider, link], drop_defaults=False)
    data = embed_data([explorer, slider], state=state)
    views = "".join(script("view", view) for view in data["view_specs"])
    text = f"<div>{views}</div><script src=web/widgets.js></script>"
    (tmp_path / "index.html").write_text(script("state", data["manager_state"]) + text)
    (tmp_path / "web").symlink_to(ROOT / "web")
    with served(tmp_path) as base, calm(browser, base) as watch:
        watch.page.goto(base)
        watch.page.locator(".ddim-grid canvas").wait_for()
        watch.page.locator(".noUi-handle").press("ArrowRight")
        assert set(pixels(watch.page)) == {6 * 17}  # 0.5 shows as 0.4
        watch.page.locator(".noUi-handle").press("ArrowRight")
        assert set(pixels(watch.page)) == {255}
        assert not watch.external


def script(kind: str, content: dict) -> str:
    """Return widget data as a page holds them."""
    mime = f"application/vnd.jupyter.widget-{kind}+json"
    return f'<script type="{mime}">{json.dumps(content)}</script>'


def test_a_dragged_slider_shows_every_picture(page, capsys):
    """The time to repaint is printed and never asserted: others use the machine."""
    times, shown, stops = page.evaluate(DRAG)
    assert len(shown) == stops > 1
    p95 = statistics.quantiles(times, n=20)[-1]
    with capsys.disabled():
        print(f"\nslider to repaint: median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms")


DRAG = """async () => {
  const input = document.querySelector('.ddim-grid input.eta'), times = [], shown = new Set();
  for (let i = 0; i < 40; i++) {
    input.value = i % (Number(input.max) + 1);
    const start = performance.now();
    input.dispatchEvent(new Event('input'));
    await new Promise(requestAnimationFrame);
    await new Promise(painted => setTimeout(painted));
    times.push(performance.now() - start);
    shown.add(document.querySelector('.ddim-grid').dataset.shown);
  }
  return [times, [...shown], Number(input.max) + 1];
}"""


@pytest.mark.parametrize("folder", ["web", "tests"])
def test_vendored_files_are_those_listed(folder):
    vendor = ROOT / folder / "vendor"
    table = (vendor / "VERSIONS.md").read_text()
    listed = dict(re.findall(r"^\| (\S+) \| \d+ \| ([0-9a-f]{64}) \|$", table, re.M))
    files = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "VERSIONS.md"
    }
    assert files == listed


@pytest.fixture
def fake(browser, tmp_path):
    """Return a page with an explorer of two grey pictures, and a model that keeps its questions."""
    explorer = explore(lambda eta, steps: np.full((2, 2), eta), eta=[0, 1], steps=[5])
    module = explorer._esm.replace("PATIENCE = 30_000", "PATIENCE = 500")
    traits = {name: explorer.get_state()[name] for name in FAKE_TRAITS}
    sheet = base64.b64encode(explorer.sheet).decode()
    (tmp_path / "grid.js").write_text(module)
    (tmp_path / "index.html").write_text(FAKE % (json.dumps(traits), sheet))
    with served(tmp_path) as base, calm(browser, base) as watch:
        watch.page.goto(base)
        watch.page.locator("canvas").wait_for()
        yield watch.page


FAKE_TRAITS = ("eta", "steps", "etas", "step_counts", "tile", "alt")
FAKE = """<body><script type=module>
  import explorer from "./grid.js";
  const traits = %s, handlers = {};
  traits.sheet = new DataView(Uint8Array.from(atob("%s"), c => c.charCodeAt(0)).buffer);
  window.asked = [];
  window.answer = (content, buffers) => handlers["msg:custom"](content, buffers);
  window.picture = () => [traits.sheet];
  const model = {
    get: name => traits[name],
    set: (name, value) => { traits[name] = value; handlers["change:" + name](); },
    save_changes: () => {},
    on: (name, handler) => { handlers[name] = handler; },
    send: content => asked.push(content),
  };
  explorer.render({ model, el: document.body });
</script>"""


def test_the_kernel_is_asked_one_thing_at_a_time(fake):
    fake.evaluate("answer({ type: 'pong' })")
    eta = fake.locator("input.eta")
    for _ in range(5):
        eta.press("ArrowRight")
    assert [q.get("eta") for q in fake.evaluate("asked")] == [None, 0.01]
    fake.evaluate("answer({ type: 'picture', eta: 0.01, steps: 5 }, picture())")
    fake.wait_for_function("asked.length === 3")
    assert fake.evaluate("asked")[2] == {"type": "draw", "eta": 0.05, "steps": 5}
    assert fake.locator("output").inner_text() == "η = 0.05 · 5 steps · computing …"
    fake.evaluate("answer({ type: 'picture', eta: 0.05, steps: 5 }, picture())")
    fake.get_by_text("η = 0.05 · 5 steps · computed now").wait_for()
    assert len(fake.evaluate("asked")) == 3


def test_a_silent_kernel_counts_as_gone_until_it_speaks(fake):
    fake.evaluate("answer({ type: 'pong' })")
    fake.locator("input.eta").press("ArrowRight")
    fake.locator(".trouble").wait_for()
    assert "The kernel does not answer" in fake.locator(".trouble").inner_text()
    assert fake.locator("output").inner_text() == "η = 0.00 · 5 steps · nearest stored"
    assert fake.locator(".ddim-grid").get_attribute("data-mode") == "stored"
    fake.evaluate("answer({ type: 'picture', eta: 0.01, steps: 5 }, picture())")
    fake.get_by_text("η = 0.01 · 5 steps · computed now").wait_for()
    assert fake.locator(".ddim-grid").get_attribute("data-mode") == "live"


def test_with_a_kernel_the_sliders_are_free(browser, tmp_path):
    (tmp_path / "live.ipynb").write_text(notebook(LIVE_CELL))
    with jupyter_lab(tmp_path) as address, watched(browser, address.origin) as watch:
        watch.page.goto(address.of("live.ipynb"))
        run_cell(watch.page)
        explorer = watch.page.locator(".ddim-grid[data-mode=live]")
        explorer.wait_for(timeout=180_000)
        line, eta = explorer.locator("output"), explorer.locator("input.eta")
        stored = pixels(watch.page)
        eta.press("ArrowRight")
        line.get_by_text("computed now").wait_for()
        assert line.inner_text() == "η = 0.01 · 3 steps · computed now"
        computed = pixels(watch.page)
        assert computed != stored
        explorer.locator("input.steps").press("ArrowRight")
        line.get_by_text("4 steps · computed now").wait_for()
        eta.press("End")
        line.get_by_text("η = 1.00 · 4 steps · computed now").wait_for()
        kept = pixels(watch.page)
        eta.press("ArrowLeft")
        explorer.locator(".trouble").wait_for()
        assert "ValueError: too near to one" in explorer.locator(".trouble").inner_text()
        assert line.inner_text() == "η = 0.99 · 4 steps · not drawn"
        assert pixels(watch.page) == kept
        eta.press("ArrowLeft")
        watch.page.get_by_role("alert").get_by_text("got 116 of 128 NaN or infinite").wait_for()
        assert line.inner_text() == "η = 0.98 · 4 steps · not drawn"
        assert pixels(watch.page) == kept
        assert not watch.external


LIVE_CELL = """\
import numpy as np
from ddim_lib.widgets import explore

def draw(eta, steps):
    if eta == 0.99:
        raise ValueError("too near to one")
    picture = np.full((8, 16), np.nan if eta == 0.98 else 0.0)
    picture[:steps, : 1 + round(100 * eta) % 16] = 1
    return picture

explore(draw, eta=[0, 0.5, 1], steps=[1, 3, 7])
"""


def test_with_a_kernel_the_flow_and_python_follow_each_other(browser, tmp_path):
    (tmp_path / "flow.ipynb").write_text(notebook(*FLOW_CELLS))
    with (
        jupyter_lab(tmp_path) as address,
        watched(browser, address.origin, reduced_motion="reduce") as watch,
    ):
        watch.page.goto(address.of("flow.ipynb"))
        run_cell(watch.page)
        explorer = watch.page.locator(".ddim-flow[data-shown='5 steps · η = 0.00']")
        explorer.wait_for(timeout=180_000)
        explorer.get_by_label("η, the share").press("ArrowRight")
        watch.page.locator(".ddim-flow[data-shown='5 steps · η = 0.01']").wait_for()
        for cell, answer in ((1, "FlowExplorer(data='ring'; 5 steps, η = 0.01"), (2, "done")):
            run_cell(watch.page, cell)
            watch.page.locator(".jp-OutputArea-output", has_text=answer).wait_for()
        watch.page.locator(".ddim-flow[data-shown='7 steps · η = 0.50']").wait_for()
        assert not watch.external


FLOW_CELLS = [
    "from ddim_lib.widgets import flow\n\nexplorer = flow('ring', steps=5)\nexplorer",
    "print(repr(explorer))",
    "explorer.eta, explorer.steps = 0.5, 7\nprint('done')",
]
