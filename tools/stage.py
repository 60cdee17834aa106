"""A page of the built site as on a stage: at rest near its explorer, throttled, its tasks timed."""

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

SITE = Path(__file__).resolve().parents[1] / "_build" / "html"
NEAR = """() => {
  document.querySelector(".ddim-grid, .gridexplorer").scrollIntoView({ block: "center" });
  return document.querySelector(".ddim-grid .run");
}"""
REST = """() => new Promise((rested) => {
  let last = performance.now();
  const busy = () => { last = performance.now(); };
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  new MutationObserver(busy).observe(document, all);
  new PerformanceObserver(busy).observe({ type: "longtask" });
  const timer = setInterval(() => {
    if (performance.now() - last < 2000) return;
    clearInterval(timer);
    rested();
  }, 100);
})"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path = SITE) -> Iterator[str]:
    """Serve a folder on a free port of this machine; the value is its address."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Stage:
    """A page near its grid explorer, at rest, with what scripts need; then throttled."""

    def __init__(self, browser: Browser, address: str, throttle: int, tools: str) -> None:
        self.browser = browser
        self.context = browser.new_context(reduced_motion="reduce")
        self.page = self.context.new_page()
        self.page.goto(address)
        self.page.mouse.move(2, 2)
        self.page.mouse.move(4, 4)
        self.page.wait_for_function(NEAR)
        self.page.evaluate(REST)
        self.page.evaluate(tools)
        session = self.context.new_cdp_session(self.page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": throttle})

    def run(self, script: str, argument: object = None) -> tuple[Any, str]:
        """Return what a script gives, and the longest task meanwhile, as longest()."""
        self.browser.start_tracing(page=self.page, categories=["toplevel", "blink.user_timing"])
        self.page.evaluate("performance.mark('begin')")
        given = self.page.evaluate(script, argument)
        self.page.evaluate("performance.mark('end')")
        return given, longest(json.loads(self.browser.stop_tracing())["traceEvents"])

    def close(self) -> None:
        """Close the page."""
        self.context.close()


def longest(events: list[dict[str, Any]]) -> str:
    """Return "a (b)", of the tasks between the marks, on the thread that made them, in ms.

    a: the longest by the clock, as an observer of long tasks would say; b: the most processor time
    that one took.
    """
    begin, end = (
        next(e for e in events if e["name"] == name and "user_timing" in e["cat"])
        for name in ("begin", "end")
    )
    tasks = [
        e
        for e in events
        if e["name"].endswith("RunTask")
        and (e["pid"], e["tid"]) == (begin["pid"], begin["tid"])
        and begin["ts"] <= e["ts"] < end["ts"]
    ]
    clock, own = (max(e.get(name, 0) for e in tasks) / 1000 for name in ("dur", "tdur"))
    return f"{clock:.0f} ({own:.0f})"
