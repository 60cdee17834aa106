"""The flow explorer: noise flows into data under the reader's hand, with no kernel needed."""

import base64
from typing import get_args

import anywidget
import torch
import traitlets

from ddim_lib import data
from ddim_lib.checks import SIGMA_HAT, check_count
from ddim_lib.data import MixtureParameters
from ddim_lib.exact import GaussianMixture
from ddim_lib.schedule import Schedule
from ddim_lib.spacing import Spacing
from ddim_lib.widgets.flow_still import SOLVERS, Path, still
from ddim_lib.widgets.letters import letters
from ddim_lib.widgets.parts import bundle

OTHER = ("sigma_hat", "seed", "points")  # settings that `flow` hands on
WHOLE = {"seed": (0, 2**32 - 1), "points": (1, 100_000)}
SHAPES = {
    "DDIM": letters,
    "ring": data.ring,
    "moons": data.moons,
    "spiral": data.spiral,
    "grid": data.grid,
}


class FlowExplorer(anywidget.AnyWidget):
    """Points that flow from noise to data, sampled in the page itself; `flow` makes one.

    eta, steps, sigma_hat, spacing, data, seed: the setting shown; observe, link and jslink them as
    with any ipywidget. sigma_hat: DDPM's larger noise, instead of η. solver: of the equation of
    η = 0; η and σ̂ are out of play with any but ddim. exact_path: the equation's own paths beside
    those of the same points. mixtures: for each name of `data` a row (w, mean x, mean y, cov xx,
    cov xy, cov yy) a component.
    """

    _esm = bundle("flow.js")
    _css = bundle("flow.css")
    _ipython_display_ = None  # ipywidgets 7 prefers it to the mime bundle, which has the picture

    eta = traitlets.Float(0.0).tag(sync=True)
    steps = traitlets.Int(20).tag(sync=True)
    sigma_hat = traitlets.Bool(False).tag(sync=True)
    solver = traitlets.Enum(tuple(SOLVERS), "ddim").tag(sync=True)
    exact_path = traitlets.Bool(False).tag(sync=True)
    spacing = traitlets.Enum(get_args(Spacing), "uniform").tag(sync=True)
    data = traitlets.Unicode("DDIM").tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    points = traitlets.Int(1000).tag(sync=True)
    mixtures = traitlets.Dict().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)

    @traitlets.default("alt")
    def _in_words(self) -> str:
        beside = ", beside their exact paths" if self.exact_path else ""
        return f"{self.points} points flow from noise to the data set {self.data}{beside}"

    @traitlets.validate("eta")
    def _check_eta(self, proposal: dict) -> float:
        if not 0 <= proposal["value"] <= 1:
            raise ValueError(f"need 0 <= eta <= 1, got eta={proposal['value']}")
        return proposal["value"]

    @traitlets.validate("steps")
    def _check_steps(self, proposal: dict) -> int:
        return check_count("steps", proposal["value"], 1, 1000)

    @traitlets.validate("seed", "points")
    def _check_whole(self, proposal: dict) -> int:
        name = proposal["trait"].name
        return check_count(name, proposal["value"], *WHOLE[name])

    @property
    def _setting(self) -> str:
        steps = f"{self.steps} {'step' if self.steps == 1 else 'steps'}"
        noise = "σ̂" if self.sigma_hat else f"η = {self.eta:.2f}"
        walk = f"{steps}, {noise}" if self.solver == "ddim" else f"{steps} of {self.solver}"
        return f"{walk}, exact paths" if self.exact_path else walk

    def __repr__(self) -> str:
        return f"FlowExplorer(data={self.data!r}; {self._setting}, {self.spacing} times)"

    def mixture(self) -> GaussianMixture:
        """Return the data set shown; raises ValueError on one that is empty or broken."""
        if not self.mixtures.get(self.data):
            known = ", ".join(name for name, row in self.mixtures.items() if row) or "none"
            raise ValueError(f"need data among those with components ({known}), got {self.data!r}")
        w, mx, my, xx, xy, yy = torch.tensor(self.mixtures[self.data], dtype=torch.float64).T
        covariances = torch.stack([xx, xy, xy, yy], dim=1).reshape(-1, 2, 2)
        return GaussianMixture(torch.stack([mx, my], dim=1), covariances, w)

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict, dict]:
        bundle, metadata = super()._repr_mimebundle_(**kwargs)
        bundle["image/png"] = base64.b64encode(self.still()).decode()
        return bundle, {**metadata, "image/png": {"alt": self.alt}}

    def still(self) -> bytes:
        """Draw the setting by `ddim_lib` itself, as a PNG: for places where nothing moves."""
        times = Schedule.linear().times(self.steps, self.spacing)
        eta = SIGMA_HAT if self.sigma_hat else self.eta
        path = Path(times, eta, self.solver, self.exact_path)
        return still(self.mixture(), path, seed=self.seed, points=min(self.points, 600))


def rows(mixture: MixtureParameters | GaussianMixture) -> list[list[float]]:
    """Write a mixture in two dimensions as the page reads it: a row a component.

    Twelve digits of each number: the last ones differ from one processor to the next.
    """
    means, covariances, weights = mixture.means, mixture.covariances, mixture.weights
    if means.ndim != 2 or means.shape[1] != 2 or not len(means):
        raise ValueError(f"need means of shape (K, 2), K >= 1, got {tuple(means.shape)}")
    checked = GaussianMixture(means, covariances, weights)
    parts = checked.weights[:, None], means, covariances[:, 0], covariances[:, 1, 1:]
    return [[float(f"{v:.12g}") for v in row] for row in torch.cat(parts, dim=1).tolist()]


def flow(
    mixture: str | MixtureParameters | GaussianMixture = "DDIM",
    eta: float = 0.0,
    steps: int = 20,
    *,
    spacing: Spacing = "uniform",
    solver: str = "ddim",
    exact_path: bool = False,
    **other: bool | int,
) -> FlowExplorer:
    """Let points flow from noise to data under two sliders, η and the number of steps.

    mixture: a name among DDIM, ring, moons, spiral, grid, or a mixture of your own in two
    dimensions. eta: 0 … 1. steps: 1 … 1000. solver: ddim, heun, dpmpp2m or rk4; the last three
    take neither eta nor sigma_hat. exact_path: show where the equation of η = 0 leads the same
    points. Other: sigma_hat=False, DDPM's larger noise instead of eta; seed=0; points=1000.
    Raises ValueError, TypeError for another name, TraitError for an unknown spacing or solver.
    """
    if unknown := [name for name in other if name not in OTHER]:
        raise TypeError(f"need names among {', '.join(OTHER)}, got {unknown[0]}")
    mixtures = {name: rows(shape()) for name, shape in SHAPES.items()}
    if not isinstance(mixture, str):
        mixtures = {"yours": rows(mixture), **mixtures}
        mixture = "yours"
    if mixture not in mixtures:
        raise ValueError(f"need a mixture among {', '.join(mixtures)}, got {mixture!r}")
    return FlowExplorer(
        mixtures=mixtures,
        data=mixture,
        eta=eta,
        steps=steps,
        spacing=spacing,
        solver=solver,
        exact_path=exact_path,
        **other,
    )
