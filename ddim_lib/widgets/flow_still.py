"""One picture of a flow, by the library's own sampler: what stands where nothing moves."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from torch import Generator, Tensor

from ddim_lib.ddim import ddim_steps, ddpm_large_steps
from ddim_lib.exact import GaussianMixture
from ddim_lib.plots import DATA, NOISE
from ddim_lib.schedule import Schedule
from ddim_lib.widgets.paper import figure_of, png_of

INCHES = (7.2, 4.05)
TRAILS = 120  # points that leave a path
HOLDS = (0.95, 0.7, 0.35)  # the share of the data that each contour holds


def still(
    mixture: GaussianMixture, times: Sequence[int], eta: float | None, *, seed: int, points: int
) -> bytes:
    """Draw a whole flow, its paths and where it ends, as a PNG; eta: None for σ̂."""
    paths = _walk(mixture, times, eta, points, Generator().manual_seed(seed))
    figure = figure_of(*INCHES, layout="none")
    ax = figure.add_axes((0, 0, 1, 1))
    _frame(ax, mixture)
    _contours(ax, mixture)
    _paths(ax, paths[:, :TRAILS].numpy())
    ax.scatter(*paths[-1].T.numpy(), s=4, color=DATA, alpha=0.7, linewidths=0, zorder=3)
    return png_of(figure)


def _walk(
    mixture: GaussianMixture,
    times: Sequence[int],
    eta: float | None,
    points: int,
    generator: Generator,
) -> Tensor:
    schedule = Schedule.linear()
    x_T = torch.randn(points, 2, generator=generator, dtype=torch.float64)
    args = partial(mixture.eps, schedule), schedule, x_T, times
    large = eta is None
    steps = ddpm_large_steps(*args, generator) if large else ddim_steps(*args, eta, generator)
    return torch.stack([x_T, *(step.x for step in steps)])


def _frame(ax: Axes, mixture: GaussianMixture) -> None:
    reach = mixture.means.abs() + 3 * mixture.covariances.diagonal(dim1=1, dim2=2).sqrt()
    right, top = reach.amax(0).tolist()
    aspect = INCHES[0] / INCHES[1]
    right = max(right, 2.4, max(top, 1.6) * aspect)
    ax.set(xlim=(-right, right), ylim=(-right / aspect, right / aspect), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _contours(ax: Axes, mixture: GaussianMixture) -> None:
    schedule = Schedule.linear()
    limits = ax.get_xlim(), ax.get_ylim()
    x, y = (torch.linspace(*ends, 240, dtype=torch.float64) for ends in limits)
    where = torch.cartesian_prod(x, y)
    height = mixture.log_prob(schedule, where, 0).reshape(240, 240).T
    drawn = mixture.log_prob(schedule, mixture.sample(4000, Generator().manual_seed(1)), 0)
    levels = torch.quantile(drawn, 1 - torch.tensor(HOLDS, dtype=torch.float64)).tolist()
    fills = [(*to_rgba(DATA)[:3], alpha) for alpha in (0.1, 0.2, 0.3)]
    ax.contourf(x, y, height, levels=[*levels, 1e9], colors=fills)


def _paths(ax: Axes, paths: np.ndarray) -> None:
    """Lines of (S+1, n, 2) positions, orange and faint at the noise, blue at the data."""
    pieces = np.stack([paths[:-1], paths[1:]], axis=2)
    share = np.linspace(0, 1, len(pieces))[:, None]
    colours = (1 - share) * to_rgba(NOISE) + share * np.array(to_rgba(DATA))
    colours[:, 3] = 0.05 + 0.3 * share[:, 0] ** 2
    for piece, colour in zip(pieces, colours, strict=True):
        ax.add_collection(LineCollection(piece, colors=[colour], linewidths=0.7))
