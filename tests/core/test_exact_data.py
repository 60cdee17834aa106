"""Exact predictors of finite data: direct sums, tiny Gaussians."""

import math

import pytest
import torch

from ddim_lib import EmpiricalData, GaussianMixture, sample
from tests.support.cases import LINEAR, POINTS, normal, seeded
from tests.support.oracles import NOISE, SIGNAL


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
    model = EmpiricalData(POINTS).model(LINEAR)
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
