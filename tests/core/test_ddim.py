"""The step: Bayes' rule, joint covariances, what stays and what η changes."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from ddim_lib import (
    ddim_coefficients,
    ddim_step,
    ddim_steps,
    ddpm_large_coefficients,
    ddpm_large_step,
    ddpm_large_steps,
    sample,
)
from tests.support.cases import EVERY, LINEAR, PAIRS, normal, seeded
from tests.support.oracles import BETA_POWER, NOISE, SIGNAL, bayes, regress

ETAS = [0.0, 0.2, 0.5, 0.8, 1.0]


def shares(step, t, s, *eta):
    """How much of x_0, of the noise in x_t and of the fresh noise is in x_s, if ε̂ is that noise."""
    x_0, eps, noise = torch.eye(3, dtype=torch.float64)[:, None]
    x_t = SIGNAL[t] * x_0 + NOISE[t] * eps
    return step(LINEAR, x_t, eps, t, s, *eta, noise=noise)[0].tolist()


# --- the coefficients ---------------------------------------------------------------------------


@pytest.mark.parametrize("oracle", [bayes, regress])
def test_eta_1_is_the_posterior(oracle):
    for t, s in EVERY:
        kappa, lambda_, sigma = ddim_coefficients(LINEAR, t, s, 1.0)
        expected = oracle(t, s)
        assert (kappa, lambda_, sigma**2) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_eta_1_steps_as_the_posterior():
    for t, s in EVERY:
        on_x_t, on_x_0, variance = bayes(t, s)
        expected = (on_x_t * SIGNAL[t] + on_x_0, on_x_t * NOISE[t], math.sqrt(variance))
        assert shares(ddim_step, t, s, 1.0) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("eta", ETAS)
def test_every_eta_keeps_the_marginal(eta):
    for t, s in EVERY:
        on_x_0, on_eps, on_noise = shares(ddim_step, t, s, eta)
        assert on_x_0 == pytest.approx(SIGNAL[s], abs=1e-12)
        assert on_eps**2 + on_noise**2 == pytest.approx(NOISE[s] ** 2, abs=1e-12)


@pytest.mark.parametrize("eta", ETAS)
def test_eta_sets_the_correlation_of_neighbours_given_x0(eta):
    """In the Markov chain it is (a_t b_s)/(a_s b_t); η takes its η² of the distance from 1."""
    for t, s in EVERY:
        markov = (SIGNAL[t] * NOISE[s]) / (SIGNAL[s] * NOISE[t])
        _, on_eps, _ = shares(ddim_step, t, s, eta)
        squared = 1 - eta**2 * (1 - markov**2)
        assert (on_eps / NOISE[s]) ** 2 == pytest.approx(squared, abs=1e-11)
        assert on_eps >= 0


def test_times_between_the_whole_ones():
    """Real times are times like any other: the posterior and the marginal hold there too."""
    for t, s in [(0.75, 0.5), (3.5, 2), (700, 12.25), (999.9, 999.8)]:
        a_t, b_t, a_s, b_s = LINEAR.at(t, s)
        kappa, lambda_, sigma = ddim_coefficients(LINEAR, t, s, 1.0)
        keep = a_t / a_s
        precision = 1 / b_s**2 + keep**2 / (1 - keep**2)
        expected = (keep / (1 - keep**2) / precision, a_s / b_s**2 / precision, precision**-0.5)
        assert (kappa, lambda_, sigma) == pytest.approx(expected, rel=1e-6)
        for eta in ETAS:
            kappa, lambda_, sigma = ddim_coefficients(LINEAR, t, s, eta)
            marginal = (kappa * a_t + lambda_, math.hypot(kappa * b_t, sigma))
            assert marginal == pytest.approx((a_s, b_s), rel=1e-12)


@pytest.mark.parametrize("eta", [*ETAS, 50.0])
def test_the_last_step_is_the_prediction(eta):
    for t in (1, 2, 500, 1000):
        assert ddim_coefficients(LINEAR, t, 0, eta) == (0, 1, 0)
        assert shares(ddim_step, t, 0, eta) == pytest.approx([1, 0, 0], abs=1e-12)


def test_the_largest_eta_forgets_x_t():
    for t, s in PAIRS:
        eta = NOISE[t] / math.sqrt(1 - np.prod(1 - BETA_POWER[s:t]))
        kappa, lambda_, sigma = ddim_coefficients(LINEAR, t, s, eta * (1 - 1e-13))
        assert (kappa, lambda_, sigma) == pytest.approx((0, SIGNAL[s], NOISE[s]), abs=3e-6)
        with pytest.raises(ValueError, match=r"^need sigma\*\*2 <= beta_bar_s\*\*2 = "):
            ddim_coefficients(LINEAR, t, s, eta * 1.001)


def skipped_and_walked(t, m, s, eta):
    """κ and σ of the step t → s, and of t → m → s with the same x_0."""
    whole = ddim_coefficients(LINEAR, t, s, eta)
    first, second = ddim_coefficients(LINEAR, t, m, eta), ddim_coefficients(LINEAR, m, s, eta)
    sigma = math.hypot(second.kappa * first.sigma, second.sigma)
    return (whole.kappa, whole.sigma), (first.kappa * second.kappa, sigma)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_skip_is_two_steps_at_eta_0_and_1(eta):
    for t, m, s in [(1000, 999, 998), (1000, 500, 1), (40, 20, 10), (3, 2, 1)]:
        skip, walk = skipped_and_walked(t, m, s, eta)
        assert skip == pytest.approx(walk, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("eta", [0.1, 0.5, 0.9])
def test_a_skip_is_not_two_steps_at_another_eta(eta):
    for t, m, s in [(1000, 500, 1), (40, 20, 10), (3, 2, 1)]:
        (_, skip), (_, walk) = skipped_and_walked(t, m, s, eta)
        assert abs(skip / walk - 1) > 1e-3


def test_eta_0_composes_only_while_eps_hat_stays():
    x, eps = normal((4, 2)), normal((4, 2), seed=1)
    whole = ddim_step(LINEAR, x, eps, 800, 200)
    middle = ddim_step(LINEAR, x, eps, 800, 500)
    torch.testing.assert_close(ddim_step(LINEAR, middle, eps, 500, 200), whole)
    changed = ddim_step(LINEAR, middle, 1.1 * eps, 500, 200)
    assert (changed - whole).abs().max() > 0.01


# --- sigma-hat ----------------------------------------------------------------------------------


def test_sigma_hat_has_the_posteriors_mean_and_the_steps_variance():
    for t, s in EVERY:
        on_x_t, on_x_0, _ = bayes(t, s)
        variance = 1 - np.prod(1 - BETA_POWER[s:t])
        expected = (on_x_t * SIGNAL[t] + on_x_0, on_x_t * NOISE[t], math.sqrt(variance))
        assert shares(ddpm_large_step, t, s) == pytest.approx(expected, abs=1e-12)


def test_sigma_hat_adds_nothing_on_the_last_step():
    for t in (1, 2, 500, 1000):
        assert shares(ddpm_large_step, t, 0) == pytest.approx([1, 0, 0], abs=1e-12)
        x, eps = normal((2, 3)), normal((2, 3), seed=1)
        assert torch.equal(
            ddpm_large_step(LINEAR, x, eps, t, 0), ddpm_large_step(LINEAR, x, eps, t, 0, x)
        )


def test_sigma_hat_walks_with_its_step():
    x, times, steps = normal((3, 2)), [1000, 600, 30, 0], []
    generator = seeded(5)
    for t, s in pairwise(times):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        steps.append(x := ddpm_large_step(LINEAR, x, torch.tanh(x * t), t, s, noise))
    walk = list(
        ddpm_large_steps(lambda x, t: torch.tanh(x * t), LINEAR, normal((3, 2)), times, seeded(5))
    )
    assert [step.t for step in walk] == times[1:]
    assert all(torch.equal(step.x, x) for step, x in zip(walk, steps, strict=True))


def test_sigma_hat_has_one_name_everywhere():
    for t, s in [(900, 400), (2, 1), (7, 0)]:
        large = ddpm_large_coefficients(LINEAR, t, s)
        assert ddim_coefficients(LINEAR, t, s, "sigma-hat") == large
        assert large[:2] == ddim_coefficients(LINEAR, t, s, 1.0)[:2]
        x, eps, noise = (normal((3, 2), seed) for seed in range(3))
        step = ddpm_large_step(LINEAR, x, eps, t, s, noise)
        assert torch.equal(ddim_step(LINEAR, x, eps, t, s, "sigma-hat", noise), step)
    model, times = lambda x, t: torch.tanh(x * t), LINEAR.times(7)
    *_, large = ddpm_large_steps(model, LINEAR, normal((3, 2)), times, seeded(5))
    *_, named = ddim_steps(model, LINEAR, normal((3, 2)), times, "sigma-hat", seeded(5))
    assert torch.equal(named.x, large.x)
    assert torch.equal(sample(model, LINEAR, normal((3, 2)), 7, "sigma-hat", seeded(5)), large.x)
