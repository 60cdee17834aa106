"""What the browser tests share: a web server for the built site, a Chromium, a watched page."""

import contextlib
import functools
import gzip
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Response, Route, sync_playwright

from tools.chrome import FLAGS, installed

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
BARRIERS = """async (rules) => {
  const runOnly = rules.length ? rules : undefined;
  const { violations } = await axe.run(document, { resultTypes: ["violations"], runOnly });
  return violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}"""
UNFOLD = """() => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  for (const animation of document.getAnimations()) // what fades in is pale meanwhile
    if (animation.effect.getComputedTiming().endTime < Infinity) animation.finish();
}"""
SCROLL = """async () => {
  for (let top = 0; top < document.documentElement.scrollHeight; top += 600) {
    scrollTo({ top, behavior: "instant" });
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  }
}"""
COMPRESSED = (".html", ".css", ".js", ".svg", ".json")  # what a web server sends gzipped


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line in the log for each."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine; the value is its address, ending in "/"."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the installed Chrome or Chromium; fails saying what to install where there is none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page and all that it asked for: addresses of other hosts are refused, and noted."""

    page: Page
    external: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)

    def asked_for(self, part: str) -> bool:
        """Whether an address with this part in it was asked for."""
        return any(part in url for url in self.requested)

    def problems(self) -> list[str]:
        """All that went wrong, each in words."""
        return [
            *(f"request to another host: {url}" for url in self.external),
            *(f"failed request: {url}" for url in self.failed),
            *(f"error in the console: {text}" for text in self.errors),
        ]

    def weight(self, folder: Path) -> tuple[int, int]:
        """Return the bytes of all files asked for, raw and as a server compresses them."""
        paths = [urlsplit(url).path.lstrip("/") for url in self.requested]
        bodies = [(path, (folder / path).read_bytes()) for path in paths]
        packed = (len(gzip.compress(b)) if p.endswith(COMPRESSED) else len(b) for p, b in bodies)
        return sum(len(body) for _, body in bodies), sum(packed)


@contextlib.contextmanager
def watched(browser: Browser, base: str, **options: object) -> Iterator[Watched]:
    """Open an empty page that may only talk to base; options: those of a browser context."""
    context = browser.new_context(**options)
    yield watch_page(context, base)
    context.close()


def watch_page(context: BrowserContext, base: str) -> Watched:
    """Open an empty page in a context that may only talk to base."""
    watch = Watched(context.new_page())

    def route(request: Route) -> None:
        if request.request.url.startswith((base, "data:", "blob:")):
            request.continue_()
        else:
            watch.external.append(request.request.url)
            request.abort()

    context.route("**/*", route)
    watch.page.on("pageerror", lambda error: watch.errors.append(str(error)))
    watch.page.on("console", lambda m: watch.errors.append(m.text) if m.type == "error" else None)
    watch.page.on("response", lambda response: _note(watch, response))
    return watch


def _note(watch: Watched, response: Response) -> None:
    if response.url.startswith("http"):
        watch.requested.append(response.url)
    if response.status >= 400:
        watch.failed.append(f"{response.status} {response.url}")


def show_yourself(page: Page) -> None:
    """Move as a reader does: Jupyter's widget manager is not loaded before."""
    page.mouse.move(2, 2)
    page.mouse.move(4, 4)


def scroll_through(page: Page) -> None:
    """Read the page from top to bottom, so that all of it loads, and come back.

    Each stop is painted twice before the next: an observer of what comes into sight is asked once a
    frame, and on a busy machine a stop of some milliseconds has none.
    """
    show_yourself(page)
    page.evaluate(SCROLL)
    page.wait_for_load_state("networkidle")
    page.evaluate("scrollTo(0, 0)")


def pixels(page: Page, number: int = 0) -> list[int]:
    """Return the red values of an explorer's canvas, row by row."""
    return page.evaluate(
        """number => {
          const canvas = document.querySelectorAll('.ddim-grid canvas')[number];
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
        }""",
        number,
    )


def barriers(page: Page, *rules: str) -> list[str]:
    """Return what axe-core calls a serious or critical barrier, all that folds being open.

    rules: the names of those to try, otherwise all.
    """
    page.evaluate(UNFOLD)
    page.keyboard.press("Tab")  # web/focus.js finds what scrolls when this key comes
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    return page.evaluate(BARRIERS, rules)
