"""The lab's five tasks in one picture."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ddim_lib.widgets.digits import SIDE
from ddim_lib.widgets.lab_tasks import Column, Setting, grey
from ddim_lib.widgets.stills.paper import figure_of

GAP = 3  # pixels between two pictures
PLACES = "nh;cm;ee"
LETTERS = {"n": "noise", "h": "hidden", "c": "code", "m": "mix", "e": "eta"}


def still(shown: dict[str, list[Column]], setting: Setting) -> Figure:
    """Draw what each task shows, under its name."""
    titles = {
        "noise": f"Noised to t = {setting.t} (above), and back",
        "hidden": f"What is hidden here? (t = {setting.t})",
        "code": "Digit, code, real noise, decoded",
        "mix": "Two codes mixed: on the arc, straight",
        "eta": f"From its code to a digit, η = {setting.eta:g}: where it is, and the guess",
    }
    figure = figure_of(7.2, 5.2)
    axes = figure.subplot_mosaic(PLACES)
    for letter, name in LETTERS.items():
        _strip(axes[letter], shown[name], titles[name])
    return figure


def _strip(ax: Axes, columns: list[Column], title: str) -> None:
    step, height = SIDE + GAP, max(map(len, columns))
    paper = np.full((height * step - GAP, len(columns) * step - GAP), 255, np.uint8)
    for i, column in enumerate(columns):
        for j, picture in enumerate(column):
            paper[j * step :, i * step :][:SIDE, :SIDE] = grey(picture)
    ax.imshow(paper, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    ax.set_title(title)
    ax.set_axis_off()
