"""What several tests of the numeric core try: times, draws, mixtures, points, models."""

import numpy as np
import pytest
import torch

from ddim_lib import GaussianMixture, Schedule, ode

LINEAR, COSINE = Schedule.linear(), Schedule.cosine()
BOTH = pytest.mark.parametrize("schedule", [LINEAR, COSINE], ids=["linear", "cosine"])
SOLVERS = [ode.ddim, ode.heun, ode.midpoint, ode.rk4, ode.dpmpp2m]
EACH = pytest.mark.parametrize("solver", SOLVERS, ids=lambda f: f.__name__)

rng = np.random.default_rng(0)
NEIGHBOURS = [(t, t - 1) for t in range(2, 1001)]
PAIRS = [
    tuple(map(int, sorted(rng.choice(np.arange(1, 1001), 2, False))[::-1])) for _ in range(300)
]
EVERY = NEIGHBOURS + PAIRS  # s >= 1


def normal(shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


MEANS = torch.tensor([[-1.0, 0.0], [1.0, 0.5], [0.3, -1.2]], dtype=torch.float64)
COVARIANCES = torch.tensor(
    [[[0.10, 0.03], [0.03, 0.2]], [[0.15, -0.05], [-0.05, 0.1]], [[0.02, 0], [0, 0.3]]],
    dtype=torch.float64,
)
WEIGHTS = torch.tensor([0.3, 0.5, 0.2], dtype=torch.float64)
MIXTURE = GaussianMixture(MEANS, COVARIANCES, WEIGHTS)
POINTS = normal((7, 1, 2, 2), 5)  # finite data


def network(dtype):
    """A random network of (batch, 6, 6) whose answer depends on the time; t is ours, 1 … 1000."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        first, second = torch.nn.Linear(7, 32, dtype=dtype), torch.nn.Linear(32, 6, dtype=dtype)

    def model(x, t):
        time = torch.full_like(x[..., :1], t / 1000)
        return second(torch.tanh(first(torch.cat([x, time], dim=-1))))

    return model
