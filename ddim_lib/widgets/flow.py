"""The flow explorer: noise flows into data under the reader's hand, with no kernel needed."""

from collections.abc import Callable
from typing import get_args

import torch
import traitlets
from matplotlib.figure import Figure

from ddim_lib import data
from ddim_lib.checks import SIGMA_HAT, Eta
from ddim_lib.data import MixtureParameters
from ddim_lib.exact import GaussianMixture
from ddim_lib.spacing import Spacing
from ddim_lib.widgets.base import Choice, Count, Explorer, Number, Switch
from ddim_lib.widgets.letters import letters
from ddim_lib.widgets.parts import bundle
from ddim_lib.widgets.stills import flow as stills

SHAPES: dict[str, Callable[[], MixtureParameters]] = {
    "DDIM": letters,
    "ring": data.ring,
    "moons": data.moons,
    "spiral": data.spiral,
    "grid": data.grid,
}


class FlowExplorer(Explorer):
    """Points that flow from noise to data, sampled in the page itself; `flow` makes one.

    eta, steps, sigma_hat, spacing, data, seed: the setting shown; observe, link and jslink them as
    with any ipywidget. sigma_hat: DDPM's larger noise, instead of η. solver: of the equation of
    η = 0; η and σ̂ are out of play with any but ddim. exact_path: the equation's own paths beside
    those of the same points. mixtures: for each name of `data` a row (w, mean x, mean y, cov xx,
    cov xy, cov yy) a component.
    """

    _esm = bundle("flow.js")
    _css = bundle("flow.css")

    eta = Number(0.0, 0, 1)
    steps = Count(20, 1, 1000)
    sigma_hat = Switch()
    solver = Choice(*stills.SOLVERS)
    exact_path = Switch()
    spacing = Choice(*get_args(Spacing))
    data: traitlets.TraitType = traitlets.TraitType("DDIM").tag(sync=True)
    seed = Count(0, 0, 2**32 - 1)
    points = Count(1000, 1, 100_000)
    mixtures = traitlets.Dict().tag(sync=True)

    @traitlets.default("alt")
    def _in_words(self) -> str:
        beside = ", beside their exact paths" if self.exact_path else ""
        return f"{self.points} points flow from noise to the data set {self.data}{beside}"

    @traitlets.validate("data")
    def _check_data(self, proposal: dict) -> str:
        name = proposal["value"]
        if not isinstance(name, str) or name not in self.mixtures:
            known = ", ".join(self.mixtures) or "none"
            raise ValueError(f"need data among {known}, got {name!r}")
        return name

    def _walk(self) -> str:
        steps = f"{self.steps} {'step' if self.steps == 1 else 'steps'}"
        noise = "σ̂" if self.sigma_hat else f"η = {self.eta:.2f}"
        walk = f"{steps}, {noise}" if self.solver == "ddim" else f"{steps} of {self.solver}"
        return f"{walk}, exact paths" if self.exact_path else walk

    @property
    def _setting(self) -> str:
        return f"data={self.data!r}; {self._walk()}, {self.spacing} times"

    def mixture(self) -> GaussianMixture:
        """Return the data set shown; raises ValueError on one that is empty or broken."""
        if not self.mixtures.get(self.data):
            known = ", ".join(name for name, row in self.mixtures.items() if row) or "none"
            raise ValueError(f"need data among those with components ({known}), got {self.data!r}")
        w, mx, my, xx, xy, yy = torch.tensor(self.mixtures[self.data], dtype=torch.float64).T
        covariances = torch.stack([xx, xy, xy, yy], dim=1).reshape(-1, 2, 2)
        return GaussianMixture(torch.stack([mx, my], dim=1), covariances, w)

    def figure(self) -> Figure:
        """Draw the setting by `ddim_lib` itself."""
        return stills.still(self)


def _kind(value: object) -> str:
    shape = getattr(value, "shape", None)
    return type(value).__name__ + ("" if shape is None else f" of shape {tuple(shape)}")


def rows(mixture: MixtureParameters | GaussianMixture) -> list[list[float]]:
    """Write a mixture in two dimensions as the page reads it: a row a component.

    Twelve digits of each number: the last ones differ from one processor to the next.
    """
    if not isinstance(mixture, MixtureParameters | GaussianMixture):
        raise TypeError(f"need a mixture: means, covariances and weights, got {_kind(mixture)}")
    means, covariances, weights = mixture.means, mixture.covariances, mixture.weights
    if means.ndim != 2 or means.shape[1] != 2 or not len(means):
        raise ValueError(f"need means of shape (K, 2), K >= 1, got {tuple(means.shape)}")
    checked = GaussianMixture(means, covariances, weights)
    parts = checked.weights[:, None], means, covariances[:, 0], covariances[:, 1, 1:]
    return [[float(f"{v:.12g}") for v in row] for row in torch.cat(parts, dim=1).tolist()]


def flow(
    mixture: str | MixtureParameters | GaussianMixture = "DDIM",
    eta: Eta = 0.0,
    steps: int = 20,
    *,
    spacing: Spacing = "uniform",
    solver: str = "ddim",
    exact_path: bool = False,
    seed: int = 0,
) -> FlowExplorer:
    """Let points flow from noise to data under two sliders, η and the number of steps.

    mixture: a name among DDIM, ring, moons, spiral, grid, or a mixture of your own in two
    dimensions. eta: 0 … 1, or "sigma-hat", DDPM's larger noise. steps: 1 … 1000. solver: ddim,
    midpoint, heun, dpmpp2m or rk4; with any but ddim, eta is out of play. exact_path: show where
    the equation of η = 0 leads the same points.
    Raises ValueError or TypeError on anything else.
    """
    mixtures = {name: rows(shape()) for name, shape in SHAPES.items()}
    if not isinstance(mixture, str):
        mixtures = {"yours": rows(mixture), **mixtures}
        mixture = "yours"
    if mixture not in mixtures:
        raise ValueError(f"need a mixture among {', '.join(mixtures)}, got {mixture!r}")
    large = isinstance(eta, str) and eta == SIGMA_HAT
    return FlowExplorer(
        mixtures=mixtures,
        data=mixture,
        eta=0.0 if large else eta,
        sigma_hat=large,
        steps=steps,
        spacing=spacing,
        solver=solver,
        exact_path=exact_path,
        seed=seed,
    )
