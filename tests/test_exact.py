"""Exact predictors: autograd, quadrature, direct sums, moments."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from oracles import NOISE, SIGNAL, autograd_score, gaussian_eps, log_density

from ddim_lib import EmpiricalData, GaussianMixture, Schedule, ddim_steps, sample

LINEAR = Schedule.linear()
MEANS = torch.tensor([[-1.0, 0.0], [1.0, 0.5], [0.3, -1.2]], dtype=torch.float64)
COVARIANCES = torch.tensor(
    [[[0.10, 0.03], [0.03, 0.2]], [[0.15, -0.05], [-0.05, 0.1]], [[0.02, 0], [0, 0.3]]],
    dtype=torch.float64,
)
WEIGHTS = torch.tensor([0.3, 0.5, 0.2], dtype=torch.float64)
MIXTURE = GaussianMixture(MEANS, COVARIANCES, WEIGHTS)
TIMES = [0, 1, 10, 100, 500, 999, 1000]


def normal(shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


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
    x_0 = sample(partial(MIXTURE.eps, LINEAR), LINEAR, x_T, 100, eta, seeded(1))
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


POINTS = normal((7, 1, 2, 2), 5)


def direct_weights(x, points, signal, noise):
    """Bayes' rule for one x over the points, a term at a time."""
    squares = [float(((x - signal * p) ** 2).sum()) for p in points]
    terms = [math.exp(-(q - min(squares)) / (2 * noise**2)) for q in squares]
    return [term / sum(terms) for term in terms]


@pytest.mark.parametrize("t", [1, 100, 500, 1000])
def test_finite_data_by_direct_sums(t):
    data = EmpiricalData(POINTS)
    x = SIGNAL[t] * POINTS[:4] + NOISE[t] * normal((4, 1, 2, 2), 6)
    weights, eps = data.weights(LINEAR, x, t), data.eps(LINEAR, x, t)
    for row, row_weights, row_eps in zip(x, weights, eps, strict=True):
        expected = direct_weights(row, POINTS, SIGNAL[t], NOISE[t])
        assert row_weights.tolist() == pytest.approx(expected, abs=1e-9)
        mean = sum(w * p for w, p in zip(expected, POINTS, strict=True))
        assert (row_eps - (row - SIGNAL[t] * mean) / NOISE[t]).abs().max() < 1e-8


@pytest.mark.parametrize("t", [100, 500, 1000])
def test_finite_data_is_a_mixture_of_tiny_gaussians(t):
    flat = POINTS.flatten(1)
    mixture = GaussianMixture(
        flat, 1e-12 * torch.eye(4, dtype=torch.float64).repeat(7, 1, 1), torch.ones(7).double()
    )
    x = normal((20, 4))
    ours = EmpiricalData(flat).eps(LINEAR, x, t)
    torch.testing.assert_close(ours, mixture.eps(LINEAR, x, t), rtol=0, atol=1e-9)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_finite_data_can_only_repeat_itself(eta):
    model = partial(EmpiricalData(POINTS).eps, LINEAR)
    x_0 = sample(model, LINEAR, normal((30, 1, 2, 2)), 50, eta, seeded(1))
    distance, which = torch.cdist(x_0.flatten(1), POINTS.flatten(1)).min(1)
    assert distance.max() < 1e-6
    assert len(which.unique()) > 3


def test_finite_data_takes_a_time_a_row():
    data, x, t = EmpiricalData(POINTS), normal((4, 1, 2, 2)), torch.tensor([1, 70, 300, 1000])
    for function in (data.eps, data.weights):
        rows = [function(LINEAR, x[i : i + 1], v) for i, v in enumerate(t.tolist())]
        torch.testing.assert_close(function(LINEAR, x, t), torch.cat(rows), rtol=1e-9, atol=1e-12)
        with pytest.raises(
            ValueError, match=r"^need t as a number or of shape \(4,\), got \(1,\)$"
        ):
            function(LINEAR, x, t[:1])


def test_samples_of_finite_data_are_its_points():
    draws = EmpiricalData(POINTS).sample(7000, seeded())
    match = (draws[:, None] == POINTS).flatten(2).all(2)
    assert (match.sum(1) == 1).all()
    assert (match.sum(0) - 1000).abs().max() < 150
    assert torch.equal(draws, EmpiricalData(POINTS).sample(7000, seeded()))


def test_an_exact_model_walks_in_float32():
    *_, last = ddim_steps(
        partial(MIXTURE.eps, LINEAR), LINEAR, normal((5, 2), dtype=torch.float32), [1000, 300, 0]
    )
    assert last.x.dtype == torch.float32


