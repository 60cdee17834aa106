"""Explorers with a kernel, a silent one, or Jupyter's own slider."""

import base64
import json

import ipywidgets
import numpy as np
import pytest

from ddim_lib.widgets import explore
from tests.support.browser import pixels, served, show_yourself, watched
from tests.support.built_site import calm
from tests.support.lab import jupyter_lab, notebook, run_cell
from tests.support.step_page import write_linked


def test_a_linked_slider_moves_the_picture(browser, tmp_path):
    explorer = explore(lambda eta, steps: np.full((2, 2), eta), eta=[0, 0.4, 1], steps=[5])
    slider = ipywidgets.FloatSlider(description="η", min=0, max=1, step=0.5)
    write_linked(tmp_path, explorer, slider)
    with served(tmp_path) as base, calm(browser, base) as watch:
        watch.page.goto(base)
        show_yourself(watch.page)
        watch.page.locator(".ddim-grid canvas").wait_for()
        watch.page.locator(".noUi-handle").press("ArrowRight")
        assert set(pixels(watch.page)) == {6 * 17}  # 0.5 shows as 0.4
        watch.page.locator(".noUi-handle").press("ArrowRight")
        assert set(pixels(watch.page)) == {255}
        assert not watch.external


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
