"""The paths explorer: η from flow to diffusion, on many paths over the density that they share."""

import base64
from itertools import pairwise
from math import sqrt

import anywidget
import traitlets

from ddim_lib.checks import check_count
from ddim_lib.schedule import Schedule
from ddim_lib.widgets.parts import bundle
from ddim_lib.widgets.paths_still import still
from ddim_lib.widgets.step import check_between

WHOLE = {"steps": (1, 1000), "count": (1, 1000), "seed": (0, 2**32 - 1)}
REAL = {"eta": (0, 1.4), "start": (-3, 3)}


def most_eta(steps: int) -> float:
    """Return the largest η that the family has at so many steps: σ <= β̄_s in each; at most 1.4.

    The last step, s = 0, sets no bound: its σ is 0 whatever η.
    """
    schedule = Schedule.linear()
    most = REAL["eta"][1]
    for t, s in list(pairwise(schedule.times(steps)))[:-1]:
        a_t, b_t, a_s, _ = schedule.at(t, s)
        most = min(most, b_t / sqrt(1 - (a_t / a_s) ** 2))
    return most


class PathsExplorer(anywidget.AnyWidget):
    """Paths from noise to two heaps on the line, walked in the page itself; `paths` makes one.

    eta, steps, start, count, seed, spoilt: the setting shown; observe, link and jslink them as with
    any ipywidget. An eta beyond what so many steps allow is shown at their most.
    """

    _esm = bundle("paths.js")
    _css = bundle("paths.css")
    _ipython_display_ = None  # ipywidgets 7 prefers it to the mime bundle, which has the picture

    eta = traitlets.Float(0.0).tag(sync=True)
    steps = traitlets.Int(50).tag(sync=True)
    start = traitlets.Float(0.3).tag(sync=True)
    count = traitlets.Int(500).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    spoilt = traitlets.Bool(False).tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)

    @traitlets.default("alt")
    def _in_words(self) -> str:
        return (
            "Many paths from noise at the left to two heaps of data at the right, over the exact "
            "density at each time; at the side, where they end"
        )

    @traitlets.validate("steps", "count", "seed")
    def _check_whole(self, proposal: dict) -> int:
        name = proposal["trait"].name
        return check_count(name, proposal["value"], *WHOLE[name])

    @traitlets.validate("eta", "start")
    def _check_real(self, proposal: dict) -> float:
        name = proposal["trait"].name
        return check_between(name, proposal["value"], *REAL[name])

    def eta_used(self) -> float:
        """Return the η of the picture: eta, or the most that the family has at these steps."""
        return min(self.eta, most_eta(self.steps))

    def __repr__(self) -> str:
        score = ", score spoilt" if self.spoilt else ""
        steps = f"{self.steps} {'step' if self.steps == 1 else 'steps'}"
        return f"PathsExplorer({self.count} paths; {steps}, η = {self.eta_used():.2f}{score})"

    def still(self) -> bytes:
        """Draw the setting by `ddim_lib` itself, as a PNG: for places where nothing moves."""
        return still(self)

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        bundle, metadata = super()._repr_mimebundle_(**kwargs)
        bundle["image/png"] = base64.b64encode(self.still()).decode()
        return bundle, {**metadata, "image/png": {"alt": self.alt}}


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
