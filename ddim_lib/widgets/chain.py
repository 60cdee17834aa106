"""The chain explorer: a schedule cut into S pieces, and how each ties two neighbours."""

from collections.abc import Callable

import torch
import traitlets
from matplotlib.figure import Figure

from ddim_lib.schedule import Schedule
from ddim_lib.widgets.base import Choice
from ddim_lib.widgets.parts import bundle
from ddim_lib.widgets.step import StepExplorer, T
from ddim_lib.widgets.stills import chain as stills


def _sqrt() -> Schedule:
    """α_t = √(1 − 0.02 t/T) for each single step; ᾱ_t is their product."""
    power = 1 - 0.02 * torch.arange(T + 1, dtype=torch.float64) / T
    return Schedule(power.cumprod(dim=0).sqrt())


def _exp() -> Schedule:
    """ᾱ_t = exp(−5 t²/T²), all steps together."""
    return Schedule((-5 * (torch.arange(T + 1, dtype=torch.float64) / T) ** 2).exp())


SCHEDULES: dict[str, Callable[[], Schedule]] = {
    "linear": Schedule.linear,
    "cosine": Schedule.cosine,
    "sqrt": _sqrt,
    "exp": _exp,
}


class ChainExplorer(StepExplorer):
    """A schedule cut into pieces, and the neighbours that one piece ties; `chain` makes one.

    schedule, steps, t, eta: the setting shown; observe, link and jslink them as with any ipywidget.
    t need not be a time of the chain: the piece that contains it is shown.
    """

    _esm = bundle("chain.js")
    _css = bundle("chain.css")

    schedule = Choice(*SCHEDULES)

    @traitlets.default("alt")
    def _in_words(self) -> str:
        return (
            "Signal and noise amplitudes over time, cut into pieces; beside them pairs of "
            "neighbours across one piece, with the marginal of each"
        )

    @property
    def _setting(self) -> str:
        return f"schedule={self.schedule!r}; {super()._setting}"

    def schedule_used(self) -> Schedule:
        """Return the schedule that the picture shows."""
        return SCHEDULES[self.schedule]()

    def figure(self) -> Figure:
        """Draw the setting by `ddim_lib` itself."""
        return stills.still(self)


def chain(
    schedule: str = "linear", steps: int = 10, t: int = 500, eta: float = 1.0
) -> ChainExplorer:
    """Cut a schedule into pieces under sliders for t, the number of pieces, and η.

    schedule: linear (DDPM's), cosine, sqrt (α_t = √(1 − 0.02 t/T), a step) or exp
    (ᾱ_t = exp(−5 t²/T²), all steps so far). steps, t: 1 … 1000. eta: 0 … 1.
    Raises ValueError on anything else.
    """
    return ChainExplorer(schedule=schedule, steps=steps, t=t, eta=eta)
