"""What training descends and tells: the loss of known predictors, times, weights."""

import itertools
import math

import pytest
import torch
from torch import nn

from ddim_lib.training import (
    Settings,
    loss,
    start,
    stratified_times,
    time_density,
    time_weights,
    train,
)
from tests.support.tiny import SCHEDULE, bright_squares, generator, tiny_run


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


def test_training_weights_the_loss_by_its_time(images):
    """Descended: the weighted mean, of mean weight 1. Told: the plain mean over even times."""
    run = tiny_run(batch=2, precision="float32")
    gradients = run.model.head[2].weight
    _, told = next(train(run, SCHEDULE, images))
    clipped = gradients.grad.clone()

    again = tiny_run(batch=2, precision="float32")
    g = again.generator
    x_0 = images[torch.randint(len(images), (2,), generator=g)]
    density, weights = time_density("middle", 1000), time_weights("v", SCHEDULE)
    t = stratified_times(2, density, g)
    values = loss(again.model, SCHEDULE, x_0, t, torch.randn(x_0.shape, generator=g))
    assert told == pytest.approx((values / (1000 * density[t])).mean().item(), rel=1e-5)
    mean_weight = (density * weights).sum()
    (weights[t] / mean_weight * values).mean().backward()
    nn.utils.clip_grad_norm_(again.model.parameters(), 1.0)
    torch.testing.assert_close(again.model.head[2].weight.grad, clipped, rtol=1e-4, atol=1e-7)


def test_what_is_told_does_not_depend_on_which_times_are_drawn(images):
    """The told loss of a fixed predictor, averaged over many batches, is the same for both."""
    means = []
    for times in ("uniform", "middle"):
        run = start(Settings(precision="float32", batch=64, times=times, lr=1e-12), Scaled(0.5))
        told = [value for _, value in itertools.islice(train(run, SCHEDULE, images), 200)]
        means.append(sum(told) / len(told))
    assert means[0] == pytest.approx(means[1], rel=0.02)


class Scaled(nn.Module):
    """A model with one weight, whose gradient can be made as large as one likes."""

    def __init__(self, weight=1e4):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x, t):
        return self.weight * x


def test_gradients_are_clipped(images):
    run = start(Settings(precision="float32"), Scaled())
    next(train(run, SCHEDULE, images))
    assert run.model.weight.grad.abs().item() == pytest.approx(1, abs=1e-4)
