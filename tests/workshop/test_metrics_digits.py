"""The score of pictures of digits: floors, order, what is refused."""

import math

import numpy as np
import pytest
import torch

from ddim_lib.data import load_digits
from ddim_lib.metrics import score_digits
from ddim_lib.tables.store import load_table


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_real_digits_score_as_the_floors_say(digits):
    """Those are of MNIST as it is; here all classes are alike, which adds a little."""
    chosen = torch.randperm(10_000, generator=torch.Generator().manual_seed(0))[:2000]
    scores = score_digits(digits.images[chosen])
    rows = [float(row["frechet"]) for row in load_table("floors") if row["n"] == "2000"]
    assert len(rows) == 10
    assert 0 < scores.frechet - np.mean(rows) < 3
    assert abs(scores.energy) < 0.05
    assert 0.96 < scores.confident < 1


def test_worse_pictures_score_worse(digits):
    real = digits.images[:500]
    noisy = real + 0.5 * normal(500, 1, 28, 28).float()
    upside_down, noise = real.flip(2), normal(500, 1, 28, 28).float()
    for metric in ("frechet", "energy"):
        near, middle, far = (getattr(score_digits(x), metric) for x in (real, noisy, noise))
        assert near < middle < far
        assert near < getattr(score_digits(upside_down), metric)


def test_a_single_class_is_far_however_sure_the_classifier_is(digits):
    """Why confidence alone misleads."""
    ones = score_digits(digits.images[digits.labels == 1])
    assert ones.confident > 0.96
    assert ones.frechet > 100


def test_pictures_are_clamped(digits):
    few = digits.images[:50]
    beyond = torch.where(few.abs() == 1, 1.7 * few, few)
    assert not torch.equal(beyond, few)
    assert score_digits(beyond.double()) == score_digits(few)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.zeros(1, 1, 28, 28), r"n >= 2, got \(1, 64\)"),
        (torch.zeros(5, 28, 28), r"need images of shape \(n, 1, 28, 28\), got \(5, 28, 28\)"),
        (torch.full((5, 1, 28, 28), math.inf), "need finite values in images"),
    ],
)
def test_bad_pictures_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        score_digits(bad)


def test_images_on_another_scale_are_refused():
    images = load_digits().images[:20]
    for scaled, to in (((images + 1) / 2, "1"), ((images + 1) * 127.5, "255")):
        need = rf"^need images from -1 \(paper\) to 1 \(ink\), got 0 to {to}: rescale them first$"
        with pytest.raises(ValueError, match=need):
            score_digits(scaled)
