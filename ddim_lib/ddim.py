"""The sampler: one step from t to the cleaner s, and the walk from noise to data.

x_s = κ x_t + λ x̂_0 + σ ε          σ = η (β̄_s/β̄_t) √(1 − ᾱ_t²/ᾱ_s²)
                                   κ = √(β̄_s² − σ²) / β̄_t
                                   λ = ᾱ_s − κ ᾱ_t
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ddim_lib.checks import (
    SIGMA_HAT,
    Eta,
    Model,
    Time,
    ask,
    check_eta,
    check_generator,
    check_match,
    check_order,
)
from ddim_lib.process import check_walk, predict_x0
from ddim_lib.schedule import Schedule


class Coefficients(NamedTuple):
    """κ, λ, σ of the step  x_s = κ x_t + λ x̂_0 + σ ε;  dimensionless."""

    kappa: float
    lambda_: float
    sigma: float


class Step(NamedTuple):
    """Where the walk stands: the time t just reached, x there, and the x̂_0 that led to it."""

    t: Time
    x: Tensor
    x0_hat: Tensor


def ddim_coefficients(schedule: Schedule, t: Time, s: Time, eta: Eta) -> Coefficients:
    """κ, λ, σ of the step t → s: the marginals fix two of them, η the third.

    eta: dimensionless; 0 deterministic, 1 the DDPM posterior; as large as σ <= β̄_s allows.
    "sigma-hat" stands for `ddpm_large_coefficients`, here and wherever an η is asked for.
    Raises ValueError: times out of order or range, eta < 0, σ² > β̄_s².
    Source: Song et al. 2021 (DDIM), eqs. 7 and 16; chapter 3, eqs. (3.5) and (3.9).
    """
    t, s = check_order(t, s, schedule.T)
    eta = check_eta(eta)
    if eta == SIGMA_HAT:
        return ddpm_large_coefficients(schedule, t, s)
    a_t, b_t, a_s, b_s = schedule.at(t, s)
    sigma = eta * (b_s / b_t) * sqrt(1 - (a_t / a_s) ** 2)
    if sigma > b_s * (1 + 1e-12):
        raise ValueError(
            f"need sigma**2 <= beta_bar_s**2 = {b_s**2:.6g}, "
            f"got {sigma * sigma:.6g} at eta={eta}, t={t}, s={s}"
        )
    kappa = sqrt(max(b_s**2 - sigma**2, 0.0)) / b_t
    lambda_ = a_s - kappa * a_t
    return Coefficients(kappa, lambda_, sigma)


def ddpm_large_coefficients(schedule: Schedule, t: Time, s: Time) -> Coefficients:
    """κ and λ of η = 1 with the larger noise  σ̂ = √(1 − ᾱ_t²/ᾱ_s²),  none where s = 0.

    Outside the κ, λ family: x_s gets more variance than its marginal has. Raises as the above.
    Source: Song et al. 2021 (DDIM), section 5 (σ̂); Ho et al. 2020, section 3.2 (σ² = β²).
    """
    kappa, lambda_, _ = ddim_coefficients(schedule, t, s, eta=1.0)
    a_t, _, a_s, _ = schedule.at(t, s)
    sigma_hat = sqrt(1 - (a_t / a_s) ** 2) if s > 0 else 0.0
    return Coefficients(kappa, lambda_, sigma_hat)


def ddim_step(
    schedule: Schedule,
    x_t: Tensor,
    eps_hat: Tensor,
    t: Time,
    s: Time,
    eta: Eta = 0.0,
    noise: Tensor | None = None,
) -> Tensor:
    """Move x_t to the cleaner time s:  x_s = κ x_t + λ x̂_0 + σ ε.

    x_t, eps_hat, noise: (batch, *dims), data units. t, s: numbers, 0 <= s < t <= T, the same for
    the whole batch (`predict_x0` and `q_sample` take a time a row, a step does not).
    eta: dimensionless; 0 deterministic, 1 the DDPM posterior, "sigma-hat" DDPM's larger noise.
    Raises ValueError or TypeError: times out of order or a batch of them, σ > 0 without noise,
    σ² > β̄_s², shapes or dtypes that differ, NaN.
    Source: Song et al. 2021 (DDIM), eq. 12; chapter 3, eq. (3.10).
    """
    kappa, lambda_, sigma = ddim_coefficients(schedule, t, s, eta)
    x0_hat = predict_x0(schedule, x_t, eps_hat, t)
    x_s = kappa * x_t + lambda_ * x0_hat
    if noise is not None:
        check_match("noise", noise, "x_t", x_t)
        return x_s + sigma * noise
    if sigma > 0:
        raise ValueError(f"need noise where sigma > 0, got noise=None at sigma={sigma:.6g}")
    return x_s


def ddpm_large_step(
    schedule: Schedule, x_t: Tensor, eps_hat: Tensor, t: Time, s: Time, noise: Tensor | None = None
) -> Tensor:
    """Move x_t to s with the mean of η = 1 and the larger noise σ̂: `ddim_step` at "sigma-hat"."""
    return ddim_step(schedule, x_t, eps_hat, t, s, SIGMA_HAT, noise)


def ddim_steps(
    model: Model,
    schedule: Schedule,
    x_T: Tensor,
    times: Sequence[Time],
    eta: Eta = 0.0,
    generator: Generator | None = None,
) -> Iterator[Step]:
    """Walk from x_T down the times with one η, yielding a `Step` after each move.

    model(x_t, t) -> ε̂ shaped like x_t, t a number. x_T: (batch, *dims), data units, at times[0].
    times: strictly falling, e.g. `schedule.times(50)`. eta: a number, or "sigma-hat" for DDPM's
    larger noise. One noise tensor is drawn a step, none at η = 0.
    Raises ValueError or TypeError, before the first model call: times out of order, η out of
    range, η > 0 without a generator, x_T not float or not finite. No gradient is recorded.
    Source: Song et al. 2021 (DDIM), eq. 12 over a sub-sequence (section 4.2).
    """
    walk = _set_out(model, schedule, x_T, times, eta, generator)
    return (Step(s, x.clone(), x0_hat) for s, x, x0_hat in walk)


def _set_out(model, schedule, x_T, times, eta, generator) -> Iterator[Step]:
    """Check all that a walk is given, and walk: each x is the walk's own, which moves it on."""
    times, eta = check_walk(model, schedule, x_T, times), check_eta(eta)
    moves = [(t, s, ddim_coefficients(schedule, t, s, eta)) for t, s in pairwise(times)]
    check_generator(generator, x_T, eta)
    return _walk(model, schedule, x_T.detach().clone(), moves, generator if eta != 0 else None)


