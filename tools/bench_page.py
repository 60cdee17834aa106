"""Time the network in a page of the built site, in Chromium, at full speed and throttled 4 times.

    python -m tools.bench_page [chapters/03_free_sigma.html]

Prints, in milliseconds: from the press to the first digit (everything loaded for the first time),
16 digits in 20 steps, a slider's move to the next picture while a walk runs (median, 95 %), and the
page's longest blocks: while the network loads, and while it walks. A forward of the Worker is timed
too: it tells whether the throttle reaches the Worker. Other work on the machine lengthens all.
"""

import functools
import http.server
import statistics
import sys
import threading
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from ddim_lib.files import printable
from tools.chrome import FLAGS, installed

SITE = Path(__file__).resolve().parents[1] / "_build" / "html"
PAGE = "chapters/03_free_sigma.html"
WATCH = """() => {
  window.blocks = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) blocks.push([startTime, duration]);
  }).observe({ type: "longtask", buffered: true });
}"""
NEAR = """() => {
  document.querySelector(".ddim-grid, .gridexplorer").scrollIntoView({ block: "center" });
  return document.querySelector(".ddim-grid .run");
}"""
PRESS = """async () => {
  const grid = document.querySelector(".ddim-grid");
  const pen = CanvasRenderingContext2D.prototype;
  const { putImageData } = pen;
  const start = performance.now();
  const first = await new Promise((painted) => {
    pen.putImageData = function (...picture) {
      putImageData.apply(this, picture);
      pen.putImageData = putImageData;
      painted(performance.now());
    };
    grid.querySelector(".run").click();
  });
  return { start, first };
}"""
WALK = """async () => {
  const grid = document.querySelector(".ddim-grid");
  const frame = () => new Promise(requestAnimationFrame);
  const [eta, steps] = [...grid.querySelectorAll("input[type=range]")].slice(-2);
  const done = async () => {
    while (!grid.querySelector("output").textContent.includes("20 steps")
      || !grid.dataset.shown.startsWith("computed here: η = " + Number(eta.value).toFixed(2)))
      await frame();
  };
  const set = (slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const shown = () => Number(grid.querySelector("output").textContent.match(/(\\d+) steps?/)[1]);
  let [low, high] = [0, 1];
  while (shown() !== 20) { // where a logarithmic slider has twenty
    const middle = (low + high) / 2;
    set(steps, middle * steps.max);
    if (shown() < 20) low = middle;
    else high = middle;
  }
  await done();
  const start = performance.now();
  set(eta, eta.max / 2);
  const moves = [];
  await done();
  const walked = performance.now() - start;
  for (let i = 0; i < 40; i++) {
    const moved = performance.now();
    set(eta, eta.max * (i % 2 ? 0.3 : 0.6) + i * eta.max / 1000);
    await frame();
    await frame();
    moves.push(performance.now() - moved);
    await new Promise((go) => setTimeout(go, 60));
  }
  return { start, walked, moves };
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *words: object) -> None:
        """Say nothing."""


def measure(page: Page, address: str, throttle: int) -> str:
    """Return a line of the table."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": throttle})
    page.goto(address)
    page.evaluate(WATCH)
    page.mouse.move(2, 2)
    page.mouse.move(4, 4)
    page.wait_for_function(NEAR)
    page.wait_for_load_state("networkidle")
    press, walk = page.evaluate(PRESS), page.evaluate(WALK)
    blocks = page.evaluate("blocks")
    loading = [d for at, d in blocks if press["start"] <= at < press["first"]]
    walking = [d for at, d in blocks if at >= walk["start"]]
    p95 = statistics.quantiles(walk["moves"], n=20)[-1]
    return (
        f"{throttle:8} {press['first'] - press['start']:12.0f} {walk['walked']:10.0f} "
        f"{statistics.median(walk['moves']):6.0f} {p95:5.0f} "
        f"{max(loading, default=0):13.0f} {max(walking, default=0):8.0f}"
    )


def main() -> None:
    """Print the table."""
    printable()
    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{(sys.argv[1:] or [PAGE])[0]}"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
            print("throttle  first digit   16 digits   move   95%   block: load   walking")
            for throttle in (1, 4):
                context = browser.new_context(reduced_motion="reduce")
                print(measure(context.new_page(), address, throttle), flush=True)
                context.close()
            browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
