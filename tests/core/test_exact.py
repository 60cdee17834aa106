"""Exact predictors of mixtures: autograd, quadrature, moments."""

import math

import numpy as np
import pytest
import torch

from ddim_lib import EmpiricalData, GaussianMixture, ddim_steps, sample
from tests.support.cases import COSINE, COVARIANCES, LINEAR, MEANS, MIXTURE, WEIGHTS, normal, seeded
from tests.support.oracles import NOISE, SIGNAL, autograd_score, gaussian_eps, log_density

TIMES = [0, 1, 10, 100, 500, 999, 1000]


# --- mixtures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("t", TIMES)
def test_score_is_the_gradient_of_the_log_density(t):
    x = 1.5 * normal((200, 2))
    log_p = log_density(SIGNAL[t], NOISE[t], MEANS, COVARIANCES, WEIGHTS)
    torch.testing.assert_close(MIXTURE.log_prob(LINEAR, x, t), log_p(x), rtol=1e-12, atol=1e-12)
    expected = autograd_score(log_p, x)
    scale = expected.abs().max().item()
    assert (MIXTURE.score(LINEAR, x, t) - expected).abs().max() < 1e-12 * max(1, scale)
    eps = MIXTURE.eps(LINEAR, x, t)
    assert (eps + NOISE[t] * expected).abs().max() < 1e-12 * max(1, scale)


def test_score_in_more_dimensions_and_real_time():
    root = normal((2, 5, 5), 1)
    means, covariances = normal((2, 5), 2), root @ root.mT + 0.1 * torch.eye(5)
    weights, x = torch.tensor([2.0, 6.0], dtype=torch.float64), normal((50, 5))
    mixture = GaussianMixture(means, covariances, weights)
    log_p = log_density(*LINEAR.at(123.25), means, covariances, weights / 8)
    expected = autograd_score(log_p, x)
    torch.testing.assert_close(mixture.score(LINEAR, x, 123.25), expected, rtol=1e-11, atol=1e-11)


def test_no_noise_at_the_clean_end_and_only_noise_at_the_other():
    x = normal((100, 2))
    assert (MIXTURE.eps(LINEAR, x, 0) == 0).all()
    assert (MIXTURE.eps(LINEAR, x, 1000) - x).abs().max() < 0.02


