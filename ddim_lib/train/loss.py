"""What training descends and what it is judged by: the loss, and which times count how much."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ddim_lib.process import q_sample
from ddim_lib.schedule import Schedule

Network = Callable[[Tensor, Tensor], Tensor]  # of x_t and a (batch,) of times
WEIGHTINGS = ("uniform", "v")
TIMES = ("uniform", "middle")
CAP = 100.0  # of the weights of v: beyond it, late in the chain, there is nothing left to see


def loss(model: Network, schedule: Schedule, x_0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
    """Squared error of the predicted noise, a mean over each image:  |ε̂(x_t, t) − ε|².

    x_0, eps: (batch, *dims). t: (batch,), 1 … T. Returns (batch,).
    Source: Ho et al. 2020, eq. 14.
    """
    x_t = q_sample(schedule, x_0, t, eps)
    return (model(x_t, t) - eps).square().flatten(1).mean(1)


def time_density(times: str, T: int) -> Tensor:
    """Probability with which each t is drawn in training, (T+1,) float64; none for t = 0.

    uniform: all alike. middle: three draws in four from a bell around 0.4 T, 0.15 T wide, where it
    is decided which digit it will be; the others uniform, so that no time is forgotten.
    Source: Karras et al. 2022 (EDM), section 5, whose bell is over the logarithm of the noise.
    """
    t = torch.arange(T + 1, dtype=torch.float64)
    flat = (t > 0).double() / T
    if times == "uniform":
        return flat
    bell = (t > 0) * torch.exp(-((t - 0.4 * T) ** 2) / (2 * (0.15 * T) ** 2))
    return 0.25 * flat + 0.75 * bell / bell.sum()


def stratified_times(batch: int, density: Tensor, generator: Generator) -> Tensor:
    """Draw times with the given probabilities: (batch,), int64, 1 … T, rising.

    Each of `batch` equal parts of the probability gives one, so that the batches differ less
    among each other. density: (T+1,), sums to 1.
    """
    device = generator.device
    drawn = torch.rand(batch, generator=generator, device=device)
    u = (torch.arange(batch, device=device) + drawn) / batch
    edges = density.cumsum(0).float().to(device)
    return torch.searchsorted(edges, u, right=True).clamp(1, len(density) - 1)


def time_weights(weighting: str, schedule: Schedule) -> Tensor:
    """How much the loss in ε counts at each t, (T+1,) float32; 1 at t = 0.

    uniform: all alike. v: min(1/ᾱ_t², 100), as if the error of v = (ε̂ − β̄_t x_t)/ᾱ_t were judged;
    in ε the same error looks small late in the chain, where the shape of the digit is decided.
    Source: Salimans & Ho 2022, section 4 (the loss in v, SNR + 1 in their terms).
    """
    if weighting == "uniform":
        return torch.ones(schedule.T + 1)
    return (1 / schedule.alpha_bar**2).clamp(max=CAP).float()


@torch.no_grad()
def held_out_loss(model: Network, schedule: Schedule, images: Tensor) -> tuple[float, float]:
    """Mean loss and its standard error on fixed (image, t, ε): times evenly over 1 … T.

    images: (n, *dims), float32, none of them trained on, on the device of the model.
    """
    n, device = len(images), images.device
    t = 1 + torch.arange(n, device=device) * schedule.T // n
    eps = torch.randn(images.shape, generator=Generator().manual_seed(7)).to(device)
    parts = zip(images.split(250), t.split(250), eps.split(250), strict=True)
    values = torch.cat([loss(model, schedule, *part) for part in parts]).double()
    return values.mean().item(), (values.std() / math.sqrt(n)).item()
