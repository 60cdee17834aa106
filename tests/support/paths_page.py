"""What the tests of the paths explorer share: its walks, the library's, and its page."""

import json
import statistics
from bisect import bisect
from itertools import pairwise
from math import sqrt

import numpy as np
import torch

from ddim_lib import GaussianMixture, Schedule, ddim_step
from ddim_lib.data import two_spikes
from tests.support.step_page import settled as painted

LINEAR = Schedule.linear()
HEAPS = GaussianMixture(*two_spikes())
WALKS = """([setting, seed, count]) => {
  const paths = new lib.Paths({ schedule: lib.linearSchedule(), ...setting });
  const chance = new lib.Wiener(seed, count);
  return JSON.stringify(Array.from({ length: count }, (_, i) => {
    const { start, row } = chance.of(i);
    return { start, row: [...row], walk: [...paths.from(start, row)] };
  }));
}"""


def settled(page):
    """Wait until all paths have walked, and return the picture."""
    page.wait_for_function("document.querySelector('.ddim').dataset.done == model.get('count')")
    (picture,) = painted(page)
    return picture


def page_walks(module, steps, eta, spoilt=False, seed=0, count=6):
    """Starts (n,), Wiener processes (n, 1001) and all positions (n, S+1), by the page's module."""
    setting = {"steps": steps, "eta": eta, "spoilt": spoilt}
    found = json.loads(module.evaluate(WALKS, [setting, seed, count]))
    return (
        torch.tensor([one[name] for one in found], dtype=torch.float64)
        for name in ("start", "row", "walk")
    )


def library_walk(start, row, steps, eta, spoilt=False):
    """All positions, (n, S+1), by the library's step; a long step's kick: the sum of short ones."""
    fine = row.diff(dim=1)
    x, taken, found = start[:, None], 0, [start]
    for t, s in pairwise(LINEAR.times(steps)):
        kick = fine[:, taken : taken + t - s].sum(1, keepdim=True) / sqrt(t - s)
        taken += t - s
        eps_hat = HEAPS.eps(LINEAR, x, t)
        if spoilt and 400 <= t <= 800:
            eps_hat = eps_hat + 0.3 * torch.sin(4 * x)
        x = ddim_step(LINEAR, x, eps_hat, t, s, eta, kick)
        found.append(x[:, 0])
    return torch.stack(found, dim=1)


def exact_quantiles(count):
    """Quantiles of the two heaps, by bisection of their distribution function."""
    bells = [statistics.NormalDist(m, 0.15) for m in (-1, 1)]
    grid = np.linspace(-2.5, 2.5, 200_001)
    below = [sum(b.cdf(x) for b in bells) / 2 for x in grid]
    return np.array([grid[bisect(below, (i + 0.5) / count)] for i in range(count)])
