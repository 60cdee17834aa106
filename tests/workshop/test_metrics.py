"""Distances against closed forms, brute force and SciPy."""

import itertools
import math

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch

from ddim_lib.metrics import Moments, energy_distance, frechet, moments, sliced_w1


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.fixture
def cloud():
    return normal(500, 2)


# --- sliced W1 ----------------------------------------------------------------------------------


def test_a_cloud_is_at_distance_zero_from_itself_in_any_order(cloud):
    assert sliced_w1(cloud, cloud.flip(0)) == 0


def test_a_shift_is_seen_at_its_mean_shadow(cloud):
    """The mean of |cos| over all directions is 2/π."""
    shift = torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert sliced_w1(cloud, cloud + shift) == pytest.approx(5 * 2 / math.pi, rel=1e-3)


def test_it_is_symmetric_and_scales(cloud):
    other = cloud.flip(1) * torch.tensor([2.0, 0.5], dtype=torch.float64)
    assert sliced_w1(cloud, other) == pytest.approx(sliced_w1(other, cloud), rel=1e-12)
    assert sliced_w1(3 * cloud, 3 * other) == pytest.approx(3 * sliced_w1(cloud, other), rel=1e-12)


@pytest.mark.parametrize(("a", "b"), [((500, 2), (400, 2)), ((500, 3), (500, 3)), ((500,), (500,))])
def test_clouds_that_do_not_fit_are_refused(a, b):
    with pytest.raises(ValueError, match=r"need two clouds of one shape \(n, 2\), got"):
        sliced_w1(torch.zeros(a), torch.zeros(b))


# --- energy distance ----------------------------------------------------------------------------


def mean_gap(pairs):
    return np.mean([math.dist(x, y) for x, y in pairs])


def test_energy_distance_pair_by_pair():
    a, b = normal(5, 3), normal(7, 3, seed=1) + 0.5
    within = (mean_gap(itertools.permutations(c.tolist(), 2)) for c in (a, b))
    expected = 2 * mean_gap(itertools.product(a.tolist(), b.tolist())) - sum(within)
    assert energy_distance(a, b) == pytest.approx(expected, abs=1e-12)


def test_energy_distance_is_scipys_without_its_bias():
    """SciPy counts each point's distance 0 from itself, and returns the root."""
    a, b = normal(600, 1), 1.5 * normal(1100, 1, seed=1) + 0.3
    biased = scipy.stats.energy_distance(a[:, 0].numpy(), b[:, 0].numpy()) ** 2
    own = (scipy.spatial.distance.pdist(c).mean() / len(c) for c in (a, b))
    assert energy_distance(a, b) == pytest.approx(biased - sum(own), abs=1e-10)


def test_energy_distance_of_one_distribution_is_zero_on_average():
    values = [energy_distance(normal(20, 2, seed=i), normal(20, 2, seed=-i)) for i in range(1, 301)]
    assert min(values) < 0
    assert abs(np.mean(values)) < 4 * scipy.stats.sem(values)
    assert 4 * scipy.stats.sem(values) < 0.03  # the biased one would have 2 E|X − X'| / 20 = 0.18


def test_energy_distance_keeps_precision_in_float32():
    a = (normal(300, 64) + 20).float()
    b = (normal(300, 64, seed=1) + 20.1).float()
    assert energy_distance(a, b) == pytest.approx(energy_distance(a.double(), b.double()), rel=1e-9)


CLOUD_ERRORS = [
    (torch.zeros(1, 2), ValueError, r"of shape \(n, d\), n >= 2, got \(1, 2\)"),
    (torch.zeros(5), ValueError, r"of shape \(n, d\), n >= 2, got \(5,\)"),
    (torch.zeros(2, 2, 2), ValueError, r"n >= 2, got \(2, 2, 2\)"),
    (torch.full((3, 2), math.nan), ValueError, "need finite values in .*, got 6 of 6 NaN"),
    (torch.zeros(3, 2, dtype=torch.int64), TypeError, "in float32 or float64, got torch.int64"),
    ([[0.0, 1.0], [1.0, 0.0]], TypeError, "need a torch tensor as .*, got list"),
]


