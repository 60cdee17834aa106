"""One picture of a posterior, by the library's own arithmetic."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ddim_lib.ddim import ddim_coefficients
from ddim_lib.plots import DATA, NOISE
from ddim_lib.schedule import Schedule
from ddim_lib.widgets.stills.paper import INK, MIDDLE, figure_of

if TYPE_CHECKING:
    from ddim_lib.widgets.posterior import PosteriorExplorer

EDGE = 3.5  # of the axis of values
LEAST = 0.012  # a spike is drawn this wide
BELLS = 0.6  # height of the prior and of the likelihood, the posterior's being 1


def still(explorer: "PosteriorExplorer") -> Figure:
    """Draw prior, likelihood and posterior of x_s, each of a height of its own."""
    schedule, piece, given = (
        explorer.schedule_used(),
        explorer.piece(),
        (explorer.x_0, explorer.x_t),
    )
    figure = figure_of(7.2, 3.2)
    ax = figure.subplots()
    _given(ax, schedule, piece, *given)
    _posterior(ax, schedule, piece, given, explorer.eta)
    ax.set(xlim=(-EDGE, EDGE), ylim=(-0.45, 1.5), yticks=[])
    ax.set_xlabel(f"$x_s$, s = {piece[1]}, between $x_0$ and $x_t$, t = {piece[0]}")
    ax.axhline(0, color=INK, linewidth=0.8, linestyle="-")
    ax.spines["left"].set_visible(False)
    ax.legend(loc="upper left", borderaxespad=0)
    return figure


def _bell(mean: float, sd: float) -> tuple[np.ndarray, np.ndarray]:
    sd = max(sd, LEAST)
    x = np.sort(np.append(np.linspace(-EDGE, EDGE, 400), mean + sd * np.linspace(-4, 4, 80)))
    return x, np.exp(-0.5 * ((x - mean) / sd) ** 2)


def _given(ax: Axes, schedule: Schedule, piece: tuple[int, int], x_0: float, x_t: float) -> None:
    """Draw the two points and what each says of x_s."""
    a_t, _, a_s, b_s = schedule.at(*piece)
    alpha = a_t / a_s
    likelihood = x_t / alpha, (1 - alpha**2) ** 0.5 / alpha
    for (mean, sd), given, level, colour, name in (
        (likelihood, x_t, 1.3, NOISE, "likelihood, from $x_t$"),
        ((a_s * x_0, b_s), x_0, -0.3, DATA, "prior, from $x_0$"),
    ):
        x, height = _bell(mean, sd)
        ax.plot(x, BELLS * height, "-", color=colour, label=name)
        ax.plot([given, mean], [level, BELLS if level > 0 else 0], ":", color=colour)
        ax.plot(given, level, "o", color=colour, markersize=9, clip_on=False)


def _posterior(
    ax: Axes,
    schedule: Schedule,
    piece: tuple[int, int],
    given: tuple[float, float],
    eta: float,
) -> None:
    x_0, x_t = given
    kappa, lambda_, sigma = ddim_coefficients(schedule, *piece, eta)
    mean = kappa * x_t + lambda_ * x_0
    x, height = _bell(mean, sigma)
    ax.fill_between(x, height, color=MIDDLE, alpha=0.28, linewidth=0)
    ax.plot(x, height, "-", color=MIDDLE, label="posterior")
    ax.plot([mean, mean], [0, 1], "-", color=MIDDLE, linewidth=1)
    words = f"κ $x_t$ + λ $x_0$ = {mean:.2f}, σ = {sigma:.2f}".replace("-", "−")
    ax.annotate(words, (mean, 1.04), ha="center", color=MIDDLE)
