"""The network's structure against formulas written out here; the shipped weights."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from ddim_lib.data import load_digits
from ddim_lib.files import SHIPPED, locate, read_denoiser, trained
from ddim_lib.nets import Attention, ResBlock, UNet, load_denoiser, signal, time_embedding
from ddim_lib.schedule import Schedule
from ddim_lib.train.loss import loss
from tests.support.tiny import moved_unet, noise_images


@pytest.fixture(scope="module")
def noisy():
    return noise_images()


@pytest.fixture
def model():
    return moved_unet()


def test_parameter_count_of_the_design():
    assert sum(weight.numel() for weight in UNet().parameters()) == 540_868


def test_signal_is_close_to_ddpms():
    power = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    t = torch.arange(1, 1001, dtype=torch.float64)
    torch.testing.assert_close(signal(t), power.sqrt(), rtol=0, atol=1e-3)
    assert signal(torch.tensor(0.0)) == 1


def test_a_fresh_network_sees_only_noise_late_and_none_early(noisy):
    """F = 0: the guess is the part of x_t that would be noise if x_0 were unknown, β̄_t x_t."""
    net = UNet(channels=8)
    power = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    for t in (1, 250, 1000):
        share = math.sqrt(1 - power[t - 1])
        torch.testing.assert_close(net(noisy, t), share * noisy, rtol=2e-3, atol=4e-3)


def test_the_output_is_the_input_and_f_turned_by_the_schedules_angle(model, noisy):
    """ε̂ = β̄x + ᾱF, with F's own view of (x, t) read off where the head ends."""
    seen = []
    model.head.register_forward_hook(lambda *call: seen.append(call[2]))
    eps_hat = model(noisy, torch.tensor([1.0, 400.0, 1000.0]))
    f = nn.functional.pixel_shuffle(seen[0], 2)
    for i, u in enumerate((0.001, 0.4, 1.0)):
        a = math.exp(-(0.1 * u + 9.95 * u**2) / 2)
        expected = math.sqrt(1 - a**2) * noisy[i] + a * f[i]
        torch.testing.assert_close(eps_hat[i], expected, rtol=1e-4, atol=1e-5)


def test_fresh_branches_are_silent():
    x = torch.randn(2, 8, 7, 7, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ResBlock(8, 8, 16)(x, torch.ones(2, 16)), x)
    assert torch.equal(Attention(8)(x), x)


def test_attention_is_a_softmax_average_over_pixels():
    torch.manual_seed(0)
    layer = Attention(8)
    nn.init.normal_(layer.out.weight)
    x = torch.randn(1, 8, 2, 3)
    pixels = layer.norm(x)[0].flatten(1).T  # (6, 8)
    q, k, v = (pixels @ w.T for w in layer.qkv.weight[:, :, 0, 0].split(8))
    q, k, v = (y + b for y, b in zip((q, k, v), layer.qkv.bias.split(8), strict=True))
    mixed = torch.softmax(q @ k.T / math.sqrt(8), dim=1) @ v
    expected = x[0].flatten(1) + layer.out.weight[:, :, 0, 0] @ mixed.T
    torch.testing.assert_close(layer(x)[0].flatten(1), expected)


def test_time_embedding_is_sinusoids():
    embedded = time_embedding(torch.tensor([7.0, 0.5]), 6)
    for row, t in zip(embedded.tolist(), (7.0, 0.5), strict=True):
        angles = [t * 10_000 ** (-k / 3) for k in range(3)]
        expected = [math.cos(a) for a in angles] + [math.sin(a) for a in angles]
        assert row == pytest.approx(expected, abs=1e-6)


def test_time_may_be_a_number_or_a_tensor(model, noisy):
    expected = model(noisy, torch.tensor([40, 40, 40]))
    for t in (40, 40.0, torch.tensor(40), torch.tensor([40.0, 40.0, 40.0])):
        torch.testing.assert_close(model(noisy, t), expected, rtol=0, atol=0)
    assert not torch.allclose(model(noisy, 41), expected)
    assert not torch.allclose(model(noisy, 40.5), expected)


