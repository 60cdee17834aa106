"""The solvers: measured orders against SciPy, integrals known exactly, diffusers, call counts."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler

from ddim_lib import (
    GaussianMixture,
    Schedule,
    ddim_step,
    encode,
    ode,
    ode_solve,
    ode_steps,
    predict_eps,
    sample,
)
from tests.support.cases import EACH, LINEAR, normal
from tests.support.oracles import ANGLE, NOISE, SIGNAL, exact_flow

MIXTURE = (
    np.array([[-1.0, 0.0], [1.0, 0.5], [0.3, -1.2]]),
    np.array([[[0.10, 0.03], [0.03, 0.2]], [[0.15, -0.05], [-0.05, 0.1]], [[0.2, 0], [0, 0.2]]]),
    np.array([0.3, 0.5, 0.2]),
)


def network(x, t):
    return torch.tanh(x * (1 + t / 1000) + t / 500)


# --- orders of convergence ----------------------------------------------------------------------


def smooth_schedule():
    u = torch.linspace(0, 1, 1001, dtype=torch.float64)
    return Schedule(torch.exp(-(0.1 * u + 9.95 * u**2) / 2))


SMOOTH = smooth_schedule()
MODEL = GaussianMixture(*map(torch.from_numpy, MIXTURE)).model(SMOOTH)
HIGH, LOW = (math.sqrt(SMOOTH.alpha_bar[t].item() ** -2 - 1) for t in (1000, 1))


def times(steps, bend):
    """Real times from 1000 to 1, even in log-SNR at bend = 1."""
    part = np.linspace(0, 1, steps + 1)[1:-1] ** bend
    levels = np.exp(math.log(HIGH) * (1 - part) + math.log(LOW) * part)
    return [1000, *map(SMOOTH.time_at, levels), 1]


@pytest.fixture(scope="module")
def flow():
    """300 noises, and where the ODE carries them from t = 1000 to t = 1."""
    x = normal((300, 2))
    return x, exact_flow(x.numpy(), HIGH, LOW, MIXTURE)


@pytest.mark.parametrize("bend", [1.0, 1.5], ids=["even", "uneven"])
@pytest.mark.parametrize(
    ("solver", "order", "steps"),
    [
        (ode.ddim, 1, (80, 160, 320)),
        (ode.heun, 2, (40, 80, 160)),
        (ode.midpoint, 2, (160, 320, 640)),
        (ode.dpmpp2m, 2, (80, 160, 320)),
        (ode.rk4, 4, (40, 80, 160)),
    ],
    ids=["ddim", "heun", "midpoint", "dpmpp2m", "rk4"],
)
def test_order_of_convergence(flow, solver, order, steps, bend):
    x, exact = flow
    error = [
        np.median(
            np.linalg.norm(
                ode_solve(MODEL, SMOOTH, x, times(n, bend), solver).numpy() - exact, axis=1
            )
        )
        for n in steps
    ]
    measured = np.log2(np.divide(error[:-1], error[1:]))
    print(f"{solver.__name__}: order {measured.round(3)}, error {error[-1]:.1e}")
    assert measured == pytest.approx([order] * len(measured), abs=0.1)


# --- integrals known exactly --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("solver", "degree"),
    [(ode.ddim, 0), (ode.heun, 1), (ode.midpoint, 1), (ode.rk4, 3)],
    ids=["ddim", "heun", "midpoint", "rk4"],
)
def test_slopes_that_are_polynomials_of_the_noise_level(solver, degree):
    """If ε̂ is a polynomial of ρ alone, x/ᾱ is its integral; each solver knows its degree."""
    slope = np.polynomial.Polynomial([0.7, -0.4, 0.3, 0.2][: degree + 1])
    level = lambda t: LINEAR.at(t)[1] / LINEAR.at(t)[0]
    model = lambda x, t: torch.full_like(x, slope(level(t)))
    x, visited = normal((4, 2)), [700, 512.5, 90, 3]
    gained = slope.integ()(level(3)) - slope.integ()(level(700))
    expected = LINEAR.at(3)[0] * (x / LINEAR.at(700)[0] + gained)
    result = ode_solve(model, LINEAR, x, visited, solver)
    torch.testing.assert_close(result, expected, rtol=1e-9, atol=1e-9)


def test_midpoint_asks_halfway_in_noise_level():
    calls = []

    def model(x, t):
        calls.append((t, x))
        return network(x, t)

    x, (t, s) = normal((3, 2)), (900, 300.5)
    result, _ = ode.midpoint(model, LINEAR, x, t, s)
    level = lambda t: LINEAR.at(t)[1] / LINEAR.at(t)[0]
    (first, x_t), (middle, halfway) = calls
    assert (first, level(middle)) == (t, pytest.approx((level(t) + level(s)) / 2, rel=1e-9))
    assert torch.equal(x_t, x)
    torch.testing.assert_close(halfway, ddim_step(LINEAR, x, network(x, t), t, middle))
    torch.testing.assert_close(result, ddim_step(LINEAR, x, network(halfway, middle), t, s))


def test_dpmpp2m_meets_its_slope_in_the_middle():
    """If x̂_0 is linear in log-SNR, each later step takes its value halfway, in log-SNR."""
    levels = lambda t: math.log(SIGNAL[t] / NOISE[t])
    clean = lambda t: 0.3 + 0.2 * levels(t)
    model = lambda x, t: (x - SIGNAL[t] * clean(t)) / NOISE[t]
    x, (t, m, s) = normal((3, 2)), (900, 500, 150)

    def exponential_step(x, t, s, estimate):
        h = levels(s) - levels(t)
        return NOISE[s] / NOISE[t] * x - SIGNAL[s] * math.expm1(-h) * estimate

    middle = exponential_step(x, t, m, clean(t))
    halfway = 0.3 + 0.2 * (levels(m) + levels(s)) / 2
    expected = exponential_step(middle, m, s, halfway)
    result = ode_solve(model, LINEAR, x, [t, m, s], ode.dpmpp2m)
    torch.testing.assert_close(result, expected, rtol=1e-10, atol=1e-10)


def test_dpmpp2m_agrees_with_diffusers():
    """Their scheduler computes in float32; its last step to t = 0 is DDIM's, as ours."""
    x, visited = normal((4, 6), dtype=torch.float32), [1000, 800, 730, 500, 240, 100, 31, 4]
    scheduler = DPMSolverMultistepScheduler(solver_order=2)
    scheduler.set_timesteps(timesteps=[t - 1 for t in visited])
    theirs = x
    for t in visited:
        theirs = scheduler.step(network(theirs, t), t - 1, theirs).prev_sample
    ours = ode_solve(network, LINEAR, x, [*visited, 0], ode.dpmpp2m)
    assert ((ours - theirs).norm() / theirs.norm()).item() < 1e-5


