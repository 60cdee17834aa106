"""The page's walk of the digits is `sample`, on the same noise and the same draws."""

import pytest
import torch

from ddim_lib import Schedule, sample
from ddim_lib.ddim import ddim_steps
from ddim_lib.nets import load_denoiser
from tests.support.network_page import WEIGHTS, floats, loaded

SEED, DRAWS, COUNT = 5, 7, 3
NORMALS = """([seed, skipped, count]) => {
  const normals = new TorchNormals(seed), out = new Float32Array(count);
  normals.skip(skipped);
  normals.fill(out);
  return text(out);
}"""
WALK = """([digit, steps, eta, spacing, plain]) => {
  const weights = readWeights(file), net = (window[`net${plain}`] ??= unet(weights, { plain }));
  const schedule = linearSchedule(weights.schedule.T), times = timesOf(schedule, steps, spacing);
  const noise = { seed: 5, draws: 7, count: 3 };
  const walk = new DigitWalk(net, { schedule, times, eta, noise, digit }), x0Hats = [];
  for (const _ of walk.walking()) x0Hats.push(...walk.x0Hat);
  const all = [...walk.paths.slice(1).flatMap((x) => [...x]), ...x0Hats];
  return text(Float32Array.from(all));
}"""


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def page(browser, site):
    with loaded(browser, site, WEIGHTS.read_bytes()) as page:
        yield page


@pytest.mark.parametrize(
    ("seed", "skipped", "count"), [(0, 0, 784), (5, 784, 1568), (2**32 - 1, 6240, 32)]
)
def test_the_normals_are_those_of_torch(page, seed, skipped, count):
    expected = torch.randn(skipped + count, generator=seeded(seed))[skipped:]
    drawn = floats(page.evaluate(NORMALS, [seed, skipped, count]))
    assert (drawn - expected).abs().max() < 2e-6


@pytest.mark.parametrize("plain", [False, True], ids=["WebAssembly", "plain JavaScript"])
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_walk_is_sample(page, eta, plain):
    x_T = torch.randn(COUNT, 1, 28, 28, generator=seeded(SEED))
    made = sample(load_denoiser("digits"), Schedule.linear(), x_T, 20, eta, seeded(DRAWS))
    for digit in range(COUNT):
        walked = floats(page.evaluate(WALK, [digit, 20, eta, "uniform", plain])).reshape(-1, 784)
        assert (walked[19] - made[digit].flatten()).abs().max() <= 1e-3
        assert (walked[-1] - made[digit].flatten()).abs().max() <= 1e-3


@pytest.mark.parametrize("spacing", ["uniform", "quadratic", "log-snr"])
def test_every_step_of_it_is_the_librarys(page, spacing):
    schedule, x_T = Schedule.linear(), torch.randn(COUNT, 1, 28, 28, generator=seeded(SEED))
    times = schedule.times(7, spacing)
    made = [*ddim_steps(load_denoiser("digits"), schedule, x_T, times, 0.5, seeded(DRAWS))]
    walked = floats(page.evaluate(WALK, [1, 7, 0.5, spacing, False])).reshape(2, 7, 784)
    for i, step in enumerate(made):
        assert (walked[0, i] - step.x[1].flatten()).abs().max() <= 1e-3
        assert (walked[1, i] - step.x0_hat[1].flatten()).abs().max() <= 2e-3
