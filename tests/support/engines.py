"""Firefox and WebKit, headless, without a driver: the page that they open does all and reports."""

import http.server
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.support.browser import Quiet

WEBKIT = "/usr/lib/*/webkit2gtk-4.1/MiniBrowser"
SOFTWARE = {"WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
PATIENCE = 300  # seconds for a report


def firefox() -> list[str] | None:
    """Command that opens an address, None where there is no Firefox."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    return [found, "--headless", "--no-remote", "--profile"] if found else None


def webkit() -> list[str] | None:
    """Command that opens an address, None where MiniBrowser or a screen for it is missing."""
    found = sorted(Path("/").glob(WEBKIT.lstrip("/")))
    tools = [shutil.which(name) for name in ("xvfb-run", "dbus-run-session")]
    return [tools[0], "-a", tools[1], "--", str(found[0])] if found and all(tools) else None


INSTALLED = {
    name: command
    for name, find in (("Firefox", firefox), ("WebKit", webkit))
    if (command := find())
}


class Reporting(Quiet):
    """Serves files, and takes what a page reports."""

    def __init__(self, *args: object, reports: queue.Queue, **options: object) -> None:
        self.reports = reports
        super().__init__(*args, **options)

    def do_POST(self) -> None:
        """Take a report."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.reports.put(json.loads(body))
        self.send_response(204)
        self.end_headers()


@contextmanager
def reporting(folder: Path) -> Iterator[tuple[str, queue.Queue]]:
    """Serve a folder; the values are its address and where reports arrive."""
    reports: queue.Queue = queue.Queue()
    handler = partial(Reporting, directory=str(folder), reports=reports)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", reports
        server.shutdown()


def report(engine: str, folder: Path, page: str) -> dict:
    """Open a page of the folder in an engine and return what it reports."""
    command = INSTALLED[engine]
    with tempfile.TemporaryDirectory() as profile, reporting(folder) as (base, reports):
        more = [profile] if engine == "Firefox" else []
        browser = subprocess.Popen(
            [*command, *more, base + page],
            env=os.environ | SOFTWARE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return reports.get(timeout=PATIENCE)
        finally:
            _end(browser)


def _end(browser: subprocess.Popen) -> None:
    """End a browser and all that it started."""
    os.killpg(browser.pid, signal.SIGTERM)
    browser.wait(timeout=30)
