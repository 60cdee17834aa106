"""Answers worked out without the library: NumPy tables, Bayes' rule, closed forms, quadrature."""

import math

import numpy as np
import torch
from hypothesis import settings
from scipy.integrate import solve_ivp

PROPERTY = settings(deadline=None, derandomize=True, database=None)  # the same cases every run

BETA_POWER = np.linspace(1e-4, 0.02, 1000)  # Ho et al. 2020, section 4
SIGNAL = np.sqrt(np.concatenate([[1.0], np.cumprod(1 - BETA_POWER)]))  # signal amplitude, 0 … 1000
NOISE = np.sqrt(1 - SIGNAL**2)
ANGLE = np.arctan2(NOISE, SIGNAL)


def bayes(t: int, s: int) -> tuple[float, float, float]:
    """Posterior of x_s given x_t and x_0: weight of x_t, weight of x_0, variance (0 < s < t).

    Completes the square in x_s of  prior N(a_s x_0, 1 − a_s²)  times
    likelihood N(x_t; r x_s, 1 − r²): precisions add, and so do precision-weighted means.
    """
    keep = math.sqrt(np.prod(1 - BETA_POWER[s:t]))
    prior, likelihood = 1 / (1 - SIGNAL[s] ** 2), 1 / (1 - keep**2)
    precision = prior + keep**2 * likelihood
    return keep * likelihood / precision, SIGNAL[s] * prior / precision, 1 / precision


def regress(t: int, s: int) -> tuple[float, float, float]:
    """As `bayes`, by linear regression of x_s on (x_t, x_0) from their joint covariance.

    x_0, n_1, n_2 are independent with variance 1;  x_s = a_s x_0 + b_s n_1,  x_t = r x_s + … n_2.
    """
    keep = math.sqrt(np.prod(1 - BETA_POWER[s:t]))
    x_0 = np.array([1.0, 0, 0])
    x_s = np.array([SIGNAL[s], NOISE[s], 0])
    x_t = keep * x_s + np.array([0, 0, math.sqrt(1 - keep**2)])
    known = np.stack([x_t, x_0])
    weights = np.linalg.solve(known @ known.T, known @ x_s)
    return weights[0], weights[1], x_s @ x_s - weights @ (known @ x_s)


def gaussian_eps(signal: float, noise: float, x, mean: float, scale: float):
    """E[ε | signal x_0 + noise ε = x] for x_0 ~ N(mean, scale²): regression of ε on x."""
    return noise / (signal**2 * scale**2 + noise**2) * (x - signal * mean)


def log_density(signal: float, noise: float, means, covariances, weights):
    """Evaluate log p_t of a noised mixture, by torch.distributions."""
    eye = torch.eye(means.shape[1], dtype=means.dtype)
    return torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(weights),
        torch.distributions.MultivariateNormal(
            signal * means, signal**2 * covariances + noise**2 * eye
        ),
    ).log_prob


def autograd_score(log_prob, x: torch.Tensor) -> torch.Tensor:
    """Gradient of a log density at each row of x."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(log_prob(x).sum(), x)[0]


def mixture_slope(rho: float, y: np.ndarray, means, covariances, weights) -> np.ndarray:
    """dy/dρ = −ρ ∇ log p(y; ρ),  p(y; ρ) the mixture with ρ² added to its covariances; y: (n, d).

    Karras et al. 2022, eq. 3: no schedule, no times, no amplitudes.
    """
    pull, log_p = [], []
    for mean, covariance, weight in zip(means, covariances, weights, strict=True):
        total = covariance + rho**2 * np.eye(len(mean))
        solved = np.linalg.solve(total, (y - mean).T).T
        pull.append(solved)
        square = ((y - mean) * solved).sum(1)
        log_p.append(np.log(weight) - 0.5 * (square + np.log(np.linalg.det(total))))
    log_p = np.stack(log_p)
    p = np.exp(log_p - log_p.max(0))
    return rho * np.einsum("kn,knd->nd", p / p.sum(0), np.stack(pull))


def exact_flow(x: np.ndarray, rho_from: float, rho_to: float, mixture) -> np.ndarray:
    """Carry x, (n, d), along the ODE of η = 0 with SciPy; its amplitude is 1/√(1 + ρ²)."""
    solution = solve_ivp(
        lambda rho, y: mixture_slope(rho, y.reshape(x.shape), *mixture).ravel(),
        (rho_from, rho_to),
        (x * math.sqrt(1 + rho_from**2)).ravel(),
        method="DOP853",
        rtol=1e-12,
        atol=1e-12,
    )
    assert solution.success, solution.message
    return solution.y[:, -1].reshape(x.shape) / math.sqrt(1 + rho_to**2)