@torch.no_grad()
def _walk(model, schedule, x: Tensor, moves, generator) -> Iterator[Step]:
    for t, s, (kappa, lambda_, sigma) in moves:
        x0_hat = predict_x0(schedule, x, ask(model, x, t), t)
        x.mul_(kappa).add_(lambda_ * x0_hat)  # x = κ x + λ x̂_0
        if generator is not None:
            eps = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
            x.add_(eps.mul_(sigma))  # + σ ε
        yield Step(s, x, x0_hat)


def ddpm_large_steps(
    model: Model, schedule: Schedule, x_T: Tensor, times: Sequence[Time], generator: Generator
) -> Iterator[Step]:
    """Walk from x_T down the times with the larger noise σ̂: `ddim_steps` at "sigma-hat"."""
    return ddim_steps(model, schedule, x_T, times, SIGMA_HAT, generator)


def sample(
    model: Model,
    schedule: Schedule,
    x_T: Tensor,
    steps: int = 50,
    eta: Eta = 0.0,
    generator: Generator | None = None,
) -> Tensor:
    """Turn noise into data in `steps` uniform steps: the x of the last of `ddim_steps`.

    x_T: (batch, *dims), standard normal. Returns x_0, data units. Raises as `ddim_steps` does.
    """
    for step in _set_out(model, schedule, x_T, schedule.times(steps), eta, generator):
        x_0 = step.x
    return x_0
