"""Distributions whose noise predictor is known exactly: no network, no training error.

The best ε̂ in mean square is ε*(x, t) = E[ε | x_t = x] = −β̄_t ∇ log p_t(x).
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ddim_lib.checks import Model, Time, check_after_clean, check_count, check_data
from ddim_lib.process import amplitudes, predict_eps
from ddim_lib.schedule import Schedule


class GaussianMixture:
    """A mixture of K Gaussians in d dimensions, noised exactly.

    means: (K, d). covariances: (K, d, d), symmetric, positive definite. weights: (K,), positive,
    normalised here. All float64, data units. Raises ValueError if they do not fit together.
    """

    def __init__(self, means: Tensor, covariances: Tensor, weights: Tensor) -> None:
        self._check(means, covariances, weights)
        self._means = means.to(torch.float64, copy=True)
        self._covariances = (covariances.double() + covariances.double().mT) / 2
        self._weights = weights.double() / weights.double().sum()
        self._variances, self._axes = torch.linalg.eigh(self._covariances)
        self._along = self._axes.transpose(0, 1).flatten(1)  # (d, K·d): x @ it, along every axis
        if not (self._variances > 0).all():
            raise ValueError(
                f"need positive definite covariances, got eigenvalue {self._variances.min():.3g}"
            )

    @property
    def means(self) -> Tensor:
        """(K, d) float64; a copy, as all that is handed out."""
        return self._means.clone()

    @property
    def covariances(self) -> Tensor:
        """(K, d, d) float64."""
        return self._covariances.clone()

    @property
    def weights(self) -> Tensor:
        """(K,) float64, of sum 1."""
        return self._weights.clone()

    @staticmethod
    def _check(means: Tensor, covariances: Tensor, weights: Tensor) -> None:
        for name, value in (("means", means), ("covariances", covariances), ("weights", weights)):
            if not isinstance(value, Tensor):
                raise TypeError(f"need a torch tensor as {name}, got {type(value).__name__}")
        if means.ndim != 2 or means.numel() == 0:
            raise ValueError(f"need means of shape (K, d), K >= 1, got {tuple(means.shape)}")
        K, d = means.shape
        if covariances.shape != (K, d, d) or weights.shape != (K,):
            raise ValueError(
                f"need covariances {(K, d, d)} and weights {(K,)}, "
                f"got {tuple(covariances.shape)} and {tuple(weights.shape)}"
            )
        for name, value in (("means", means), ("covariances", covariances), ("weights", weights)):
            check_data(name, value)
        if not (weights > 0).all():
            raise ValueError(f"need positive weights, got {weights.min():.3g}")
        skew = (covariances - covariances.mT).abs().amax((1, 2))
        if not (skew <= 1e-5 * covariances.abs().amax((1, 2))).all():
            raise ValueError(f"need symmetric covariances, got entries {skew.max():.3g} apart")

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draw n points, (n, d) float64."""
        n = check_count("n", n, 1)
        k = torch.multinomial(self._weights, n, replacement=True, generator=generator)
        z = torch.randn(n, self._means.shape[1], generator=generator, dtype=torch.float64)
        return self._means[k] + torch.einsum(
            "nij,nj->ni", self._axes[k], self._variances[k].sqrt() * z
        )

    def _components(self, schedule: Schedule, x: Tensor, t: Time | Tensor) -> tuple[Tensor, ...]:
        """Along each component's axes: offsets and variances at time t, and log densities."""
        check_data("x", x)
        if x.ndim != 2 or x.shape[1] != self._means.shape[1]:
            raise ValueError(f"need x of shape (n, {self._means.shape[1]}), got {tuple(x.shape)}")
        x = x.double()
        alpha_bar, beta_bar = amplitudes(schedule, t, x[:, None])
        centres = torch.einsum("ki,kij->kj", self._means, self._axes)
        offset = (x @ self._along).view(len(x), *centres.shape) - alpha_bar * centres
        variance = alpha_bar**2 * self._variances + beta_bar**2
        log_p = -0.5 * (offset**2 / variance + torch.log(2 * math.pi * variance)).sum(-1)
        return offset, variance, log_p + self._weights.log()

    def log_prob(self, schedule: Schedule, x: Tensor, t: Time | Tensor) -> Tensor:
        """Evaluate log p_t(x) of the noised mixture, (n,) float64; x: (n, d)."""
        return self._components(schedule, x, t)[2].logsumexp(1)

    def score(self, schedule: Schedule, x: Tensor, t: Time | Tensor) -> Tensor:
        """∇ log p_t(x), (n, d) in the dtype of x; 1/data units."""
        offset, variance, log_p = self._components(schedule, x, t)
        pull = log_p.softmax(1)[..., None] * offset / variance
        return -(pull.flatten(1) @ self._along.T).to(x.dtype)

    def eps(self, schedule: Schedule, x: Tensor, t: Time | Tensor) -> Tensor:
        """The exact noise predictor ε*(x, t) = −β̄_t ∇ log p_t(x), (n, d) in the dtype of x.

        Raises ValueError: x not (n, d), t outside [0, T], NaN.
        Source: Tweedie's formula; chapter 1.
        """
        return -amplitudes(schedule, t, x)[1] * self.score(schedule, x, t)

    def model(self, schedule: Schedule) -> Model:
        """Return ε* with its schedule given: a model (x, t) -> ε̂ for every sampler here."""
        return ExactModel(self, schedule)