# --- the family of solvers ----------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 17, 50])
def test_ddim_is_the_sampler_at_eta_0(steps):
    x = normal((4, 3))
    ours = ode_solve(network, LINEAR, x, LINEAR.times(steps), ode.ddim)
    expected = sample(network, LINEAR, x, steps)
    torch.testing.assert_close(ours, expected, rtol=1e-11, atol=1e-11)


@EACH
def test_a_step_to_the_clean_end_is_ddims(solver):
    x = normal((4, 3))
    expected, _ = ode.ddim(network, LINEAR, x, 30, 0)
    result, _ = solver(
        network, LINEAR, x, 30, 0, (60, normal((4, 3), 1)) if solver == ode.dpmpp2m else None
    )
    torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("solver", "inner", "last"),
    [
        (ode.ddim, 1, 1),
        (ode.heun, 2, 1),
        (ode.midpoint, 2, 1),
        (ode.rk4, 4, 1),
        (ode.dpmpp2m, 1, 1),
    ],
)
def test_model_calls_a_step(solver, inner, last):
    calls = []

    def model(x, t):
        calls.append(t)
        return network(x, t)

    ode_solve(model, LINEAR, normal((2, 3)), [1000, 600.5, 200, 10], solver)
    assert len(calls) == 3 * inner
    calls.clear()
    ode_solve(model, LINEAR, normal((2, 3)), [1000, 600.5, 200, 0], solver)
    assert len(calls) == 2 * inner + last
    assert min(calls) > 0  # no network is trained at t = 0