def test_each_image_has_its_own_time(model, noisy):
    together = model(noisy, torch.tensor([1, 500, 1000]))
    for i, t in enumerate((1, 500, 1000)):
        torch.testing.assert_close(together[i : i + 1], model(noisy[i : i + 1], t))


def test_every_weight_takes_part(noisy):
    net = moved_unet().requires_grad_()
    net(noisy, 300).square().sum().backward()
    idle = [name for name, weight in net.named_parameters() if weight.grad.abs().max() == 0]
    assert idle == []


def test_every_output_pixel_sees_every_input_pixel(model, noisy):
    x = noisy[:1].clone().requires_grad_()
    model(x, 300)[0, 0, 0, 0].backward()
    assert (x.grad != 0).float().mean() > 0.99


@pytest.mark.parametrize(
    ("x", "t", "error", "message"),
    [
        (
            torch.zeros(28, 28),
            5,
            ValueError,
            r"need x of shape \(batch, 1, 28, 28\), got \(28, 28\)",
        ),
        (torch.zeros(2, 3, 28, 28), 5, ValueError, r"got \(2, 3, 28, 28\)"),
        (
            torch.zeros(2, 1, 28, 28).double(),
            5,
            TypeError,
            "need x in torch.float32 like the weights, got torch.float64",
        ),
        (
            torch.zeros(2, 1, 28, 28),
            torch.ones(3),
            ValueError,
            r"need t as a number or of shape \(2,\), got \(3,\)",
        ),
    ],
)
def test_input_errors(model, x, t, error, message):
    with pytest.raises(error, match=message):
        model(x, t)


@pytest.mark.parametrize("blocks", [0, 3])
def test_other_numbers_of_blocks_are_refused(blocks):
    with pytest.raises(ValueError, match=f"need 1 or 2 blocks at 14×14, got {blocks}"):
        UNet(blocks=blocks)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_network_predicts_noise(name):
    """Its error is a small share of the noise's power 1, and it knows no noise from digits."""
    x_0 = load_digits().images[:64]
    eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(1))
    alpha_bar, beta_bar = 0.6, 0.8  # linear schedule: this noise level is reached at t = 315
    eps_hat = load_denoiser(name)(alpha_bar * x_0 + beta_bar * eps, 315)
    assert (eps_hat - eps).square().mean() < 0.03


def test_the_network_moved_by_muon_is_the_same_network():
    """Same shape, same schedule, another recipe."""
    recipes = [read_denoiser(locate(name)) for name in ("digits_small", "digits_muon")]
    (sizes, _, weights), (same_sizes, told, others) = recipes
    assert sizes == same_sizes
    assert told == {"name": "linear", "T": 1000}
    assert {k: w.shape for k, w in weights.items()} == {k: w.shape for k, w in others.items()}
    assert trained(locate("digits_muon")) == (28_500, 36_000)


def test_the_shipped_network_is_larger_and_errs_less_than_either_small_one():
    """On the same noise; of pictures that all three were trained on."""
    sizes, told, weights = read_denoiser(locate("digits"))
    assert sizes == {"channels": 64, "embedding": 128, "inner": 64, "blocks": 2}
    assert told == {"name": "linear", "T": 1000}
    assert sum(weight.numel() for weight in weights.values()) == 952_516
    assert locate("digits").stat().st_size < 4.5e6
    x_0 = load_digits().images[:1000]
    eps = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(2))
    t = torch.randint(100, 601, (1000,), generator=torch.Generator().manual_seed(3))
    schedule = Schedule.linear()
    names = ("digits_small", "digits_muon", "digits")
    errors = [loss(load_denoiser(name), schedule, x_0, t, eps) for name in names]
    for first, second in pairwise(errors):
        gain = (first - second) / schedule.alpha_bar[t] ** 2
        assert gain.mean() > 3 * gain.std() / 1000**0.5
