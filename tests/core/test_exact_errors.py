"""What the exact predictors refuse, and in which words."""

import math

import pytest
import torch

from ddim_lib import EmpiricalData, GaussianMixture
from tests.support.cases import COVARIANCES, LINEAR, MEANS, MIXTURE, POINTS, WEIGHTS, normal


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
