"""Time the network in pages of the built site, in Chromium, at full speed and throttled 4 times.

    python -m tools.bench_page [chapters/04_skip_steps.html …]

Prints, in milliseconds: from the press to the first digit (everything loaded for the first time),
16 digits in 20 steps, a slider's move to the next picture while a walk runs (median, 95 %); and the
longest task of the page's main thread, by a trace: while the network loads (from the press until
half a second after its first picture) and while it walks. In brackets the most processor time of a
task, since on a busy machine a task also waits. Beside them the same page without the network: left
alone for as long, and its stored pictures moved as often, by the same slider. In chapter 3 that one
also moves Jupyter's and a flow of a thousand points, in chapter 4 nothing else.

The page comes to rest first, unthrottled: the formulas near are typeset, the clouds have walked.
Until then these block it for hundreds of milliseconds, whether or not there is a network.

Chromium throttles the main thread alone, by a busy wait that takes most of a core even while the
page does nothing. A loop in the Worker takes the same processor time at 1 and at 4 (measured), but
on two cores, the other one busy, twice the time by the clock. The busy wait also counts what a task
had to wait for: on a busy machine, four times its processor time at 1 says more than that at 4.
"""

import os
import statistics
import sys

from playwright.sync_api import Browser, sync_playwright

from ddim_lib.files import printable
from tools.chrome import FLAGS, installed
from tools.stage import Stage, served

PAGES = ["chapters/03_free_sigma.html", "chapters/04_skip_steps.html"]
HEADER = """\
                                              longest task  without the network
throttle first digit 16 digits  move   95%  loading  walking  waiting   moving"""
TOOLS = """() => {
  const grid = document.querySelector(".ddim-grid");
  const sliders = () => [...grid.querySelectorAll("input[type=range]")].slice(-2); // η, steps
  const frame = () => new Promise(requestAnimationFrame);
  const pause = (ms) => new Promise((go) => setTimeout(go, ms));
  const set = (slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const moves = async () => {
    const took = [];
    const [eta] = sliders();
    for (let i = 0; i < 40; i++) {
      const moved = performance.now();
      set(eta, eta.max * (i % 2 ? 0.3 : 0.6) + i * eta.max / 1000);
      await frame();
      await frame();
      took.push(performance.now() - moved);
      await pause(60);
    }
    return took;
  };
  window.bench = { grid, sliders, frame, pause, set, moves };
}"""
PRESS = """async () => {
  const { grid, frame, pause } = bench;
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
  while (!grid.dataset.shown.startsWith("computed here")) await frame();
  await pause(500);
  return { first: first - start, all: performance.now() - start };
}"""
WALK = """async () => {
  const { grid, sliders, frame, set, moves } = bench;
  const [eta, steps] = sliders();
  const done = async () => {
    while (!grid.querySelector("output").textContent.includes("20 steps")
      || !grid.dataset.shown.startsWith("computed here: η = " + Number(eta.value).toFixed(2)))
      await frame();
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
  await done();
  return { walked: performance.now() - start, moves: await moves() };
}"""


def measure(browser: Browser, address: str, throttle: int) -> str:
    """Return a line of the table."""
    stage = Stage(browser, address, throttle, TOOLS)
    press, loading = stage.run(PRESS)
    walk, walking = stage.run(WALK)
    stage.close()
    alone = Stage(browser, address, throttle, TOOLS)
    _, waiting = alone.run("bench.pause", press["all"])
    _, moving = alone.run("bench.moves")
    alone.close()
    p95 = statistics.quantiles(walk["moves"], n=20)[-1]
    return (
        f"{throttle:8} {press['first']:11.0f} {walk['walked']:9.0f} "
        f"{statistics.median(walk['moves']):5.0f} {p95:5.0f} "
        f"{loading:>8} {walking:>8} {waiting:>8} {moving:>8}"
    )


def main() -> None:
    """Print a table for each page."""
    printable()
    with served() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        for name in sys.argv[1:] or PAGES:
            print(f"{name}; load of the machine {os.getloadavg()[0]:.1f}")
            print(HEADER)
            for throttle in (1, 4):
                print(measure(browser, f"{base}/{name}", throttle), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
