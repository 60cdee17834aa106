"""What the chain and the posterior explorer share: one step of a schedule cut into pieces."""

from typing import NamedTuple

from ddim_lib.ddim import Coefficients, ddim_coefficients
from ddim_lib.schedule import Schedule
from ddim_lib.widgets.base import Count, Explorer, Number

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


class StepExplorer(Explorer):
    """A widget over one step t → s; its kinds are made by `chain` and `posterior`."""

    t = Count(500, 1, T)
    steps = Count(10, 1, T)
    eta = Number(1.0, 0, 1)

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
