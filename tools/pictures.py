"""Draw the pictures of the landing page and the README.

python tools/pictures.py            # web/pictures/walk.png, from the shipped network
python tools/pictures.py explorer   # web/pictures/explorer.png, a photograph of the built site
"""

import functools
import http.server
import shutil
import sys
import threading
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from playwright.sync_api import sync_playwright

from ddim_lib import Schedule, ddim_steps, load_denoiser, plots

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "web" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


def walk() -> None:
    """Three digits emerging from the same noise, once for each η, 50 steps, ten of them shown."""
    schedule, network = Schedule.linear(), load_denoiser("digits")
    x_T = torch.randn(8, 1, 28, 28, generator=torch.Generator().manual_seed(14))[:1]
    rows = {}
    for eta in (0.0, 0.5, 1.0):
        generator = torch.Generator().manual_seed(2)
        steps = ddim_steps(network, schedule, x_T, schedule.times(50), eta, generator)
        path = [x_T] + [step.x for step in steps]
        rows[f"η = {eta}"] = torch.cat([path[i] for i in (0, 15, 25, 30, 35, 39, 42, 45, 48, 50)])
    plt.style.use(plots.STYLE)
    figure, axes = plt.subplots(3, figsize=(7.2, 2.4))
    plots.show_rows(axes, rows)
    figure.savefig(PICTURES / "walk.png")


def explorer() -> None:
    """Photograph the landing page of the built site."""
    site = functools.partial(http.server.SimpleHTTPRequestHandler, directory=ROOT / "_build/html")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(
            viewport={"width": 1100, "height": 900}, device_scale_factor=2, reduced_motion="reduce"
        )
        page.goto(f"http://127.0.0.1:{server.server_port}/intro.html")
        page.wait_for_selector(".ddim-flow canvas")
        page.wait_for_timeout(2000)  # without motion the points stand where they arrive
        page.locator(".ddim-flow").first.screenshot(path=PICTURES / "explorer.png")
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    explorer() if sys.argv[1:] == ["explorer"] else walk()
