"""The digits' network as it runs in a page: its modules in an empty page, numbers in and out."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Browser, Page

from ddim_lib.files import ASSETS
from ddim_lib.widgets import parts

WEIGHTS = ASSETS / "digits.safetensors"
LOAD = """async ([base, weights]) => {
  const names = ["matmul", "weights", "unet", "schedule", "torch_noise", "digit_walk", "drawing"];
  names.push("lab_tasks");
  for (const name of names) Object.assign(window, await import(`${base}page/${name}.js`));
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const text = (floats) => {
    let out = "";
    for (const byte of new Uint8Array(floats.buffer)) out += String.fromCharCode(byte);
    return btoa(out);
  };
  Object.assign(window, { bytes, text, file: bytes(weights) });
}"""
FORWARD = """([x, t, plain]) => {
  const all = new Float32Array(bytes(x)), out = new Float32Array(all.length);
  const net = (window[`net${plain}`] ??= unet(readWeights(file), { plain }));
  for (let i = 0; i < all.length; i += 784) out.set(net(all.subarray(i, i + 784), t), i);
  return [text(out), net.kind];
}"""
REFUSAL = """() => {
  try { unet(readWeights(file)) } catch (error) { return error.message }
}"""


def packed(data: bytes) -> str:
    """Return bytes as a page takes them."""
    return base64.b64encode(data).decode()


def floats(text: str) -> torch.Tensor:
    """Return float32 numbers as a page gives them."""
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), np.float32).copy())


@contextmanager
def loaded(browser: Browser, site: tuple[Path, str], file: bytes) -> Iterator[Page]:
    """Load the modules and a weight file into an empty page of the served folder."""
    folder, base = site
    (folder / "page").symlink_to(parts.PAGE)
    page = browser.new_page()
    page.goto(base)
    page.evaluate(LOAD, [base, packed(file)])
    yield page
    page.close()


def forward(page: Page, x: torch.Tensor, t: int, *, plain: bool) -> tuple[torch.Tensor, str]:
    """Return ε̂ of the page's network, shaped like x, and what did its products."""
    out, kind = page.evaluate(FORWARD, [packed(x.numpy().tobytes()), t, plain])
    return floats(out).reshape(x.shape), kind


def refusal(browser: Browser, site: tuple[Path, str], file: bytes) -> str | None:
    """Return the sentence with which a page refuses a weight file, None if it does not."""
    with loaded(browser, site, file) as page:
        return page.evaluate(REFUSAL)