@pytest.mark.parametrize("t", TIMES)
def test_one_gaussian_is_a_regression(t):
    mixture = GaussianMixture(MEANS[:1], 0.3**2 * torch.eye(2)[None].double(), WEIGHTS[:1])
    x = normal((50, 2))
    expected = gaussian_eps(SIGNAL[t], NOISE[t], x, MEANS[0], 0.3)
    torch.testing.assert_close(mixture.eps(LINEAR, x, t), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("t", [1, 100, 500, 1000])
def test_eps_is_the_posterior_mean_by_quadrature(t):
    """E[ε | x] = ∫ (x − a x_0)/b p(x_0) p(x | x_0) dx_0 / ∫ p(x_0) p(x | x_0) dx_0."""
    means, variances = np.array([-1.0, 0.2, 1.5]), np.array([0.04, 0.09, 0.02])
    mixture = GaussianMixture(
        torch.tensor(means)[:, None], torch.tensor(variances)[:, None, None], WEIGHTS
    )
    grid = np.linspace(-4, 4, 40_001)
    density = (WEIGHTS.numpy() / np.sqrt(variances)) @ np.exp(
        -((grid - means[:, None]) ** 2) / (2 * variances[:, None])
    )
    for x in (-2.0, -0.3, 0.0, 1.1):
        eps = (x - SIGNAL[t] * grid) / NOISE[t]
        joint = density * np.exp(-(eps**2) / 2)
        expected = (eps * joint).sum() / joint.sum()
        point = torch.tensor([[x]], dtype=torch.float64)
        assert mixture.eps(LINEAR, point, t).item() == pytest.approx(expected, abs=1e-9)


def test_samples_have_the_moments():
    n = 200_000
    x = MIXTURE.sample(n, seeded())
    assert (x.shape, x.dtype) == ((n, 2), torch.float64)
    mean = WEIGHTS @ MEANS
    spread = COVARIANCES + MEANS[:, :, None] * MEANS[:, None, :]
    covariance = torch.einsum("k,kij->ij", WEIGHTS, spread) - mean[:, None] * mean
    error = covariance.diagonal().sqrt() / math.sqrt(n)
    assert ((x.mean(0) - mean).abs() < 5 * error).all()
    assert (x.T.cov() - covariance).abs().max() < 0.015  # five standard errors
    nearest = torch.cdist(x, MEANS).argmin(1)
    blob = x[nearest == 1]
    assert (blob.mean(0) - MEANS[1]).abs().max() < 0.06
    assert torch.equal(x, MIXTURE.sample(n, seeded()))


def test_samples_keep_each_components_tilt():
    """Far apart, the components can be told from one another; in 3-D, axes from their transpose."""
    root = normal((3, 3, 3), 4)
    means, covariances = 100 * normal((3, 3), 3), root @ root.mT + 0.1 * torch.eye(3)
    x = GaussianMixture(means, covariances, 7 * WEIGHTS).sample(60_000, seeded())
    nearest = torch.cdist(x, means).argmin(1)
    for k in range(3):
        blob = x[nearest == k]
        assert len(blob) / 60_000 == pytest.approx(WEIGHTS[k].item(), abs=0.01)
        size = covariances[k].diagonal().max()
        assert (blob.T.cov() - covariances[k]).abs().max() < 0.07 * size  # about five errors
        assert (blob.mean(0) - means[k]).abs().max() < 0.05 * size.sqrt()


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_every_eta_ends_in_the_mixture(eta):
    x_T = normal((4000, 2))
    x_0 = sample(MIXTURE.model(LINEAR), LINEAR, x_T, 100, eta, seeded(1))
    nearest = torch.cdist(x_0, MEANS).argmin(1).bincount() / len(x_0)
    expected = torch.cdist(MIXTURE.sample(4000, seeded(2)), MEANS).argmin(1).bincount() / 4000
    assert (nearest - expected).abs().max() < 0.04
    assert (x_0.mean(0) - WEIGHTS @ MEANS).abs().max() < 0.06


def test_mixture_takes_a_time_a_row():
    x, t = normal((6, 2)), torch.tensor([1, 5, 70, 300, 800, 1000])
    for function in (MIXTURE.eps, MIXTURE.score, MIXTURE.log_prob):
        rows = [function(LINEAR, x[i : i + 1], v) for i, v in enumerate(t.tolist())]
        torch.testing.assert_close(function(LINEAR, x, t), torch.cat(rows), rtol=1e-12, atol=0)
        for bad in (t[:2], t[:3], t[:1]):  # as many as dimensions, as components, one
            with pytest.raises(ValueError, match=r"^need t as a number or of shape \(6,\), got \("):
                function(LINEAR, x, bad)


def test_a_model_is_eps_with_its_schedule():
    for exact, x in ((MIXTURE, normal((6, 2))), (EmpiricalData(normal((4, 2))), normal((6, 2), 1))):
        for schedule in (LINEAR, COSINE):
            model = exact.model(schedule)
            for t in (3, 400.5, torch.tensor([1, 5, 70, 300, 800, 1000])):
                assert torch.equal(model(x, t), exact.eps(schedule, x, t))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_answers_have_the_dtype_of_the_question(dtype):
    x, t = normal((6, 2), dtype=dtype), torch.full((6,), 300)
    data = EmpiricalData(normal((4, 2)))
    for model in (MIXTURE.eps, MIXTURE.score, data.eps):
        for time in (300, t):
            answer = model(LINEAR, x, time)
            assert (answer.dtype, answer.shape) == (dtype, x.shape)
            expected = model(LINEAR, x.double(), 300).to(dtype)
            torch.testing.assert_close(answer, expected)


# --- finite data --------------------------------------------------------------------------------


def test_an_exact_model_walks_in_float32():
    *_, last = ddim_steps(
        MIXTURE.model(LINEAR), LINEAR, normal((5, 2), dtype=torch.float32), [1000, 300, 0]
    )
    assert last.x.dtype == torch.float32
