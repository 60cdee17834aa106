"""One picture of a chain, by the library's own arithmetic."""

from typing import TYPE_CHECKING

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Generator

from ddim_lib.ddim import Coefficients
from ddim_lib.plots import DATA, NOISE
from ddim_lib.schedule import Schedule
from ddim_lib.widgets.stills.paper import INK, MIDDLE, figure_of

if TYPE_CHECKING:
    from ddim_lib.widgets.chain import ChainExplorer

REACH = 3.2  # of the neighbours' picture, in data units
PAIRS = 400


def still(explorer: "ChainExplorer") -> Figure:
    """Draw the amplitudes over time and the neighbours (x_t, x_s) given x_0 = 0."""
    schedule, piece = explorer.schedule_used(), explorer.piece()
    figure = figure_of(7.2, 3.1)
    curves, pairs = figure.subplots(1, 2, width_ratios=(1.45, 1))
    _curves(curves, schedule, schedule.times(explorer.steps), piece)
    _pairs(pairs, schedule, piece, explorer.coefficients())
    return figure


def _curves(ax: Axes, schedule: Schedule, times: list[int], piece: tuple[int, int]) -> None:
    t, s = piece
    ax.axvspan(s, t, color=MIDDLE, alpha=0.2, linewidth=0)
    for values, colour, name in (
        (schedule.beta_bar, NOISE, "noise β̄"),
        (schedule.alpha_bar, DATA, "signal ᾱ"),
    ):
        ax.plot(values, color=colour, linestyle="-", label=name)
        ax.plot([s, t], values[[s, t]], "o", color=colour, markeredgecolor="white")
    ax.plot(times, torch.zeros(len(times)), "|", color=INK, markersize=9, markeredgewidth=0.7)
    ax.set(xlabel=f"s = {s}, t = {t}", xlim=(-10, 1010))
    ax.legend(loc="center right")


def _pairs(
    ax: Axes, schedule: Schedule, piece: tuple[int, int], coefficients: Coefficients
) -> None:
    """Draw x_s = κ x_t + σ ε for x_t of its marginal: what is left of a step where x_0 = 0."""
    t, _ = piece
    kappa, _, sigma = coefficients
    noise = torch.randn(2, PAIRS, generator=Generator().manual_seed(3), dtype=torch.float64)
    x_t = schedule.beta_bar[t] * noise[0]
    edge = torch.tensor([-REACH, REACH])
    ax.fill_between(edge, kappa * edge - sigma, kappa * edge + sigma, color=MIDDLE, alpha=0.16)
    ax.plot(edge, kappa * edge, "-", color=MIDDLE, label="κ $x_t$ ± σ")
    ax.plot(x_t, kappa * x_t + sigma * noise[1], ".", color=INK, markersize=3, alpha=0.6)
    ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    ax.set(xlabel="$x_t$, given $x_0 = 0$", ylabel="$x_s$")
    ax.legend(loc="upper left", borderaxespad=0)
