"""What the chain and the posterior explorer share: one step of a schedule cut into pieces."""

import base64
from typing import NamedTuple

import anywidget
import traitlets

from ddim_lib.checks import check_count
from ddim_lib.ddim import Coefficients, ddim_coefficients
from ddim_lib.schedule import Schedule

T = 1000


class Piece(NamedTuple):
    """One of the S steps from T to 0: from t down to s."""

    t: int
    s: int


def piece_of(schedule: Schedule, steps: int, t: int) -> Piece:
    """Return the piece that contains t: from the time at or just above it down to the next."""
    times = schedule.times(steps)
    i = max(i for i, time in enumerate(times) if time >= t)
    return Piece(times[i], times[i + 1])


class StepExplorer(anywidget.AnyWidget):
    """A widget over one step t → s; its kinds are made by `chain` and `posterior`."""

    _ipython_display_ = None  # ipywidgets 7 prefers it to the mime bundle, which has the picture

    t = traitlets.Int(500).tag(sync=True)
    steps = traitlets.Int(10).tag(sync=True)
    eta = traitlets.Float(1.0).tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)

    @traitlets.validate("t", "steps")
    def _check_whole(self, proposal: dict) -> int:
        return check_count(proposal["trait"].name, proposal["value"], 1, T)

    @traitlets.validate("eta")
    def _check_eta(self, proposal: dict) -> float:
        return check_between("eta", proposal["value"], 0, 1)

    def schedule_used(self) -> Schedule:
        """Return the schedule that the picture shows."""
        return Schedule.linear(T)

    def piece(self) -> Piece:
        """Return the step shown, t → s."""
        return piece_of(self.schedule_used(), self.steps, self.t)

    def coefficients(self) -> Coefficients:
        """Return κ, λ, σ of the step shown."""
        return ddim_coefficients(self.schedule_used(), *self.piece(), self.eta)

    @property
    def _setting(self) -> str:
        t, s = self.piece()
        return f"t = {t} → s = {s} of {self.steps} steps, η = {self.eta:.2f}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._setting})"

    def still(self) -> bytes:
        """Draw the setting by `ddim_lib` itself, as a PNG: for places where nothing moves."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        bundle, metadata = super()._repr_mimebundle_(**kwargs)
        bundle["image/png"] = base64.b64encode(self.still()).decode()
        return bundle, {**metadata, "image/png": {"alt": self.alt}}


def check_between(name: str, value: float, low: float, high: float) -> float:
    """Return value; raise unless it is a number in low … high."""
    if not low <= value <= high:
        raise ValueError(f"need {low} <= {name} <= {high}, got {name}={value}")
    return value
