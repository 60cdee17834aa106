"""The book's look, and the few pictures that it draws again and again.

Colour roles are fixed: DATA blue, NOISE orange, MODEL green, REFERENCE pink. Functions take the
axes to draw on and return them; they never show, and never set a font size.
"""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from ddim_lib.files import ASSETS
from ddim_lib.tables.store import Mean, Row, over_seeds

STYLE = ASSETS / "ddim.mplstyle"
DATA, NOISE, MODEL, REFERENCE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"


def sheet(images: Tensor, columns: int = 8) -> np.ndarray:
    """Lay pictures side by side, row by row, as one grey picture in [0, 1].

    images: (n, 1, height, width) in [-1, 1], clamped. Returns (rows·height, columns·width)
    float32; n must fill whole rows. Raises ValueError otherwise.
    """
    if not isinstance(images, Tensor):
        raise TypeError(f"need a torch tensor as images, got {type(images).__name__}")
    if images.ndim != 4 or images.shape[1] != 1:
        raise ValueError(f"need images of shape (n, 1, h, w), got {tuple(images.shape)}")
    n, _, h, w = images.shape
    if columns < 1 or n % columns:
        raise ValueError(f"need whole rows of {columns} pictures, got {n}")
    grey = (images.detach().float().cpu().clamp(-1, 1) + 1) / 2
    rows = grey.reshape(n // columns, columns, h, w)
    return rows.transpose(1, 2).reshape(n // columns * h, columns * w).numpy()


def show_sheet(ax: Axes, images: Tensor, columns: int = 8, title: str = "") -> Axes:
    """Draw pictures (n, 1, h, w) in [-1, 1] as one sheet, white on black, without ticks."""
    ax.imshow(sheet(images, columns), vmin=0, vmax=1)
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def show_rows(axes, rows: dict[str, Tensor]) -> None:
    """Draw one strip of pictures for each label, the label to its left; axes: one for each."""
    for ax, (label, images) in zip(np.atleast_1d(axes), rows.items(), strict=True):
        show_sheet(ax, images, columns=len(images))
        ax.set_ylabel(label, rotation=0, ha="right", va="center")


def show_length(ax: Axes, rows: Sequence[Row], value: str, floor: Mean) -> Axes:
    """Draw a score against the steps of training, the mean over seeds ± their standard deviation.

    rows: of the table "length". value: its column, "frechet" or "confident". floor: what real
    digits score. One line for each planned length. Hollow: averaged weights from the middle of a
    run, where the learning rate had not yet fallen. Filled: its end. Raises ValueError: no rows.
    """
    if not rows:
        raise ValueError("need rows of the table of training lengths, got none")
    runs: dict[int, list[tuple[int, float, float]]] = {}
    for (planned, trained), score in over_seeds(rows, value, ["planned", "trained"]).items():
        runs.setdefault(int(planned), []).append((int(trained), score.mean, score.sd))
    for (end, points), marker in zip(sorted(runs.items()), cycle("os^Dv"), strict=False):
        x, y, spread = zip(*sorted(points), strict=True)
        name = f"{end} planned"
        ax.errorbar(x, y, spread, fmt=f"{marker}-", color=MODEL, mfc="none", label=name, capsize=3)
        if x[-1] == end:
            ax.plot(x[-1], y[-1], marker, color=MODEL)
    ax.axhline(floor.mean, color=REFERENCE, linestyle="--", label="real digits")
    steps = {trained for points in runs.values() for trained, _, _ in points}
    doubled = [min(steps) << k for k in range((max(steps) // min(steps)).bit_length())]
    ax.set(xscale="log", xlabel="training steps, thousands", ylabel=value)
    ax.set_xticks(doubled, [f"{trained / 1000:g}" for trained in doubled])
    ax.minorticks_off()
    return ax