@pytest.mark.parametrize(("bad", "error", "message"), CLOUD_ERRORS)
def test_bad_clouds_are_refused(bad, error, message, cloud):
    for a, b in ((bad, cloud), (cloud, bad)):
        with pytest.raises(error, match=message):
            energy_distance(a, b)
    with pytest.raises(error, match=message):
        moments(bad)


def test_clouds_of_other_dimensions_are_refused(cloud):
    with pytest.raises(ValueError, match="need clouds in the same dimension, got 2 and 3"):
        energy_distance(cloud, normal(500, 3))


# --- Fréchet distance ---------------------------------------------------------------------------


def gaussian(variances, mean=0.0, axes=None):
    variances = torch.as_tensor(variances, dtype=torch.float64)
    axes = torch.eye(len(variances), dtype=torch.float64) if axes is None else axes
    return Moments(torch.full_like(variances, mean), axes * variances @ axes.T)


def test_moments_are_numpys():
    points = normal(50, 3) @ normal(3, 3, seed=1)
    mean, covariance = moments(points.float())
    exact = points.float().double().numpy()
    np.testing.assert_allclose(mean, exact.mean(0), atol=1e-14)
    np.testing.assert_allclose(covariance, np.cov(exact, rowvar=False), atol=1e-13)
    assert moments(normal(5, 1)).covariance.shape == (1, 1)


def test_frechet_of_covariances_with_common_axes():
    """Along each common axis it is (√a − √b)², whatever the axes; the means add their distance."""
    axes = torch.linalg.qr(normal(4, 4)).Q
    a, b = gaussian([4, 1, 9, 0.25], 1.0, axes), gaussian([1, 1, 25, 4], 1.5, axes)
    assert frechet(a, b) == pytest.approx(1 + 0 + 4 + 2.25 + 4 * 0.25, abs=1e-12)
    assert frechet(b, a) == pytest.approx(frechet(a, b), abs=1e-12)
    assert frechet(a, a) == pytest.approx(0, abs=1e-12)


def test_frechet_of_any_covariances_is_the_root_of_the_product():
    """As it is usually written, tr √(C_a C_b), with SciPy's root of a matrix."""
    a, b = (moments(normal(40, 6, seed=i) @ normal(6, 6, seed=i + 9)) for i in (1, 2))
    overlap = np.trace(scipy.linalg.sqrtm((a.covariance @ b.covariance).numpy())).real
    expected = (a.mean - b.mean).square().sum() + (a.covariance + b.covariance).trace()
    assert frechet(a, b) == pytest.approx(expected.item() - 2 * overlap, rel=1e-10)


def test_frechet_of_fewer_points_than_dimensions():
    """Singular covariances, whose products break the usual root: |√a − √b|² stays exact."""
    a, b = gaussian([3, 0, 0, 0]), gaussian([0, 0, 2, 0])
    assert frechet(a, b) == pytest.approx(5, abs=1e-12)
    few = moments(normal(3, 64))
    assert frechet(few, few) == pytest.approx(0, abs=1e-10)


def test_frechet_of_other_dimensions_is_refused():
    with pytest.raises(ValueError, match="need moments of one shape, got 2 and 3 dimensions"):
        frechet(gaussian([1, 1]), gaussian([1, 1, 1]))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_sliced_w1_of_points_that_are_nowhere(value):
    bad = torch.zeros(4, 2)
    bad[1, 0] = value
    for a, b, name in ((bad, torch.zeros(4, 2), "a"), (torch.zeros(4, 2), bad, "b")):
        with pytest.raises(
            ValueError, match=f"^need finite values in {name}, got 1 of 8 NaN or inf"
        ):
            sliced_w1(a, b)


def test_sliced_w1_of_nothing_and_on_no_direction():
    with pytest.raises(ValueError, match=r"^need a of shape \(batch, \*dims\), got \(0, 2\)$"):
        sliced_w1(torch.zeros(0, 2), torch.zeros(0, 2))
    with pytest.raises(TypeError, match=r"^need a torch tensor as a, got list$"):
        sliced_w1([[0.0, 0.0]], torch.zeros(1, 2))
    for directions in (0, -1, 2.5):
        with pytest.raises(ValueError, match=r"^need a whole number, 1 <= directions, got dir"):
            sliced_w1(torch.zeros(4, 2), torch.zeros(4, 2), directions)
