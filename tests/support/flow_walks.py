"""Mixtures, and walks on them by the page's sampler and by the library's step."""

import json
from itertools import pairwise

import torch

from ddim_lib import GaussianMixture, Schedule, ddim_step
from ddim_lib.widgets.flow import SHAPES, rows

SPACINGS = ("uniform", "quadratic", "log-snr")
LINEAR = Schedule.linear()
# fill() hands out the given numbers, step after step; each point has its own.
WALK = """(json) => {
  const { mixture, steps, spacing, eta, draws } = JSON.parse(json);
  const schedule = flow.linearSchedule(), times = flow.timesOf(schedule, steps, spacing);
  const points = draws[0].length / 2, taken = new Array(points).fill(0);
  const noise = { fill(first, count, out) {
    for (let i = 0; i < count; i++) {
      const from = draws[taken[first + i]++];
      out[2 * i] = from[2 * (first + i)];
      out[2 * i + 1] = from[2 * (first + i) + 1];
    }
  } };
  const sigmaHat = eta === "sigma-hat";
  const plan = flow.planOf(mixture, schedule, times);
  const walk = new flow.Walk({ plan, eta: sigmaHat ? 0 : eta, sigmaHat, points, noise });
  while (walk.done < points) walk.advance();
  return JSON.stringify({ kept: walk.kept, paths: walk.paths.map((x) => Array.from(x)) });
}"""


def correlated(seed=3, components=6):
    """A mixture whose covariances point in all directions."""
    generator = torch.Generator().manual_seed(seed)
    means = torch.randn(components, 2, generator=generator, dtype=torch.float64)
    roots = 0.4 * torch.randn(components, 2, 2, generator=generator, dtype=torch.float64)
    weights = torch.rand(components, generator=generator, dtype=torch.float64) + 0.1
    covariances = roots @ roots.mT + 0.01 * torch.eye(2, dtype=torch.float64)
    return GaussianMixture(means, covariances, weights)


def needle():
    """Next to its narrow component, the wide one weighs less than 1e-7 wherever it stands."""
    means = torch.tensor([[0.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    covariances = torch.eye(2, dtype=torch.float64) * torch.tensor([1e-6, 1.0])[:, None, None]
    return GaussianMixture(means, covariances.double(), torch.tensor([0.5, 0.5]).double())


OWN = {"correlated": correlated, "needle": needle}


def named(name):
    return OWN[name]() if name in OWN else GaussianMixture(*SHAPES[name]())


def page_walk(page, mixture, steps, spacing, eta, draws):
    """The moments kept, and the positions then, (moments, n, 2)."""
    setting = {"mixture": rows(mixture), "steps": steps, "spacing": spacing, "eta": eta}
    setting["draws"] = draws.flatten(1).tolist()
    walk = json.loads(page.evaluate(WALK, json.dumps(setting)))  # many times faster as one string
    return walk["kept"], torch.tensor(walk["paths"], dtype=torch.float64).unflatten(1, (-1, 2))


def python_walk(mixture, times, eta, draws):
    """All positions, (S+1, n, 2), by the library's own step."""
    x, positions = draws[0], [draws[0]]
    for (t, s), noise in zip(pairwise(times), draws[1:], strict=True):
        eps_hat = mixture.eps(LINEAR, x, t)
        x = ddim_step(LINEAR, x, eps_hat, t, s, eta, noise)
        positions.append(x)
    return torch.stack(positions)