def test_ddim_is_the_default():
    x = normal((4, 3))
    default = ode_solve(network, LINEAR, x, [900, 300, 0])
    assert torch.equal(default, ode_solve(network, LINEAR, x, [900, 300, 0], step=ode.ddim))


@EACH
def test_steps_are_the_solvers_in_turn(solver):
    """Each with the x̂_0 that DDIM's step needs to arrive at the same place."""
    x, visited, carry = normal((4, 3)), [900, 600.5, 300, 20, 0], None
    steps = list(ode_steps(network, LINEAR, x, visited, solver))
    assert [step.t for step in steps] == visited[1:]
    for (t, s), step in zip(pairwise(visited), steps, strict=True):
        eps_hat = predict_eps(LINEAR, x, step.x0_hat, t)
        torch.testing.assert_close(ddim_step(LINEAR, x, eps_hat, t, s), step.x)
        x, carry = solver(network, LINEAR, x, t, s, carry)
        assert torch.equal(step.x, x)
    assert torch.equal(ode_solve(network, LINEAR, normal((4, 3)), visited, solver), x)


def test_steps_are_lazy():
    calls = []
    steps = ode_steps(lambda x, t: calls.append(t) or x, LINEAR, normal((2, 2)), [900, 500, 0])
    assert calls == []
    next(steps)
    assert calls == [900]
    assert torch.is_grad_enabled()


@EACH
def test_shape_dtype_and_gradient(solver):
    weight = torch.ones(1, dtype=torch.float32, requires_grad=True)
    for shape in [(3,), (2, 3), (2, 1, 4, 4)]:
        x = normal(shape, dtype=torch.float32)
        result = ode_solve(lambda x, t: weight * network(x, t), LINEAR, x, [1000, 400, 0], solver)
        assert (result.shape, result.dtype, result.requires_grad) == (x.shape, x.dtype, False)
        assert torch.equal(x, normal(shape, dtype=torch.float32))


# --- encoding -----------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 2, 10, 250, 1000])
def test_encoding_standard_normal_data_turns_by_angles(steps):
    """Data N(0, 1), where ε̂ = sin θ x: the first step takes its slope at t = 1, the others turn."""
    one = torch.ones(1, dtype=torch.float64)
    angles = ANGLE[LINEAR.times(steps)][::-1]
    first = math.cos(angles[1]) + math.sin(angles[1]) * math.sin(ANGLE[1])
    expected = first * np.prod(np.cos(np.diff(angles[1:])))
    result = encode(lambda x, t: NOISE[t] * x, LINEAR, one, steps)
    assert result.item() == pytest.approx(expected, rel=1e-11)


def test_encoding_asks_the_model_only_where_it_is_trained():
    calls = []

    def model(x, t):
        calls.append(t)
        return network(x, t)

    encode(model, LINEAR, normal((2, 3)), 4)
    assert calls == [1, 250, 500, 750]


def test_decoding_what_was_encoded():
    """The error of the round trip falls with the step: order 1."""
    mixture = GaussianMixture(*map(torch.from_numpy, MIXTURE))
    model = mixture.model(LINEAR)
    x_0 = mixture.sample(200, torch.Generator().manual_seed(0))
    error = []
    for steps in (25, 50, 100, 200, 400):
        back = sample(model, LINEAR, encode(model, LINEAR, x_0, steps), steps)
        error.append((back - x_0).norm(dim=1).median().item())

    assert error == sorted(error, reverse=True)
    assert error[-1] < 0.02
    assert np.log2(np.divide(error[:-1], error[1:])).min() > 0.7
