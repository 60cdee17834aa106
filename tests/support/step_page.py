"""A page with one explorer alone, for the tests of explorers in a browser."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anywidget
import ipywidgets
from ipywidgets.embed import dependency_state, embed_data
from playwright.sync_api import Browser, Page

from ddim_lib.widgets.base import Explorer
from tests.support.browser import watched

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WEB = Path(__file__).resolve().parents[2] / "web"
MODEL = """const state = JSON.parse(document.getElementById("state").textContent), heard = {};
if (state.sheet) {
  const bytes = Uint8Array.from(atob(state.sheet), (character) => character.charCodeAt(0));
  state.sheet = new DataView(bytes.buffer);
}
window.model = {
  get: (name) => state[name],
  set(name, value) {
    if (Object.is(state[name], value)) return;
    state[name] = value;
    for (const hear of heard[`change:${name}`] ?? []) hear();
  },
  on: (event, hear) => (heard[event] ??= new Set()).add(hear),
  off: (event, hear) => heard[event]?.delete(hear),
  save_changes() {},
  send() {},
};"""  # a model that nobody else holds
MOVES = [(1000, 999), (1000, 0), (1000, 1), (500, 400), (731, 3), (2, 1), (1, 0)]
LOAD = """async ([source, name]) => {
  const blob = new Blob([source], { type: "text/javascript" });
  window[name] = await import(URL.createObjectURL(blob));
}"""
PICTURES = "[...document.querySelectorAll('.ddim canvas')].map((c) => c.toDataURL())"
INKED = """[...document.querySelectorAll(".ddim canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((v, i) => i % 4 === 3 && v > 0).length * 4 / data.length;
})"""


@contextmanager
def loaded(browser: Browser, explorer: type[anywidget.AnyWidget], name: str) -> Iterator[Page]:
    """Load an explorer's module into an empty page, where its functions are called name.…"""
    page = browser.new_page()
    page.evaluate(LOAD, [explorer._esm, name])
    yield page
    page.close()


def mounting(module: str) -> str:
    """Return the module, made to show its explorer in the page."""
    module = module.replace("export default ", "const shown = ")
    return f'{module}\nshown.render({{ model, el: document.getElementById("place") }});'


def write(folder: Path, explorer: Explorer, **changes: object) -> None:
    """Write the page, made of the explorer's own module, style and traits (changed)."""
    traits = [name for name in explorer.trait_names(sync=True) if not name.startswith("_")]
    state = explorer.get_state(set(traits) - {"layout", "comm", "tooltip", "tabbable"}) | changes
    if "sheet" in state:
        state["sheet"] = base64.b64encode(state["sheet"]).decode()
    (folder / "index.html").write_text(
        f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>explorer</title>
        <meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
        <style>body {{ font-family: system-ui, sans-serif }}
        @media (prefers-color-scheme: dark) {{ body {{ background: #14171a; color: #d9dde1 }} }}
        {explorer._css}</style><div id="place"></div>
        <script type="application/json" id="state">{json.dumps(state)}</script>
        <script>{MODEL}</script><script type="module">{mounting(explorer._esm)}</script>""",
        encoding="utf-8",
    )


def write_linked(
    folder: Path, explorer: anywidget.AnyWidget, slider: ipywidgets.FloatSlider
) -> None:
    """Write a page as the book's, of stored state alone: a slider of Jupyter's moves its η."""
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


@contextmanager
def opened(
    browser: Browser, site: tuple[Path, str], explorer: Explorer, /, **options: object
) -> Iterator[Page]:
    """Open the page; at the end, nothing may have gone wrong in it.

    changes: traits; before: a script that is run first.
    """
    folder, base = site
    write(folder, explorer, **options.pop("changes", {}))
    before = options.pop("before", "")
    with watched(browser, base, **options) as watch:
        watch.page.set_default_timeout(10_000)
        watch.page.add_init_script(before)
        watch.page.goto(base + "index.html")
        yield watch.page
        assert watch.problems() == []


def settled(page: Page) -> list[str]:
    """Wait until the pictures show what the line says, and return them."""
    page.wait_for_function(
        """() => { const root = document.querySelector(".ddim");
        const { shown } = root.dataset, { textContent } = root.querySelector("output");
        return shown && shown === textContent }"""
    )
    page.evaluate("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
    return page.evaluate(PICTURES)


def numbers(page: Page) -> dict[str, float]:
    """Return the numbers of the line in words: those of t, s and of each letter, and x_s's two."""
    named = re.findall(r"(\w+|±) (?:= )?(−?[\d.]+)", line(page).replace(" ±", " · ±"))
    return {name: float(value.replace("−", "-")) for name, value in named}


def line(page: Page) -> str:
    """Return the line in words."""
    return page.locator(".ddim output").inner_text().replace("\xa0", " ")
