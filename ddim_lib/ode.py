"""η = 0 as an ordinary differential equation, and the solvers that walk it.

With y = x/ᾱ and the noise level ρ = β̄/ᾱ the deterministic sampler is Euler's method for

    dy/dρ = ε̂(x, t).

A solver is a function `step(model, schedule, x_t, t, s, carry) -> (x_s, carry)`; carry is what a
multistep method remembers (None at the start). Times may be real. No network is trained at t = 0,
so a step that ends there is always DDIM's, whose slope is taken at its start.

ddim, midpoint and dpmpp2m stay near the data with every schedule, spacing and number of steps. heun
and rk4 take a slope where a long first stride has led them; if it led too far, they land nowhere.
Side trip E: on the ring no point does from so many steps on (of 1, 2, 3, 5, 10, 20, 50, 100):

                  linear: uniform  quadratic  log-snr    cosine: uniform  quadratic  log-snr
    heun                     1         3         10                50        100        10
    rk4                      1         1          5                20         50        10
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import log
from typing import Any

import torch
from torch import Tensor

from ddim_lib.checks import Model, Time, ask, check_callable, check_match
from ddim_lib.ddim import Step, ddim_coefficients
from ddim_lib.process import check_made_for, check_walk, predict_x0
from ddim_lib.schedule import Schedule
from ddim_lib.spacing import Spacing

Move = tuple[Tensor, Any]  # x_s, and what the solver remembers
Solver = Callable[[Model, Schedule, Tensor, Time, Time, Any], Move]


def _slope(model: Model, schedule: Schedule, x_t: Tensor, t: Time) -> Tensor:
    """dy/dρ = ε̂(x_t, t), checked, and a copy: some models hand out one buffer again and again."""
    check_made_for(model, schedule)
    eps_hat = ask(model, x_t, t)
    check_match("eps_hat", eps_hat, "x_t", x_t)
    return eps_hat.clone()


def _glide(schedule: Schedule, x_t: Tensor, slope: Tensor, t: Time, s: Time) -> Tensor:
    """Follow a constant slope dy/dρ from t to s:  y_s = y_t + (ρ_s − ρ_t) slope, in x."""
    a_t, b_t, a_s, b_s = schedule.at(t, s)
    return (a_s / a_t) * x_t + (b_s - a_s * b_t / a_t) * slope


def ddim(model: Model, schedule: Schedule, x_t: Tensor, t: Time, s: Time, carry=None) -> Move:
    """Euler's method in (ρ, y), one model call: order 1, and the same as `ddim_step` at η = 0.

    Source: Song et al. 2021 (DDIM), eqs. 13 and 14.
    """
    return _glide(schedule, x_t, _slope(model, schedule, x_t, t), t, s), None


def heun(model: Model, schedule: Schedule, x_t: Tensor, t: Time, s: Time, carry=None) -> Move:
    """Average the slopes at both ends, two model calls: order 2 (to t = 0: DDIM's step).

    Source: Karras et al. 2022 (EDM), algorithm 1. Long steps: chapter 5, (5.14).
    """
    slope = _slope(model, schedule, x_t, t)
    x_s = _glide(schedule, x_t, slope, t, s)
    if s == 0:
        return x_s, None
    return _glide(schedule, x_t, (slope + _slope(model, schedule, x_s, s)) / 2, t, s), None


def _middle(schedule: Schedule, t: Time, s: Time) -> float:  # halfway in noise level
    a_t, b_t, a_s, b_s = schedule.at(t, s)
    return schedule.time_at((b_t / a_t + b_s / a_s) / 2)


def midpoint(model: Model, schedule: Schedule, x_t: Tensor, t: Time, s: Time, carry=None) -> Move:
    """Take the slope halfway, in noise level, two model calls: order 2 (to t = 0: DDIM's step).

    Source: Runge 1895; in log-SNR instead of ρ it is DPM-Solver-2, Lu et al. 2022, algorithm 1.
    """
    if s == 0:
        return ddim(model, schedule, x_t, t, s)
    middle = _middle(schedule, t, s)
    halfway = _glide(schedule, x_t, _slope(model, schedule, x_t, t), t, middle)
    return _glide(schedule, x_t, _slope(model, schedule, halfway, middle), t, s), None


def rk4(model: Model, schedule: Schedule, x_t: Tensor, t: Time, s: Time, carry=None) -> Move:
    """Classical Runge-Kutta in (ρ, y), four model calls: order 4 (to t = 0: DDIM's step)."""
    if s == 0:
        return ddim(model, schedule, x_t, t, s)
    middle = _middle(schedule, t, s)
    k_1 = _slope(model, schedule, x_t, t)
    k_2 = _slope(model, schedule, _glide(schedule, x_t, k_1, t, middle), middle)
    k_3 = _slope(model, schedule, _glide(schedule, x_t, k_2, t, middle), middle)
    k_4 = _slope(model, schedule, _glide(schedule, x_t, k_3, t, s), s)
    return _glide(schedule, x_t, (k_1 + 2 * k_2 + 2 * k_3 + k_4) / 6, t, s), None


def dpmpp2m(model: Model, schedule: Schedule, x_t: Tensor, t: Time, s: Time, carry=None) -> Move:
    """DPM-Solver++(2M): extrapolate x̂_0 from the last two model calls, one call a step: order 2.

    carry: (t, x̂_0) of the step before; the first step, and one that ends at t = 0, are DDIM's.
    Source: Lu et al. 2022 (DPM-Solver++), algorithm 2.
    """
    x0_hat = predict_x0(schedule, x_t, _slope(model, schedule, x_t, t), t)
    a_t, b_t, a_s, b_s = schedule.at(t, s)
    estimate = x0_hat
    if carry is not None and s > 0:
        t_before, x0_before = carry
        a, b = schedule.at(t_before)
        r = (log(a_t / b_t) - log(a / b)) / (log(a_s / b_s) - log(a_t / b_t))
        estimate = x0_hat + (x0_hat - x0_before) / (2 * r)
    return (b_s / b_t) * x_t + (a_s - a_t * b_s / b_t) * estimate, (t, x0_hat)


def ode_steps(
    model: Model,
    schedule: Schedule,
    x_T: Tensor,
    times: Sequence[Time],
    step: Solver = ddim,
) -> Iterator[Step]:
    """Follow the ODE of η = 0 down the times with a solver above, yielding a `Step` each time.

    x_T: (batch, *dims), data units, at times[0]. times: strictly falling, whole or real.
    step: any of them; the table above says where heun and rk4 are safe, DDIM always is.
    A step's x0_hat is the x̂_0 with which DDIM would have gone the same way,  (x_s − κ x_t) / λ.
    Raises ValueError or TypeError, before the first model call: times out of order or range, x_T
    not float or not finite. No gradient is recorded.
    Source: Song et al. 2021 (DDIM), eq. 14; chapter 5, eq. (5.4).
    """
    times = check_walk(model, schedule, x_T, times)
    check_callable("step", step, "such as ode.heun")
    return _ride(model, schedule, x_T.clone(), times, step)


@torch.no_grad()
def _ride(
    model: Model, schedule: Schedule, x_t: Tensor, times: Sequence[Time], step: Solver
) -> Iterator[Step]:
    carry = None
    for t, s in pairwise(times):
        x_s, carry = step(model, schedule, x_t.clone(), t, s, carry)
        check_match("x_s", x_s, "x_t", x_t)
        kappa, lambda_, _ = ddim_coefficients(schedule, t, s, eta=0.0)
        x0_hat = (x_s - kappa * x_t) / lambda_
        x_t = x_s.clone()
        yield Step(s, x_s, x0_hat)


def ode_solve(
    model: Model,
    schedule: Schedule,
    x_T: Tensor,
    times: Sequence[Time],
    step: Solver = ddim,
) -> Tensor:
    """Follow the ODE of η = 0 from times[0] to times[-1]: the x of the last of `ode_steps`."""
    for move in ode_steps(model, schedule, x_T, times, step):
        x = move.x
    return x


@torch.no_grad()
def encode(
    model: Model, schedule: Schedule, x_0: Tensor, steps: int, spacing: Spacing = "uniform"
) -> Tensor:
    """Run the ODE of η = 0 forward, from data to the noise that would produce it.

    x_0: (batch, *dims), data units. spacing: as of `schedule.times`. Returns x_T. Each step s → t
    takes its slope at s, the first one at t = 1, the cleanest time that a network is trained at.
    Raises as `ode_steps`. Source: Song et al. 2021 (DDIM), section 5.4; chapter 5.
    """
    times = check_walk(model, schedule, x_0, schedule.times(steps, spacing), "x_0")
    x = x_0
    for s, t in pairwise(reversed(times)):
        x = _glide(schedule, x, _slope(model, schedule, x, max(s, 1)), s, t)
    return x
