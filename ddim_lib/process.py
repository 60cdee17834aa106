"""The forward process in one jump, and the two ways to read its equation backwards."""

import torch
from torch import Tensor

from ddim_lib.checks import Time, check_data, check_match
from ddim_lib.schedule import Schedule


def amplitudes(schedule: Schedule, t: Time | Tensor, x: Tensor) -> tuple:
    """ᾱ_t and β̄_t, ready to multiply x: floats, or tensors of shape (batch, 1, …, 1)."""
    alpha_bar, beta_bar = schedule.at(t)
    if not isinstance(alpha_bar, Tensor):
        return alpha_bar, beta_bar
    if alpha_bar.shape != x.shape[:1]:
        raise ValueError(
            f"need t as a number or of shape ({x.shape[0]},), got {tuple(alpha_bar.shape)}"
        )
    shape = (-1,) + (1,) * (x.ndim - 1)
    return tuple(v.to(x).reshape(shape) for v in (alpha_bar, beta_bar))


def q_sample(schedule: Schedule, x_0: Tensor, t: Time | Tensor, eps: Tensor) -> Tensor:
    """Noise clean data to time t in one jump:  x_t = ᾱ_t x_0 + β̄_t ε.

    x_0, eps: (batch, *dims), data units. t: a number or (batch,), 0 <= t <= T.
    Raises ValueError or TypeError: t out of range, shapes or dtypes that differ, NaN.
    Source: Ho et al. 2020, eq. 4.
    """
    check_data("x_0", x_0)
    check_match("eps", eps, "x_0", x_0)
    alpha_bar, beta_bar = amplitudes(schedule, t, x_0)
    return alpha_bar * x_0 + beta_bar * eps


def predict_x0(schedule: Schedule, x_t: Tensor, eps_hat: Tensor, t: Time | Tensor) -> Tensor:
    """Clean data that x_t and a noise estimate imply:  x̂_0 = (x_t − β̄_t ε̂) / ᾱ_t.

    x_t, eps_hat: (batch, *dims), data units. t: a number or (batch,), 0 <= t <= T.
    Raises ValueError or TypeError: t out of range, shapes or dtypes that differ, NaN.
    Source: Song et al. 2021 (DDIM), eq. 9.
    """
    check_data("x_t", x_t)
    check_match("eps_hat", eps_hat, "x_t", x_t)
    alpha_bar, beta_bar = amplitudes(schedule, t, x_t)
    return (x_t - beta_bar * eps_hat) / alpha_bar


def predict_eps(schedule: Schedule, x_t: Tensor, x0_hat: Tensor, t: Time | Tensor) -> Tensor:
    """Noise that x_t and an estimate of the clean data imply:  ε̂ = (x_t − ᾱ_t x̂_0) / β̄_t.

    x_t, x0_hat: (batch, *dims), data units. t: a number or (batch,), 0 < t <= T.
    Raises ValueError or TypeError: t out of range, shapes or dtypes that differ, NaN.
    Source: Song et al. 2021 (DDIM), eq. 9, solved for ε.
    """
    check_data("x_t", x_t)
    check_match("x0_hat", x0_hat, "x_t", x_t)
    if not torch.as_tensor(t > 0).all():
        raise ValueError(f"need t > 0 (at t = 0 there is no noise to predict), got t={t}")
    alpha_bar, beta_bar = amplitudes(schedule, t, x_t)
    return (x_t - alpha_bar * x0_hat) / beta_bar
