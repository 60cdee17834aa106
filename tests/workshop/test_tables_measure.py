"""One cell of a table at a time, against exact answers."""

import pytest
import torch
from torch import nn

from ddim_lib.checks import SIGMA_HAT
from ddim_lib.data import load_digits
from ddim_lib.ddim import ddpm_large_steps, sample
from ddim_lib.metrics import score_digits, sliced_w1
from ddim_lib.nets import UNet
from ddim_lib.tables import measure
from ddim_lib.tables.measure import DATA, SCHEDULE

ETAS = ["0", "0.2", "0.5", "1", SIGMA_HAT]


class Silent(nn.Module):
    """Predict no noise, and remember what it was asked."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))
        self.seen = []

    def forward(self, x, t):
        self.seen.append((t, x.detach().clone()))
        return self.scale * x


def test_all_settings_of_a_seed_start_from_the_same_noise():
    starts = []
    for steps, eta in [(1, "0"), (3, "0"), (3, "1"), (2, SIGMA_HAT)]:
        model = Silent()
        measure.draw_digits(model, steps, eta, 4, 5)
        starts.append(model.seen[0][1])
    assert all(torch.equal(start, starts[0]) for start in starts)
    assert starts[0].shape == (5, 1, 28, 28)
    other = Silent()
    measure.draw_digits(other, 1, "0", 5, 5)
    assert not torch.equal(other.seen[0][1], starts[0])


def test_more_samples_begin_with_the_same_ones():
    few, many = (measure.starting_noise((n, 1, 28, 28), 2, torch.float32) for n in (10, 300))
    assert torch.equal(many[:10], few)
    few, many = (measure.draw_digits(Silent(), 2, "1", 0, n) for n in (250, 500))
    assert torch.equal(many[:250], few)  # with the noise of their steps


@pytest.mark.parametrize("eta", ETAS)
def test_a_walk_is_the_librarys(eta):
    mixture = measure.mixture_of("ring")
    model = lambda x, t: mixture.eps(SCHEDULE, x, t)
    x_T = measure.starting_noise((50, 2), 1, torch.float64)
    first, second = (torch.Generator().manual_seed(3) for _ in range(2))
    if eta == SIGMA_HAT:
        *_, last = ddpm_large_steps(model, SCHEDULE, x_T, SCHEDULE.times(7), second)
        expected = last.x
    else:
        expected = sample(model, SCHEDULE, x_T, 7, float(eta), second)
    assert torch.equal(measure.walk(model, x_T, 7, eta, first), expected)


def test_a_walk_keeps_to_its_spacing():
    model = Silent()
    measure.draw_digits(model, 4, "0", 0, 2, "quadratic")
    assert [t for t, _ in model.seen] == [1000, 562, 250, 62]  # 1000 (1 − i/4)², rounded
    model = Silent()
    measure.encoding_cell(model, load_digits().images[:2], 4, 0, 2, "quadratic")
    assert [t for t, _ in model.seen] == [1, 62, 250, 562, 1000, 562, 250, 62]


def test_digits_are_drawn_batch_by_batch_with_fresh_noise(monkeypatch):
    """No prediction of noise and η = 1: no two batches get the same noise."""
    monkeypatch.setattr(measure, "BATCH", 2)
    images = measure.draw_digits(Silent(), 3, "1", 0, 6)
    assert images.shape == (6, 1, 28, 28)
    x_T = measure.starting_noise((6, 1, 28, 28), 0, torch.float32)
    added = images - x_T / float(SCHEDULE.alpha_bar[-1])
    assert torch.unique(added[:, 0, 0, 0]).numel() == 6


def test_digits_cell_scores_what_was_drawn():
    torch.manual_seed(0)
    model = UNet(channels=8, embedding=16)
    cell = measure.digits_cell(model, 2, "0.5", 1, 5)
    assert cell == score_digits(measure.draw_digits(model, 2, "0.5", 1, 5))._asdict()


def test_the_network_multiplies_in_the_precision_asked_and_the_sampler_in_its_own():
    seen = []

    class Watching(UNet):
        def forward(self, x, t):
            seen.append((x.dtype, self.stem(torch.ones(1, 4, 2, 2)).dtype))
            return super().forward(x, t)

    torch.manual_seed(0)
    model = Watching(channels=8, embedding=16)
    for weight in model.parameters():  # the zeroed ones too
        torch.nn.init.normal_(weight, std=0.1)
    fine = measure.draw_digits(model, 3, "0", 1, 5)
    coarse = measure.draw_digits(model, 3, "0", 1, 5, precision="bfloat16")
    assert seen == [(torch.float32, torch.float32)] * 3 + [(torch.float32, torch.bfloat16)] * 3
    assert coarse.dtype == torch.float32
    assert 0 < (coarse - fine).abs().max() < 0.05 * fine.abs().max()


def test_floor_draws_each_image_once():
    images = load_digits().images[:20]
    whole = measure.floor_cell(images, 3, 20)
    assert whole == pytest.approx(measure.floor_cell(images, 4, 20), rel=1e-5)
    assert whole == pytest.approx(score_digits(images)._asdict(), rel=1e-5)
    assert measure.floor_cell(images, 3, 10) != measure.floor_cell(images, 4, 10)
    with pytest.raises(ValueError, match="need at least 21 images, got 20"):
        measure.floor_cell(images, 0, 21)


def test_encoding_with_a_predictor_that_is_the_same_both_ways():
    """Without predicted noise the ODE only scales: x_T = ᾱ_T x_0, and back without error."""
    images = load_digits().images[:30]
    cell = measure.encoding_cell(Silent(), images, 5, 0, 30)
    assert cell["mse"] < 1e-12
    assert cell["std"] == pytest.approx(
        float(SCHEDULE.alpha_bar[-1]) * images.std().item(), rel=1e-5
    )
    x = images.double() - images.double().mean()
    correlation = (x[..., 1:] * x[..., :-1]).mean() / x.square().mean()
    assert cell["neighbours"] == pytest.approx(correlation.item(), rel=1e-4)
    assert cell["neighbours"] > 0.5


def test_encoding_error_is_of_pixels_from_0_to_1():
    """One step there from t = 1 and one back from t = T: with ε̂ = c it returns x_0 + shift."""

    class Constant(Silent):
        def forward(self, x, t):
            return torch.full_like(x, 0.2 if t == 1 else 0.5)

    cell = measure.encoding_cell(Constant(), load_digits().images[:4], 1, 0, 4)
    shift = float(SCHEDULE.noise_level[-1]) * (0.2 - 0.5)
    assert cell["mse"] == pytest.approx(shift**2 / 4, rel=1e-4)


def test_exact_cell_approaches_the_floor():
    floor = measure.exact_cell("ring", 0, DATA, 0, 4000)["sliced_w1"]
    few, many = (measure.exact_cell("ring", steps, "1", 0, 4000)["sliced_w1"] for steps in (3, 100))
    assert few > 5 * floor
    assert many < 2.5 * floor


def test_exact_cell_measures_against_the_mixture():
    mixture = measure.mixture_of("moons")
    cell = measure.exact_cell("moons", 4, "0", 2, 300)
    x_T = measure.starting_noise((300, 2), 2, torch.float64)
    x_0 = sample(lambda x, t: mixture.eps(SCHEDULE, x, t), SCHEDULE, x_T, 4)
    truth = mixture.sample(300, torch.Generator().manual_seed(measure.TRUTH + 2))
    assert cell == {"sliced_w1": sliced_w1(x_0, truth)}


def test_the_error_field_has_its_size_in_its_window():
    mixture = measure.mixture_of("ring")
    x = measure.starting_noise((20_000, 2), 0, torch.float64)
    for where, inside in (("high", (501, 1000)), ("low", (1, 100)), ("none", ())):
        model = measure.perturbed(mixture, 0.3, where)
        for t in (1, 100, 101, 500, 501, 1000):
            field = model(x, t) - mixture.eps(SCHEDULE, x, t)
            size = field.square().mean().sqrt().item()
            wrong = inside and inside[0] <= t <= inside[1]
            assert size == (pytest.approx(0.3, rel=0.01) if wrong else 0), (where, t)


def test_no_error_is_the_exact_cell():
    exact = measure.exact_cell("ring", 20, "0.5", 1, 100)
    assert measure.perturbed_cell("ring", "none", 0.3, 20, "0.5", 1, 100) == exact
    assert measure.perturbed_cell("ring", "low", 0.3, 20, "0.5", 1, 100) != exact
