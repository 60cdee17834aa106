"""Sliced W1 against distances that are known in closed form."""

import math

import pytest
import torch

from ddim_lib.metrics import sliced_w1


@pytest.fixture
def cloud():
    return torch.randn(500, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


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
