"""A run of training: what is descended and told, rates, averages, settings."""

import itertools
import math

import pytest
import torch
from torch import nn

from ddim_lib.train.loss import held_out_loss, loss, stratified_times, time_density, time_weights
from ddim_lib.train.run import Settings, learning_rate, seeded_unet, start, train
from tests.support.tiny import SCHEDULE, bright_squares, tiny_run


@pytest.fixture(scope="module")
def images():
    return bright_squares()


# --- the algorithm ------------------------------------------------------------------------------


def test_learning_rate_rises_then_falls():
    settings = Settings(steps=1000, lr=2.0)
    rates = [learning_rate(settings, step) for step in range(1000)]
    assert rates[0] == pytest.approx(2 / 200)
    assert rates.index(max(rates)) == 199
    assert rates[500] == pytest.approx(2 * 0.505)
    assert rates[999] == pytest.approx(0.02, rel=1e-3)


def test_seeded_unet_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (seeded_unet(seed).stem.weight for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape[0] == 32
    assert seeded_unet(1, 8).stem.weight.shape[0] == 8
    assert seeded_unet(1, 8).config["inner"] == 16
    assert seeded_unet(1, 8, 24, 2).config["inner"] == 24
    assert seeded_unet(1, 8, 24, 2).config["blocks"] == 2


@pytest.mark.parametrize(
    "knobs", [{"precision": "float32"}, {"precision": "bfloat16"}, {"optimizer": "muon"}]
)
def test_training_lowers_the_loss(images, knobs):
    run = tiny_run(steps=150, lr=0.03, **knobs)
    before, _ = held_out_loss(run.ema, SCHEDULE, images)
    steps = list(train(run, SCHEDULE, images))
    after, _ = held_out_loss(run.ema, SCHEDULE, images)
    assert [step for step, _ in steps] == list(range(1, 151))
    assert before == pytest.approx(0.28, abs=0.02)  # a fresh network guesses β̄x
    assert after < 0.75 * before


def test_ema_is_the_weighted_mean_of_the_past(images):
    """At first it forgets fast, keeping 1/10 and 2/11 of the past; in the end it keeps 0.999."""
    run = tiny_run()
    bias, average = run.model.head[2].bias, torch.zeros(4)  # the only weights that move at once
    for _, share in zip(train(run, SCHEDULE, images), (1 / 10, 2 / 11), strict=False):
        average = share * average + (1 - share) * bias.detach()
        torch.testing.assert_close(run.ema.head[2].bias, average)
    assert average.abs().min() > 0


@pytest.mark.parametrize(("told", "kept"), [({}, 0.999), ({"ema": 0.75}, 0.75)])
def test_ema_keeps_a_thousand_steps_in_the_end_or_what_it_is_told_to(told, kept, images):
    run = tiny_run(steps=20_001, **told)
    run.step = 20_000
    with torch.no_grad():
        run.ema.head[2].bias.fill_(1.0)
    next(train(run, SCHEDULE, images))
    expected = kept + (1 - kept) * run.model.head[2].bias
    torch.testing.assert_close(run.ema.head[2].bias, expected, rtol=0, atol=1e-6)


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


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"steps": 0}, "need steps >= 1, batch >= 1 and seed >= 0, got steps=0, batch=64, seed=0"),
        ({"batch": 0}, "got steps=4000, batch=0, seed=0"),
        ({"seed": -1}, "got steps=4000, batch=64, seed=-1"),
        ({"lr": 0.0}, "need lr > 0, got lr=0.0"),
        ({"lr": math.nan}, "need lr > 0, got lr=nan"),
        ({"channels": 0}, "need channels a multiple of 8, got 0"),
        ({"channels": 20}, "need channels a multiple of 8, got 20"),
        ({"inner": -8}, "need inner a multiple of 8, got -8"),
        ({"inner": 36}, "need inner a multiple of 8, got 36"),
        ({"blocks": 3}, "need blocks 1 or 2, got 3"),
        ({"ema": 1.0}, "need 0 <= ema < 1, got ema=1.0"),
        ({"ema": math.nan}, "need 0 <= ema < 1, got ema=nan"),
        ({"device": "tpu"}, "need device cpu or cuda, got 'tpu'"),
        ({"weighting": "late"}, "need weighting uniform or v, got 'late'"),
        ({"optimizer": "sgd"}, "need optimizer adamw or muon, got 'sgd'"),
        ({"times": "late"}, "need times uniform or middle, got 'late'"),
    ],
)
def test_settings_errors(knobs, message):
    with pytest.raises(ValueError, match=message):
        Settings(**knobs)


# --- interrupted and continued ------------------------------------------------------------------


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="need a CUDA device for device cuda, got none"):
        Settings(device="cuda")


class Recorded:
    """Count the calls of torch's functions by the device that they name."""

    def __init__(self, monkeypatch, *names):
        self.devices = {name: [] for name in names}
        for name in names:
            monkeypatch.setattr(torch, name, self.wrap(name, getattr(torch, name)))

    def wrap(self, name, function):
        def call(*args, **kwargs):
            self.devices[name].append(kwargs.get("device"))
            return function(*args, **kwargs)

        return call


def test_batches_are_drawn_on_the_device_of_the_run(images, monkeypatch):
    """On a machine without a GPU one can only see that each draw asks for the run's device."""
    run = tiny_run()
    recorded = Recorded(monkeypatch, "randint", "rand", "randn")
    next(train(run, SCHEDULE, images))
    devices = {name: [str(d) for d in found] for name, found in recorded.devices.items()}
    assert devices == {"randint": ["cpu"], "rand": ["cpu"], "randn": ["cpu"]}
