"""What is taken in or handed out cannot corrupt a walk: each against the answer without sharing."""

import pytest
import torch

from ddim_lib import (
    EmpiricalData,
    GaussianMixture,
    Schedule,
    ddim_steps,
    encode,
    ode,
    ode_solve,
    ode_steps,
    sample,
)
from tests.support.cases import COVARIANCES, EACH, LINEAR, MEANS, WEIGHTS, normal, seeded


def rude(x, t):
    """A model that works in the memory of its input."""
    return x.mul_(0.5).add_(t / 1000)


def polite(x, t):
    return 0.5 * x + t / 1000


class OneBuffer:
    """A model that answers in one and the same tensor every time."""

    def __init__(self):
        self.answer = None

    def __call__(self, x, t):
        fresh = torch.tanh(x * (1 + t / 1000))
        self.answer = fresh if self.answer is None else self.answer.copy_(fresh)
        return self.answer


class Fresh(OneBuffer):
    def __call__(self, x, t):
        return super().__call__(x, t).clone()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("eta", [0.0, 0.7, "sigma-hat"])
def test_a_model_that_changes_its_input(eta, dtype):
    x_T = normal((4, 2), dtype=dtype)
    expected = sample(polite, LINEAR, x_T, 7, eta, seeded(1))
    assert torch.equal(sample(rude, LINEAR, x_T, 7, eta, seeded(1)), expected)
    assert torch.equal(x_T, normal((4, 2), dtype=dtype))


@EACH
def test_a_model_that_changes_its_input_in_a_solver(solver):
    x_T, visited = normal((4, 2)), [900, 500.5, 200, 0]
    expected = ode_solve(polite, LINEAR, x_T, visited, solver)
    assert torch.equal(ode_solve(rude, LINEAR, x_T, visited, solver), expected)
    assert torch.equal(encode(rude, LINEAR, x_T, 5), encode(polite, LINEAR, x_T, 5))
    expected, _ = solver(polite, LINEAR, x_T, 900, 300)
    assert torch.equal(solver(rude, LINEAR, x_T, 900, 300)[0], expected)
    assert torch.equal(x_T, normal((4, 2)))


@EACH
def test_a_model_that_answers_in_one_buffer(solver):
    x_T, visited = normal((4, 2)), [900, 500.5, 200, 0]
    expected = ode_solve(Fresh(), LINEAR, x_T, visited, solver)
    assert torch.equal(ode_solve(OneBuffer(), LINEAR, x_T, visited, solver), expected)
    expected = [step.x0_hat for step in ode_steps(Fresh(), LINEAR, x_T, visited, solver)]
    kept = [step.x0_hat for step in ode_steps(OneBuffer(), LINEAR, x_T, visited, solver)]
    assert torch.equal(torch.stack(kept), torch.stack(expected))
    expected = sample(Fresh(), LINEAR, x_T, 9, 0.5, seeded())
    assert torch.equal(sample(OneBuffer(), LINEAR, x_T, 9, 0.5, seeded()), expected)
    assert torch.equal(encode(OneBuffer(), LINEAR, x_T, 9), encode(Fresh(), LINEAR, x_T, 9))


def walks(x_T):
    times = [900, 500, 200, 0]
    yield lambda: ddim_steps(polite, LINEAR, x_T, times)
    yield lambda: ddim_steps(polite, LINEAR, x_T, times, 0.5, seeded())
    for solver in (ode.ddim, ode.heun, ode.midpoint, ode.rk4, ode.dpmpp2m):
        yield lambda solver=solver: ode_steps(polite, LINEAR, x_T, times, solver)


def test_a_reader_who_paints_over_the_steps():
    for walk in walks(normal((4, 2))):
        expected = list(walk())
        for step, clean in zip(walk(), expected, strict=True):
            assert torch.equal(step.x, clean.x)
            assert torch.equal(step.x0_hat, clean.x0_hat)
            step.x.add_(1).div_(2)
            step.x0_hat.zero_()


def test_a_reader_who_keeps_the_steps_and_the_start():
    for walk in walks(normal((4, 2))):
        kept = [(step.x, step.x.clone(), step.x0_hat, step.x0_hat.clone()) for step in walk()]
        assert all(torch.equal(x, then) for x, then, _, _ in kept)
        assert all(torch.equal(x0, then) for _, _, x0, then in kept)
    x_T = normal((4, 2))
    walk, same = ddim_steps(polite, LINEAR, x_T, [900, 500, 0]), [900, 500, 0]
    expected = [step.x for step in ddim_steps(polite, LINEAR, normal((4, 2)), same)]
    found, _ = [], x_T.zero_()
    for step in walk:
        found.append(step.x)
    assert torch.equal(torch.stack(found), torch.stack(expected))


def test_a_solver_of_ones_own_that_works_in_place():
    def euler(model, schedule, x_t, t, s, carry):
        x_s, _ = ode.ddim(model, schedule, x_t, t, s)
        return x_t.copy_(x_s), None

    x_T, visited = normal((4, 2)), [900, 500, 200, 0]
    expected = list(ode_steps(polite, LINEAR, x_T, visited, ode.ddim))
    for step, clean in zip(ode_steps(polite, LINEAR, x_T, visited, euler), expected, strict=True):
        assert torch.equal(step.x, clean.x)
        assert torch.equal(step.x0_hat, clean.x0_hat)
    assert torch.equal(x_T, normal((4, 2)))


def test_a_schedule_keeps_numbers_of_its_own():
    table = LINEAR.alpha_bar
    schedule = Schedule(table)
    table[1:] *= 0.5
    for name in ("alpha_bar", "beta_bar", "noise_level", "half_log_snr"):
        getattr(schedule, name)[1:] *= 0.5
        assert torch.equal(getattr(schedule, name), getattr(LINEAR, name))
    for t in (3, 400.5, torch.tensor([1, 1000]), torch.tensor([0.5, 999.0])):
        for a, b in zip(schedule.at(t), LINEAR.at(t), strict=True):
            assert torch.equal(torch.as_tensor(a), torch.as_tensor(b))
    for v in schedule.at(torch.tensor([1, 1000])):
        v.zero_()
    assert schedule.at(1000) == LINEAR.at(1000)
    assert schedule.times(7, "log-snr") == LINEAR.times(7, "log-snr")
    assert schedule.time_at(3.0) == LINEAR.time_at(3.0)


def test_distributions_keep_numbers_of_their_own():
    parts = [MEANS.clone(), COVARIANCES.clone(), WEIGHTS.clone()]
    mixture, x = GaussianMixture(*parts), normal((5, 2))
    expected = GaussianMixture(MEANS, COVARIANCES, WEIGHTS)
    for part in [*parts, mixture.means, mixture.covariances, mixture.weights]:
        part.mul_(3)
    assert torch.equal(mixture.eps(LINEAR, x, 300), expected.eps(LINEAR, x, 300))
    assert torch.equal(mixture.sample(9, seeded()), expected.sample(9, seeded()))
    for name in ("means", "covariances", "weights"):
        assert torch.equal(getattr(mixture, name), getattr(expected, name))
    points = normal((6, 2))
    data = EmpiricalData(points)
    points.zero_(), data.points.zero_()
    expected = EmpiricalData(normal((6, 2)))
    assert torch.equal(data.eps(LINEAR, x, 300), expected.eps(LINEAR, x, 300))
    assert torch.equal(data.sample(9, seeded()), expected.sample(9, seeded()))
    data.sample(9, seeded()).zero_()
    assert torch.equal(data.points, normal((6, 2)))
