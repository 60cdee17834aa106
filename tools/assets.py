"""Make what the library and the site carry and nobody writes by hand.

    python -m tools.assets digits FOLDER   ddim_lib/assets/digits.npz, from MNIST's original files
    python -m tools.assets landing         web/landing, what the landing page's explorer starts from
    python -m tools.assets walk            web/pictures/walk.png, from the shipped network
    python -m tools.assets explorer        web/pictures/explorer.png, a photograph of the built site

The digits are the first 1000 training images of each class, classes in turn (0, 1, …, 9, 0, 1, …),
as bytes: the same folder gives the same arrays; the same zlib gives the same file.
"""

import functools
import hashlib
import http.server
import json
import sys
import threading
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from playwright.sync_api import sync_playwright

from ddim_lib import Schedule, ddim_steps, load_denoiser, plots
from ddim_lib.data import ASSETS, load_mnist
from ddim_lib.widgets.flow import FlowExplorer, flow
from tools.chrome import FLAGS, installed

ROOT = Path(__file__).resolve().parents[1]
LANDING = ROOT / "web" / "landing"
PICTURES = ROOT / "web" / "pictures"
EACH = 1000  # digits of a class
SETTING = ("eta", "steps", "sigma_hat", "solver", "exact_path", "spacing", "data", "seed")
TRAITS = (*SETTING, "points", "mixtures")


def select(labels: np.ndarray) -> np.ndarray:
    """Indices of the first 1000 images of each class, classes in turn, (10000,)."""
    of_class = [np.flatnonzero(labels == digit)[:EACH] for digit in range(10)]
    return np.stack(of_class, axis=1).ravel()


def digits(folder: str) -> None:
    """Write the library's digits; folder: with train-images-idx3-ubyte.gz and the others."""
    mnist = load_mnist(Path(folder), "train")
    index = select(mnist.labels.numpy())
    pixels = ((mnist.images[index, 0] + 1) * 127.5).round().byte().numpy()
    path = ASSETS / "digits.npz"
    np.savez_compressed(path, images=pixels, labels=mnist.labels[index].byte().numpy())
    print(f"{path}: {path.stat().st_size} bytes")
    print(f'DIGITS_SHA256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"')


def opening() -> FlowExplorer:
    """Return the explorer that the landing page opens with."""
    return flow(steps=50)


def state() -> dict[str, object]:
    """Return its traits, as the page needs them."""
    return opening().get_state(TRAITS)


def landing() -> None:
    """Write the traits of the landing page's explorer, and its picture."""
    (LANDING / "flow.json").write_text(json.dumps(state(), separators=(",", ":")) + "\n")
    (LANDING / "flow.png").write_bytes(opening().still())


def walk() -> None:
    """Draw three digits emerging from the same noise, one for each η: ten of 50 steps."""
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
        browser = p.chromium.launch(executable_path=installed(), args=FLAGS)
        page = browser.new_page(
            viewport={"width": 1100, "height": 900}, device_scale_factor=2, reduced_motion="reduce"
        )
        page.goto(f"http://127.0.0.1:{server.server_port}/intro.html")
        page.wait_for_selector(".ddim-flow canvas")
        page.wait_for_timeout(2000)  # without motion the points stand where they arrive
        page.locator(".ddim-flow").first.screenshot(path=PICTURES / "explorer.png")
        browser.close()
    server.shutdown()


def main(arguments: list[str]) -> int:
    """Make one of them."""
    match arguments:
        case ["digits", folder]:
            digits(folder)
        case ["landing" | "walk" | "explorer" as name]:
            {"landing": landing, "walk": walk, "explorer": explorer}[name]()
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
