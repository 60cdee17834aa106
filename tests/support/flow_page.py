"""A page with the flow explorer alone, for the tests of a reader's hand."""

import json
from contextlib import contextmanager

from ddim_lib.widgets.flow import FlowExplorer
from tests.support.browser import watched
from tests.support.step_page import MODEL, mounting
from tools.assets import state

STILL = {"reduced_motion": "reduce"}
PICTURE = "document.querySelector('.ddim-flow canvas').toDataURL()"


def write(folder, **changes):
    """A page with the explorer alone, as the landing page has it."""
    opening = json.dumps({**state(), "steps": 20, **changes})
    flow, css = FlowExplorer._esm, FlowExplorer._css
    (folder / "index.html").write_text(
        f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>flow</title>
        <meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
        <style>@media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #ddd }} }}
        {css}</style><div id="place"></div>
        <script type="application/json" id="state">{opening}</script><script>{MODEL}</script>
        <script type="module">{mounting(flow)}\nwindow.Picture = Picture;</script>""",
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


def compared(page, shown=None):
    """Wait until the exact paths are there too, and return the picture."""
    settled(page, shown)
    page.wait_for_function(
        "Number(document.querySelector('.ddim-flow').dataset.exact) === model.get('points')"
    )
    return settled(page, shown)
