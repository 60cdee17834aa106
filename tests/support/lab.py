"""A JupyterLab server for the tests of widgets with a kernel."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from playwright.sync_api import Page, TimeoutError

STARTUP = 60  # seconds
NOT_RUN = "[ ]:"  # the prompt of a cell that was not
HEEDED = 5  # seconds after which JupyterLab, still starting, has not heeded a key
OPTIONS = [
    "--no-browser",
    "--ip=127.0.0.1",
    "--port=0",
    "--allow-root",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
]


class Address(NamedTuple):
    """Where a server listens."""

    origin: str  # http://127.0.0.1:port/
    token: str

    def of(self, name: str) -> str:
        """Return the address of a notebook in the server's folder, alone on the screen."""
        return f"{self.origin}lab/tree/{name}?token={self.token}"


def notebook(*sources: str) -> str:
    """Return a notebook of these code cells, as the text of its file."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(nb)


@contextlib.contextmanager
def jupyter_lab(folder: Path) -> Iterator[Address]:
    """Run JupyterLab on a folder until the block ends; its settings are kept out of the way."""
    own = {f"JUPYTER_{kind}_DIR": str(folder / f".{kind}") for kind in ("CONFIG", "RUNTIME")}
    own["JUPYTERLAB_SETTINGS_DIR"] = own["JUPYTERLAB_WORKSPACES_DIR"] = str(folder / ".lab")
    own["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-m", "jupyterlab", *OPTIONS, f"--ServerApp.root_dir={folder}"]
    log = folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, env=os.environ | own, stdout=output, stderr=output)
    try:
        yield _wait_for(folder / ".RUNTIME", server, log)
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait_for(runtime: Path, server: subprocess.Popen, log: Path) -> Address:
    """Wait until the server has written where it listens."""
    end = time.monotonic() + STARTUP
    while time.monotonic() < end and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError):  # being written
                info = json.loads(path.read_text())
                return Address(f"http://127.0.0.1:{info['port']}/", info["token"])
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start within {STARTUP} s:\n{log.read_text()[-2000:]}")


def run_cell(page: Page, number: int = 0) -> None:
    """Run a code cell of an opened notebook by its key, again until JupyterLab heeds it."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    for _ in range(STARTUP // HEEDED):
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        with contextlib.suppress(TimeoutError):
            cell.locator(".jp-InputPrompt", has_not_text=NOT_RUN).wait_for(timeout=1000 * HEEDED)
            return
    pytest.fail(f"cell {number} was not run within {STARTUP} s")
