"""What training descends: the loss of known predictors, times, weights, the held-out loss."""

import math

import pytest
import torch

from ddim_lib.train.loss import (
    held_out_loss,
    loss,
    stratified_times,
    time_density,
    time_weights,
)
from tests.support.tiny import SCHEDULE, bright_squares, generator


@pytest.fixture(scope="module")
def images():
    return bright_squares()


def test_loss_of_the_exact_predictor_is_zero(images):
    """Of a data set with one point the noise is known: (x_t − ᾱ_t x_0) / β̄_t."""
    x_0 = images[:1].double().repeat(5, 1, 1, 1)
    t = torch.tensor([1, 10, 100, 500, 1000])
    power = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)[t - 1]
    signal_, noise = (p.sqrt()[:, None, None, None] for p in (power, 1 - power))
    eps = torch.randn(x_0.shape, generator=generator(), dtype=torch.float64)
    values = loss(lambda x, _: (x - signal_ * x_0) / noise, SCHEDULE, x_0, t, eps)
    assert values.shape == (5,)
    assert values.max() < 1e-24


def test_loss_of_no_guess_is_the_mean_square_of_the_noise(images):
    eps = torch.randn(images.shape, generator=generator())
    t = torch.full((64,), 7)
    values = loss(lambda x, _: torch.zeros_like(x), SCHEDULE, images, t, eps)
    torch.testing.assert_close(values, (eps**2).mean(dim=(1, 2, 3)))


def test_times_drawn_alike_fill_1_to_T():
    alike = time_density("uniform", 1000)
    draws = torch.stack([stratified_times(10, alike, generator(seed)) for seed in range(500)])
    parts = 100 * torch.arange(10)
    assert ((draws > parts) & (draws <= parts + 100)).all()
    assert (draws.min(), draws.max()) == (1, 1000)
    assert draws.double().mean().item() == pytest.approx(500.5, abs=3)


def test_stratified_times_with_more_images_than_times():
    drawn = stratified_times(6, time_density("uniform", 3), generator())
    assert drawn.tolist() == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("drawn", [0.0, 1 - 2**-24])
def test_the_ends_of_a_part_lie_in_it(drawn, monkeypatch):
    """The least and the largest number that float32 draws between 0 and 1; the next rounds to 1."""
    monkeypatch.setattr(torch, "rand", lambda n, **_: torch.full((n,), drawn))
    assert stratified_times(2, torch.tensor([0, 0.5, 0.5]), generator()).tolist() == [1, 2]


@pytest.mark.parametrize("times", ["uniform", "middle"])
def test_times_are_drawn_with_their_probability(times):
    """A part of the interval gets its share: counts against the density's own sum, ± 4 sd."""
    density = time_density(times, 1000)
    assert density.sum().item() == pytest.approx(1, abs=1e-12)
    assert density[0] == 0
    assert density[1:].min() > 0
    draws = torch.cat([stratified_times(64, density, generator(seed)) for seed in range(400)])
    for low, high in ((0, 100), (100, 300), (300, 500), (500, 1000)):
        share = ((draws > low) & (draws <= high)).double().mean().item()
        expected = density[low + 1 : high + 1].sum().item()
        assert share == pytest.approx(expected, abs=4 * math.sqrt(expected / len(draws)))


def test_the_middle_is_a_bell_on_a_floor():
    """Mean and spread of a quarter uniform and three quarters normal(400, 150), cut at 0 and T."""
    density = time_density("middle", 1000)
    t = torch.arange(1, 1001, dtype=torch.float64)
    bell = torch.distributions.Normal(400.0, 150.0).log_prob(t).exp()
    expected = 0.25 / 1000 + 0.75 * bell / bell.sum()
    torch.testing.assert_close(density[1:], expected, rtol=1e-5, atol=0)


def test_time_weights_follow_the_noise():
    """1/ᾱ² up to a hundred: the error of v = (ε̂ − β̄x)/ᾱ, from powers summed here."""
    assert torch.equal(time_weights("uniform", SCHEDULE), torch.ones(1001))
    power = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    weights = time_weights("v", SCHEDULE)
    assert weights.dtype == torch.float32
    expected = torch.minimum(1 / power, torch.tensor(100.0))
    torch.testing.assert_close(weights[1:].double(), expected, rtol=1e-5, atol=0)
    assert (weights == 100).any()


def test_held_out_loss_is_fixed_and_has_its_standard_error(images):
    zero = lambda x, _: torch.zeros_like(x)
    many = images.repeat(10, 1, 1, 1)
    mean, error = held_out_loss(zero, SCHEDULE, many)
    assert (mean, error) == held_out_loss(zero, SCHEDULE, many)
    assert mean == pytest.approx(1, abs=5 * error)
    # the mean of 784 squared normals has variance 2/784; 640 images
    assert error == pytest.approx(math.sqrt(2 / 784 / 640), rel=0.1)


def test_held_out_loss_covers_all_times(images):
    seen = []
    held_out_loss(lambda x, t: seen.append(t) or x, SCHEDULE, images[:10])
    assert torch.cat(seen).tolist() == [1, 101, 201, 301, 401, 501, 601, 701, 801, 901]
