"""The paths explorer: η from flow to diffusion, on many paths over the density that they share."""

from itertools import pairwise
from math import sqrt

import traitlets
from matplotlib.figure import Figure

from ddim_lib.schedule import Schedule
from ddim_lib.widgets.base import Count, Explorer, Number, Switch
from ddim_lib.widgets.parts import bundle
from ddim_lib.widgets.stills import paths as stills

MOST_ETA = 1.4


def most_eta(steps: int) -> float:
    """Return the largest η that the family has at so many steps: σ <= β̄_s in each; at most 1.4.

    The last step, s = 0, sets no bound: its σ is 0 whatever η.
    """
    schedule = Schedule.linear()
    most = MOST_ETA
    for t, s in list(pairwise(schedule.times(steps)))[:-1]:
        a_t, b_t, a_s, _ = schedule.at(t, s)
        most = min(most, b_t / sqrt(1 - (a_t / a_s) ** 2))
    return most


class PathsExplorer(Explorer):
    """Paths from noise to two heaps on the line, walked in the page itself; `paths` makes one.

    eta, steps, start, count, seed, spoilt: the setting shown; observe, link and jslink them as with
    any ipywidget. An eta beyond what so many steps allow is shown at their most.
    """

    _esm = bundle("paths.js")
    _css = bundle("paths.css")
    _shades = 256

    eta = Number(0.0, 0, MOST_ETA)
    steps = Count(50, 1, 1000)
    start = Number(0.3, -3, 3)
    count = Count(500, 1, 1000)
    seed = Count(0, 0, 2**32 - 1)
    spoilt = Switch()

    @traitlets.default("alt")
    def _in_words(self) -> str:
        return (
            "Many paths from noise at the left to two heaps of data at the right, over the exact "
            "density at each time; at the side, where they end"
        )

    def eta_used(self) -> float:
        """Return the η of the picture: eta, or the most that the family has at these steps."""
        return min(self.eta, most_eta(self.steps))

    @property
    def _setting(self) -> str:
        score = ", score spoilt" if self.spoilt else ""
        steps = f"{self.steps} {'step' if self.steps == 1 else 'steps'}"
        return f"{self.count} paths; {steps}, η = {self.eta_used():.2f}{score}"

    def figure(self) -> Figure:
        """Draw the setting by `ddim_lib` itself."""
        return stills.still(self)


def paths(
    eta: float = 0.0,
    steps: int = 50,
    *,
    start: float = 0.3,
    count: int = 500,
    seed: int = 0,
    spoilt: bool = False,
) -> PathsExplorer:
    """Show paths from noise to two heaps under sliders for η and the number of steps.

    eta: 0 … 1.4, shown at most at what the family has at so many steps. steps, count: 1 … 1000.
    start: x_T of the path drawn thick, −3 … 3. spoilt: add 0.3 sin(4x) to ε* at t = 400 … 800.
    Raises ValueError on anything else.
    """
    return PathsExplorer(eta=eta, steps=steps, start=start, count=count, seed=seed, spoilt=spoilt)