class EmpiricalData:
    """A finite data set as a distribution: its exact predictor, which can only repeat the data.

    points: (N, *dims), float32 or float64, data units. Raises TypeError or ValueError otherwise.
    """

    def __init__(self, points: Tensor) -> None:
        check_data("points", points)
        self._points = points.clone()
        self._flat = points.to(torch.float64, copy=True).reshape(len(points), -1)

    @property
    def points(self) -> Tensor:
        """(N, *dims), in the dtype they came in; a copy."""
        return self._points.clone()

    def sample(self, n: int, generator: Generator) -> Tensor:
        """Draw n of the points with replacement, (n, *dims)."""
        n = check_count("n", n, 1)
        return self._points[torch.randint(len(self._points), (n,), generator=generator)]

    def weights(self, schedule: Schedule, x: Tensor, t: Time | Tensor) -> Tensor:
        """P(x_0 = point | x_t = x), (n, N) in float64: the softmax over squared distances."""
        check_data("x", x)
        if x.shape[1:] != self._points.shape[1:]:
            raise ValueError(
                f"need x of shape (n, {', '.join(map(str, self._points.shape[1:]))}), "
                f"got {tuple(x.shape)}"
            )
        x = x.double().reshape(len(x), -1)
        check_after_clean(t, "the density is a set of spikes")
        alpha_bar, beta_bar = amplitudes(schedule, t, x)
        # |x|² is the same for every point: the softmax does not see it.
        squares = alpha_bar**2 * (self._flat**2).sum(1) - 2 * alpha_bar * (x @ self._flat.T)
        return (-squares / (2 * beta_bar**2)).softmax(1)

    def eps(self, schedule: Schedule, x: Tensor, t: Time | Tensor) -> Tensor:
        """The exact noise predictor ε*(x, t) = (x − ᾱ_t E[x_0 | x_t = x]) / β̄_t, shaped like x.

        Raises ValueError: x not shaped like the points, t outside (0, T], NaN.
        Source: Tweedie's formula; chapter 1.
        """
        x0_mean = self.weights(schedule, x, t) @ self._flat
        return predict_eps(schedule, x.double(), x0_mean.reshape(x.shape), t).to(x.dtype)

    def model(self, schedule: Schedule) -> Model:
        """Return ε* with its schedule given: a model (x, t) -> ε̂ for every sampler here."""
        return ExactModel(self, schedule)


@dataclass(frozen=True)
class ExactModel:
    """ε* of a distribution as a model, which knows the schedule that it is for."""

    exact: GaussianMixture | EmpiricalData
    schedule: Schedule

    def __call__(self, x: Tensor, t: Time | Tensor) -> Tensor:
        return self.exact.eps(self.schedule, x, t)
