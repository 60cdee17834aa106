"""The forward process in one jump, and the two ways to read its equation backwards."""

from collections.abc import Iterable

import torch
from torch import Generator, Tensor

from ddim_lib.checks import (
    Model,
    Time,
    check_after_clean,
    check_callable,
    check_data,
    check_match,
    check_times,
)
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


def seeded(seed: int) -> Generator:
    """A generator that begins at seed: what is drawn with it is the same noise every time.

    seed: an integer from 0; another type or a larger one than 2**64 - 1 is an error of torch.
    """
    return Generator().manual_seed(seed)


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
    return (-beta_bar * eps_hat).add_(x_t).div_(alpha_bar)  # one new tensor, not three


def predict_eps(schedule: Schedule, x_t: Tensor, x0_hat: Tensor, t: Time | Tensor) -> Tensor:
    """Noise that x_t and an estimate of the clean data imply:  ε̂ = (x_t − ᾱ_t x̂_0) / β̄_t.

    x_t, x0_hat: (batch, *dims), data units. t: a number or (batch,), 0 < t <= T.
    Raises ValueError or TypeError: t out of range, shapes or dtypes that differ, NaN.
    Source: Song et al. 2021 (DDIM), eq. 9, solved for ε.
    """
    check_data("x_t", x_t)
    check_match("x0_hat", x0_hat, "x_t", x_t)
    check_after_clean(t, "there is no noise to predict")
    alpha_bar, beta_bar = amplitudes(schedule, t, x_t)
    return (x_t - alpha_bar * x0_hat) / beta_bar


def slerp(z_0: Tensor, z_1: Tensor, w: float) -> Tensor:
    """Mix two noises along the arc between them:  (sin (1−w)φ z_0 + sin wφ z_1) / sin φ.

    z_0, z_1: one picture each, any shape; φ: the angle between them, not 180°. w: 0 gives z_0, 1
    gives z_1; where both are as long, so is every mixture. Where they are parallel it is a line.
    Raises ValueError or TypeError: shapes or dtypes that differ, NaN.
    Source: Shoemake 1985; Song et al. 2021 (DDIM), section 5.3.
    """
    check_data("z_0", z_0)
    check_match("z_1", z_1, "z_0", z_0)
    phi = torch.cosine_similarity(z_0.flatten(), z_1.flatten(), dim=0).clamp(-1, 1).acos()
    if phi < 1e-3:
        return torch.lerp(z_0, z_1, w)
    return (torch.sin((1 - w) * phi) * z_0 + torch.sin(w * phi) * z_1) / torch.sin(phi)


def check_made_for(model: object, schedule: Schedule) -> None:
    """Raise if the model says, by its attribute `schedule`, that it was made for another one."""
    own = getattr(model, "schedule", None)
    if own is schedule or not isinstance(own, Schedule):
        return
    if own.T != schedule.T or (own.alpha_bar - schedule.alpha_bar).abs().max() > 1e-4:
        raise ValueError(
            f"need the schedule that the model was made for, {own}, got {schedule}: sample with "
            "that one, or hand in a function that translates the time, lambda x, t: model(x, ...)"
        )


def check_walk(
    model: Model, schedule: Schedule, x: Tensor, times: Iterable[Time], name: str = "x_T"
) -> list[Time]:
    """Check what every walk from x along the times is given; return the times as numbers."""
    check_data(name, x)
    check_callable("model", model, "eps_hat = model(x_t, t)")
    check_made_for(model, schedule)
    return check_times(times, schedule.T)
