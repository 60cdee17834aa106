"""One picture of many paths, by the library's own sampler."""

from typing import TYPE_CHECKING

import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Generator, Tensor

from ddim_lib.data import two_spikes
from ddim_lib.ddim import ddim_steps
from ddim_lib.exact import GaussianMixture
from ddim_lib.plots import DATA, NOISE
from ddim_lib.schedule import Schedule
from ddim_lib.widgets.stills.paper import INK, figure_of

if TYPE_CHECKING:
    from ddim_lib.widgets.paths import PathsExplorer

EDGE = 3.2  # of the axis of values
DRAWN = 90  # thin paths at most
FAINT = LinearSegmentedColormap.from_list("faint", ["white", "#66aad1"])


def still(explorer: "PathsExplorer") -> Figure:
    """Draw paths over the exact density, and where they end beside the data's."""
    schedule, heaps = Schedule.linear(), GaussianMixture(*two_spikes())
    times = schedule.times(explorer.steps)
    paths = _walk(explorer, schedule, heaps, times)
    figure = figure_of(7.2, 3.2)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(6, 1))
    _density(left, schedule, heaps)
    left.plot(times, paths[:, 1 : DRAWN + 1], "-", color=INK, lw=0.5, alpha=0.5)
    left.plot(times, paths[:, 0], "-", color="white", lw=4.5)
    left.plot(times, paths[:, 0], "-", color=NOISE, lw=2.2)
    left.set(xlim=(1000, 0), ylim=(-EDGE, EDGE), ylabel="x")
    left.set_xlabel("time t, from noise to data")
    _ends(right, schedule, heaps, paths[-1, 1:])
    return figure


def _walk(
    setting: "PathsExplorer", schedule: Schedule, heaps: GaussianMixture, times: list[int]
) -> Tensor:
    """All positions, (S+1, count + 1): first the path drawn thick, then the others."""
    generator = Generator().manual_seed(setting.seed)
    x_T = torch.randn(setting.count + 1, 1, generator=generator, dtype=torch.float64)
    x_T[0] = setting.start

    def model(x: Tensor, t: float) -> Tensor:
        wrong = setting.spoilt and 400 <= t <= 800
        return heaps.eps(schedule, x, t) + (0.3 * torch.sin(4 * x) if wrong else 0)

    steps = ddim_steps(model, schedule, x_T, times, setting.eta_used(), generator)
    return torch.stack([x_T, *(step.x for step in steps)])[..., 0]


def _density(ax: Axes, schedule: Schedule, heaps: GaussianMixture) -> None:
    """The root of the density, so that thin parts show."""
    x = torch.linspace(-EDGE, EDGE, 161, dtype=torch.float64)[:, None]
    columns = [heaps.log_prob(schedule, x, t) for t in range(1000, -1, -10)]
    height = (torch.stack(columns, dim=1) / 2).exp()
    ax.imshow(
        height, origin="lower", extent=(1000, 0, -EDGE, EDGE), aspect="auto", cmap=FAINT, vmin=0
    )


def _ends(ax: Axes, schedule: Schedule, heaps: GaussianMixture, ends: Tensor) -> None:
    bins = (torch.arange(-32, 33) / 10).tolist()
    ax.hist(ends, bins, density=True, orientation="horizontal", color=DATA, alpha=0.6)
    x = torch.linspace(-EDGE, EDGE, 257, dtype=torch.float64)
    ax.plot(heaps.log_prob(schedule, x[:, None], 0).exp(), x, "--", color=INK, lw=1.2)
    ax.set(xticks=[], xlabel="ends", xlim=(0, 1.8))