# --- bad input ----------------------------------------------------------------------------------


def mixture(means=MEANS, covariances=COVARIANCES, weights=WEIGHTS):
    return GaussianMixture(means, covariances, weights)


def spoiled(x, value):
    x = x.clone()
    x[(0,) * x.ndim] = value
    return x


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"means": MEANS[0]}, r"^need means of shape \(K, d\), K >= 1, got \(2,\)$"),
        ({"means": MEANS[:0]}, r"^need means of shape \(K, d\), K >= 1, got \(0, 2\)$"),
        (
            {"weights": WEIGHTS[:2]},
            r"^need covariances \(3, 2, 2\) and weights \(3,\), got .*\(2,\)$",
        ),
        ({"covariances": COVARIANCES[0]}, r"^need covariances \(3, 2, 2\) .*, got \(2, 2\) and"),
        ({"weights": spoiled(WEIGHTS, 0)}, r"^need positive weights, got 0$"),
        ({"weights": spoiled(WEIGHTS, -0.5)}, r"^need positive weights, got -0.5$"),
        ({"weights": spoiled(WEIGHTS, math.inf)}, r"^need finite values in weights, got 1 of 3 "),
        ({"means": spoiled(MEANS, math.nan)}, r"^need finite values in means, got 1 of 6 "),
        (
            {"covariances": spoiled(COVARIANCES, math.nan)},
            r"^need finite values in covariances, got 1 of 12 ",
        ),
        ({"covariances": COVARIANCES + torch.eye(2).flip(0)[:1]}, r"^need symmetric covariances"),
        ({"covariances": -COVARIANCES}, r"^need positive definite covariances, got eigenvalue -0"),
        (
            {"covariances": 0 * COVARIANCES},
            r"^need positive definite covariances, got eigenvalue 0",
        ),
    ],
)
def test_mixtures_that_do_not_fit_together(arguments, message):
    with pytest.raises(ValueError, match=message):
        mixture(**arguments)


def test_mixtures_of_integers():
    with pytest.raises(TypeError, match=r"^need weights in float32 or float64, got torch.int64$"):
        mixture(weights=torch.tensor([1, 2, 3]))


@pytest.mark.parametrize("name", ["eps", "score", "log_prob"])
def test_bad_questions_to_a_mixture(name):
    ask = getattr(MIXTURE, name)
    for shape in [(2,), (3, 3), (3, 1), (3, 2, 2)]:
        with pytest.raises(ValueError, match=r"^need x of shape \(n, 2\), got \("):
            ask(LINEAR, normal(shape), 5)
    bad_questions(ask, (3, 2))
    with pytest.raises(ValueError, match=r"^need 0 <= t <= 1000, got t=-1$"):
        ask(LINEAR, normal((3, 2)), -1)


@pytest.mark.parametrize("name", ["eps", "weights"])
def test_bad_questions_to_finite_data(name):
    ask = getattr(EmpiricalData(POINTS), name)
    for shape in [(4,), (3, 4), (3, 1, 2, 1), (3, 2, 2)]:
        with pytest.raises(ValueError, match=r"^need x of shape \(n, 1, 2, 2\), got \("):
            ask(LINEAR, normal(shape), 5)
    bad_questions(ask, (2, 1, 2, 2))
    for t in (0, -1, torch.tensor([5, 0])):
        with pytest.raises(
            ValueError, match=r"^need t > 0 \(at t = 0 the density is a set of spikes"
        ):
            ask(LINEAR, normal((2, 1, 2, 2)), t)


def bad_questions(ask, shape):
    """What every exact predictor refuses."""
    with pytest.raises(ValueError, match=r"^need 0 <= t <= 1000, got t=1001$"):
        ask(LINEAR, normal(shape), 1001)
    with pytest.raises(ValueError, match=r"^need finite values in x, got 1 of "):
        ask(LINEAR, spoiled(normal(shape), math.nan), 5)
    with pytest.raises(TypeError, match=r"^need x in float32 or float64, got torch.float16$"):
        ask(LINEAR, normal(shape).half(), 5)


def test_bad_points():
    with pytest.raises(ValueError, match=r"^need finite values in points, got 1 of 28 "):
        EmpiricalData(spoiled(POINTS, math.nan))
    with pytest.raises(TypeError, match=r"^need points in float32 or float64, got torch.uint8$"):
        EmpiricalData(torch.zeros(3, 2, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"^need points of shape \(batch, \*dims\), got \(0, 2\)$"):
        EmpiricalData(torch.zeros(0, 2))
