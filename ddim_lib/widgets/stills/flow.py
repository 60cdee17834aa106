"""One picture of a flow, by the library's own sampler."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from torch import Generator, Tensor

from ddim_lib import ode
from ddim_lib.checks import SIGMA_HAT, Eta
from ddim_lib.ddim import ddim_steps
from ddim_lib.exact import GaussianMixture
from ddim_lib.plots import DATA, NOISE, REFERENCE
from ddim_lib.schedule import Schedule
from ddim_lib.spacing import Spacing
from ddim_lib.widgets.stills.paper import figure_of

if TYPE_CHECKING:
    from ddim_lib.widgets.flow import FlowExplorer

INCHES = (7.2, 4.05)
MOST = 600  # points drawn
TRAILS = 120  # points that leave a path
PAIRS = 16  # points that are shown beside their exact paths
SOLVERS = {
    "ddim": ode.ddim,
    "midpoint": ode.midpoint,
    "heun": ode.heun,
    "dpmpp2m": ode.dpmpp2m,
    "rk4": ode.rk4,
}
HOLDS = (0.95, 0.7, 0.35)  # the share of the data that each contour holds


def still(explorer: "FlowExplorer") -> Figure:
    """Draw a whole flow, its paths and where it ends."""
    mixture, generator = explorer.mixture(), Generator().manual_seed(explorer.seed)
    points = min(explorer.points, MOST)
    x_T = torch.randn(points, 2, generator=generator, dtype=torch.float64)
    paths = _walk(explorer, mixture, x_T, generator)
    figure = figure_of(*INCHES, layout="none")
    ax = figure.add_axes((0, 0, 1, 1))
    _frame(ax, mixture)
    _contours(ax, mixture)
    if explorer.exact_path:
        _beside(ax, paths[:, :PAIRS].numpy(), _exact(mixture, x_T[:PAIRS]).numpy())
    else:
        _paths(ax, paths[:, :TRAILS].numpy())
    alpha = 0.3 if explorer.exact_path else 0.7
    x, y = paths[-1].T.numpy()
    ax.scatter(x, y, s=4, color=DATA, alpha=alpha, linewidths=0, zorder=3)
    return figure


def _walk(
    explorer: "FlowExplorer", mixture: GaussianMixture, x_T: Tensor, generator: Generator
) -> Tensor:
    """Return the positions at all times, (S+1, n, 2)."""
    schedule = Schedule.linear()
    times = schedule.times(explorer.steps, cast(Spacing, explorer.spacing))
    if explorer.solver != "ddim":
        return _ride(mixture, times, x_T, SOLVERS[explorer.solver])
    eta: Eta = SIGMA_HAT if explorer.sigma_hat else explorer.eta
    steps = ddim_steps(mixture.model(schedule), schedule, x_T, times, eta, generator)
    return torch.stack([x_T, *(step.x for step in steps)])


def _ride(
    mixture: GaussianMixture, times: Sequence[float], x_T: Tensor, solver: ode.Solver
) -> Tensor:
    schedule = Schedule.linear()
    steps = ode.ode_steps(mixture.model(schedule), schedule, x_T, times, solver)
    return torch.stack([x_T, *(step.x for step in steps)])


def _exact(mixture: GaussianMixture, x_T: Tensor) -> Tensor:
    """Return fine paths of the equation of η = 0, for the eye: the page's own go on to t = 0."""
    return _ride(mixture, Schedule.linear().times(160, "log-snr"), x_T, ode.rk4)


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
        ax.add_collection(LineCollection(list(piece), colors=[colour], linewidths=0.7))


def _beside(ax: Axes, paths: np.ndarray, exact: np.ndarray) -> None:
    """Paths (S+1, n, 2), solid, and the exact ones (moments, n, 2), dashed, their ends tied."""
    ties = np.stack([exact[-1], paths[-1]])
    lines = (paths, DATA, "-"), (exact, REFERENCE, (0, (4, 2.5))), (ties, REFERENCE, ":")
    for line, colour, style in lines:
        pen = LineCollection(
            list(line.swapaxes(0, 1)), colors=colour, linewidths=1, linestyles=[style]
        )
        ax.add_collection(pen)
    true, met = exact[-1].T, paths[-1].T
    ax.scatter(true[0], true[1], s=36, facecolors="none", edgecolors=REFERENCE, zorder=4)
    ax.scatter(met[0], met[1], s=9, color=DATA, linewidths=0, zorder=5)
