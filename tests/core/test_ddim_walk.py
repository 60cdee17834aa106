"""The walk: exact flows, generators, one step after the other."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddim_lib import Schedule, ddim_step, ddim_steps, predict_eps, sample
from tests.support.cases import EVERY, LINEAR, network, normal, seeded
from tests.support.oracles import ANGLE, NOISE, PROPERTY, SIGNAL, gaussian_eps

# --- exact flows --------------------------------------------------------------------------------


def gaussian_model(mean, scale):
    return lambda x, t: gaussian_eps(SIGNAL[t], NOISE[t], x, mean, scale)


def test_standard_normal_data_turn_by_angles():
    """Data N(0, 1): each step shrinks x by the cosine of the angle that it covers."""
    one = torch.ones(1, dtype=torch.float64)
    for steps in (1, 2, 7, 50, 1000):
        angles = ANGLE[LINEAR.times(steps)]
        expected = np.prod(np.cos(angles[:-1] - angles[1:]))
        assert sample(gaussian_model(0, 1), LINEAR, one, steps).item() == pytest.approx(expected)


def test_gaussian_data_move_linearly():
    mean, scale, x_t = 0.7, 0.3, torch.tensor([-1.0, 0.4, 2.0], dtype=torch.float64)
    for t, s in [*EVERY, (1, 0), (1000, 0)]:
        a, b, a_s, b_s = SIGNAL[t], NOISE[t], SIGNAL[s], NOISE[s]
        covariance = a * a_s * scale**2 + b * b_s  # of x_t and the x_s that shares its noise
        expected = a_s * mean + covariance / (a**2 * scale**2 + b**2) * (x_t - a * mean)
        x_s = ddim_step(LINEAR, x_t, gaussian_model(mean, scale)(x_t, t), t, s)
        torch.testing.assert_close(x_s, expected, rtol=0, atol=1e-12)


def test_the_walk_converges_to_the_exact_flow():
    """Exactly, (x_t − a_t mean) / std_t never changes; the error halves with the step."""
    mean, scale, x_T = 0.7, 0.3, torch.tensor([-1.3], dtype=torch.float64)
    std = math.sqrt(SIGNAL[1000] ** 2 * scale**2 + NOISE[1000] ** 2)
    exact = mean + scale * (x_T - SIGNAL[1000] * mean) / std
    error = [
        (sample(gaussian_model(mean, scale), LINEAR, x_T, steps) - exact).abs().item()
        for steps in (50, 100, 200, 500, 1000)
    ]
    assert error[-1] < 2e-3
    ratios = [b / a for a, b in pairwise(error)]
    assert ratios == pytest.approx([0.5, 0.5, 0.4, 0.5], rel=0.15)


# --- properties of the walk ---------------------------------------------------------------------


@st.composite
def walks(draw):
    """A schedule, times from T to 0, η, and noise of some shape and type to start from."""
    if draw(st.booleans()):
        schedule = Schedule.linear(draw(st.integers(21, 400)))
    else:
        schedule = Schedule.cosine(draw(st.integers(1, 400)))
    steps = draw(st.integers(1, min(schedule.T, 30)))
    times = schedule.times(steps, draw(st.sampled_from(["uniform", "quadratic", "log-snr"])))
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    return schedule, times, draw(st.floats(0, 1)), normal(shape, draw(st.integers(0, 9)), dtype)


@PROPERTY
@given(walks())
def test_a_model_that_knows_x0_returns_it(walk):
    schedule, times, eta, x_T = walk
    x_0 = 0.1 * normal(x_T.shape, 77, x_T.dtype)
    model = lambda x, t: predict_eps(schedule, x, x_0, t)
    passed = list(ddim_steps(model, schedule, x_T, times, eta, seeded()))
    worst = max(1, x_T.abs().max().item()) / schedule.alpha_bar[-1].item()  # x̂_0 divides by it
    tolerance = 16 * torch.finfo(x_T.dtype).eps * worst
    torch.testing.assert_close(passed[-1].x, x_0, rtol=0, atol=tolerance)
    assert [step.t for step in passed] == times[1:]
    for step in passed:
        torch.testing.assert_close(step.x0_hat, x_0, rtol=0, atol=tolerance)
        assert step.x.shape == step.x0_hat.shape == x_T.shape
        assert step.x.dtype == step.x0_hat.dtype == x_T.dtype


@PROPERTY
@given(walks())
def test_the_generator_alone_decides(walk):
    schedule, times, eta, x_T = walk
    used, spare, before = seeded(3), seeded(3), x_T.clone()
    world = torch.get_rng_state()

    def run(generator):
        *_, last = ddim_steps(lambda x, t: torch.tanh(x), schedule, x_T, times, eta, generator)
        return last.x

    first = run(used)
    assert torch.equal(first, run(seeded(3)))
    for _ in times[1:] if eta > 0 else []:
        torch.randn(x_T.shape, generator=spare, dtype=x_T.dtype)
    assert torch.equal(used.get_state(), spare.get_state())  # one draw a step; none at η = 0
    assert torch.equal(torch.get_rng_state(), world)
    assert torch.equal(x_T, before)


def test_another_seed_is_another_sample():
    model = lambda x, t: torch.tanh(x)
    one, other = (sample(model, LINEAR, normal((4, 2)), 10, 0.5, seeded(i)) for i in (0, 1))
    assert (one - other).abs().max() > 0.01


def test_the_walk_is_its_steps_in_turn():
    x, times, eta = normal((3, 2)), [900, 555, 40, 7], 0.4
    model = lambda x, t: torch.sin(x + t)
    generator = seeded(5)
    walk = ddim_steps(model, LINEAR, x, times, eta, seeded(5))
    for (t, s), step in zip(pairwise(times), walk, strict=True):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        assert torch.equal(step.x0_hat, (x - LINEAR.at(t)[1] * model(x, t)) / LINEAR.at(t)[0])
        x = ddim_step(LINEAR, x, model(x, t), t, s, eta, noise)
        assert torch.equal(step.x, x)
        assert step.t == s


def test_the_walk_is_lazy_and_records_no_gradient():
    weight, calls = torch.ones(1, dtype=torch.float64, requires_grad=True), []

    def model(x, t):
        calls.append(t)
        return weight * x

    walk = ddim_steps(model, LINEAR, normal((3, 2)), [1000, 500, 0])
    assert calls == []
    assert not next(walk).x.requires_grad
    assert calls == [1000]
    list(walk)
    assert calls == [1000, 500]
    assert torch.is_grad_enabled()


def test_a_start_that_wants_a_gradient_gets_none():
    x_T, model = normal((3, 2)).requires_grad_(), lambda x, t: torch.tanh(x)
    for x_0 in (sample(model, LINEAR, x_T, 4), next(ddim_steps(model, LINEAR, x_T, [900, 0])).x):
        assert not x_0.requires_grad


def test_how_the_start_lies_in_memory_does_not_matter():
    x_T, model = normal((5, 4)).T, lambda x, t: torch.tanh(x)
    assert not x_T.is_contiguous()
    expected = sample(model, LINEAR, x_T.contiguous(), 5, 0.8, seeded())
    assert torch.equal(sample(model, LINEAR, x_T, 5, 0.8, seeded()), expected)


def test_sample_defaults_are_fifty_steps_of_eta_0():
    model, x_T = network(torch.float64), normal((2, 6, 6))
    *_, last = ddim_steps(model, LINEAR, x_T, list(range(1000, -1, -20)), 0.0)
    assert torch.equal(sample(model, LINEAR, x_T), last.x)
