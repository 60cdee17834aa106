"""A page with one explorer that runs the network, and the network's files where a site has them."""

import base64
import functools
import json
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from playwright.sync_api import Browser, Page

from ddim_lib import Schedule, plots, sample
from ddim_lib.nets import load_denoiser
from ddim_lib.widgets import Digits, GridExplorer, explore
from ddim_lib.widgets.base import Explorer
from tests.support.browser import watched
from tests.support.cases import seeded

EXTENSION = Path(__file__).resolve().parents[2] / "extensions" / "page_network.py"
DIGITS = Digits(seed=5, count=4, columns=4)
MODEL = """const state = JSON.parse(document.getElementById("state").textContent), heard = {};
state.sheet = new DataView(Uint8Array.from(atob(state.sheet), (c) => c.charCodeAt(0)).buffer);
window.sent = [];
window.tell = (event, ...told) => [...(heard[event] ?? [])].forEach((hear) => hear(...told));
window.model = {
  get: (name) => state[name],
  set(name, value) {
    if (Object.is(state[name], value)) return;
    state[name] = value;
    tell(`change:${name}`);
  },
  on: (event, hear) => (heard[event] ??= new Set()).add(hear),
  off: (event, hear) => heard[event]?.delete(hear),
  save_changes() {},
  send: (message) => sent.push(message),
};"""
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>digits</title>{policy}
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">{network}
<style>body {{ font-family: system-ui, sans-serif; background: white; color: #222 }}
@media (prefers-color-scheme: dark) {{ body {{ background: #14171a; color: #d9dde1 }} }}
{css}</style><div id="place"></div>
<script type="application/json" id="state">{state}</script>
<script>{model}</script><script type="module">{module}
shown.render({{ model, el: document.getElementById("place") }});</script>"""
PIXELS = """() => {
  const canvas = document.querySelector(".ddim-grid canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
}"""
FILES = functools.cache(lambda: runpy.run_path(str(EXTENSION)))


def drawn(eta: float, steps: int, digits: Digits = DIGITS) -> torch.Tensor:
    """Return what ddim_lib samples of these digits, (count, 1, 28, 28)."""
    x_T = torch.randn(digits.count, 1, 28, 28, generator=seeded(digits.seed))
    return sample(load_denoiser("digits"), Schedule.linear(), x_T, steps, eta, seeded(digits.draws))


@functools.cache
def explorer() -> GridExplorer:
    """Four digits at two η and two numbers of steps."""
    return explore(
        lambda eta, steps: plots.sheet(drawn(eta, steps), DIGITS.columns),
        eta=[0.0, 1.0],
        steps=[2, 5],
        start=(0.0, 5),
        alt="Four digits",
        digits=DIGITS,
    )


def write(
    folder: Path,
    shown: Explorer | None = None,
    *,
    policy: str = "",
    on_site: bool = True,
    **changes: object,
) -> None:
    """Write chapters/digits.html and _static/network/, as the extension of the site does.

    shown: the grid explorer above, or another. policy: a Content-Security-Policy. on_site: whether
    the page says where the files lie. changes: of traits.
    """
    extension = FILES()
    network = folder / "_static" / "network"
    network.mkdir(parents=True, exist_ok=True)
    for use, name in extension["NAMES"].items():
        (network / name).write_bytes(extension["files"]()[use])
    shown = shown or explorer()
    names = {name for name in shown.trait_names(sync=True) if not name.startswith("_")}
    state = shown.get_state(names - {"layout", "comm", "tooltip", "tabbable"})
    state["sheet"] = base64.b64encode(shown.sheet).decode()
    state |= changes
    html = PAGE.format(
        policy=f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if policy else "",
        network=extension["meta"](lambda path, _: f"../{path}") if on_site else "",
        css=shown._css,
        state=json.dumps(state),
        model=MODEL,
        module=shown._esm.replace("export default ", "const shown = "),
    )
    (folder / "chapters").mkdir(exist_ok=True)
    (folder / "chapters" / "digits.html").write_text(html, encoding="utf-8")


@contextmanager
def opened(browser: Browser, address: str, **options: object) -> Iterator[Page]:
    """Open the page where nothing but its own address answers; at the end nothing went wrong."""
    with watched(browser, address.rpartition("chapters/")[0], **options) as watch:
        watch.page.set_default_timeout(60_000)
        watch.page.goto(address)
        watch.page.locator(".ddim canvas").first.wait_for()
        yield watch.page
        assert watch.problems() == []


def press(page: Page) -> None:
    """Ask for the page's own network."""
    page.get_by_role("button", name="run the network here").click()


def settled(page: Page, line: str) -> list[int]:
    """Wait until all digits of that setting are computed in the page; return the canvas's greys."""
    page.wait_for_function(
        "(line) => document.querySelector('.ddim-grid').dataset.shown === `computed here: ${line}`",
        arg=line,
    )
    return page.evaluate(PIXELS)


@contextmanager
def running(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page, run its network, and wait for the first picture."""
    with opened(browser, address) as page:
        press(page)
        settled(page, "η = 0.00 · 5 steps")
        yield page


def distance(pixels: list[int], made: torch.Tensor, columns: int = 4) -> float:
    """Return the largest difference from a picture of digits, in greys of 255."""
    expected = 255 * torch.from_numpy(plots.sheet(made, columns)).flatten()
    return (torch.tensor(pixels) - expected).abs().max().item()
