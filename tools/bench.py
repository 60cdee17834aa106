"""Time the sampler over its network's forwards, and beside diffusers' loop on the same network.

Each repetition runs the loops in turn, in another order than the one before; a ratio is taken
within a repetition, so that a machine that slows down slows all of them. Times are the processor's,
on one thread: other work on the machine disturbs them less than the clock on the wall. Prints
medians and quartiles: with the shipped network, and with one that costs nothing, which leaves the
samplers' own arithmetic. Fails only if the two samplers disagree on the picture.
"""

import statistics
import time
from collections.abc import Callable
from itertools import cycle, islice, permutations, product

import torch
from diffusers import DDIMScheduler
from torch import Generator, Tensor

from ddim_lib import Schedule, load_denoiser, sample
from ddim_lib.files import printable

SCHEDULE = Schedule.linear()
RUNS = [
    (16, 50, 0.0, 12),
    (16, 50, 1.0, 12),
    (256, 10, 0.0, 12),
    (256, 10, 1.0, 12),
]  # batch, steps, eta, repetitions
ARITHMETIC = [(*run, 61) for run in product((16, 256), (10, 50), (0.0, 1.0))]


@torch.no_grad()
def forwards(model, x: Tensor, steps: int, eta: float) -> None:
    """Only the network, as often as a sampler asks it."""
    for t in SCHEDULE.times(steps)[:-1]:
        model(x, t)


def ours(model, x: Tensor, steps: int, eta: float) -> Tensor:
    """Run the sampler of this library."""
    return sample(model, SCHEDULE, x, steps, eta, Generator().manual_seed(0))


@torch.no_grad()
def theirs(model, x: Tensor, steps: int, eta: float) -> Tensor:
    """Run diffusers' loop; their time index t is our t − 1."""
    scheduler = DDIMScheduler(clip_sample=False, timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    generator = Generator().manual_seed(0)
    for t in scheduler.timesteps:
        x = scheduler.step(model(x, t + 1), t, x, eta=eta, generator=generator).prev_sample
    return x


def seconds(loop: Callable, *arguments) -> float:
    """Processor time of one call."""
    start = time.process_time()
    loop(*arguments)
    return time.process_time() - start


def repeat(loops: tuple, repetitions: int, *arguments) -> dict[Callable, list[float]]:
    """Time each loop once a repetition; two loops exchange their places every time."""
    times = {loop: [] for loop in loops}
    for order in islice(cycle(permutations(loops)), repetitions):
        for loop in order:
            times[loop].append(seconds(loop, *arguments))
    return times


def ratio(times: dict, over: Callable) -> str:
    """Median and quartiles of our time over another loop's, repetition by repetition."""
    ratios = [a / b for a, b in zip(times[ours], times[over], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.3f} ({low:.3f} … {high:.3f})"


def noise(batch: int) -> Tensor:
    """Where the walks begin."""
    return torch.randn(batch, 1, 28, 28, generator=Generator().manual_seed(1))


def compare(model, batch: int, steps: int, eta: float, repetitions: int) -> tuple[str, float]:
    """Check that both draw the same picture, time the loops; a row of the table, and a forward."""
    x = noise(batch)
    difference = (ours(model, x, steps, eta) - theirs(model, x, steps, eta)).abs().max().item()
    assert difference < 1e-4, f"need the same picture to 1e-4, got {difference:.1e}"
    times = repeat((forwards, ours, theirs), repetitions, model, x, steps, eta)
    each = statistics.median(times[forwards]) / steps
    return (
        f"{batch:5} {steps:6} {eta:4.1f} {1000 * each:8.2f} ms   {ratio(times, forwards):22} "
        f"{ratio(times, theirs):22} {difference:.0e}"
    ), each


def arithmetic(forward: float, batch: int, steps: int, eta: float, repetitions: int) -> str:
    """Time both samplers on a network that costs nothing; a row of the table."""
    x = noise(batch)
    guess = torch.tanh(x)
    times = repeat((ours, theirs), repetitions, lambda x, t: guess, x, steps, eta)
    own, other = (statistics.median(times[loop]) / steps for loop in (ours, theirs))
    return (
        f"{batch:5} {steps:6} {eta:4.1f} {1000 * own:8.2f} ms {1000 * other:8.2f} ms   "
        f"{ratio(times, theirs):22} {own / forward:.2%}"
    )


def main() -> None:
    """Print the tables."""
    printable()
    torch.set_num_threads(1)
    model, forward = load_denoiser("digits"), {}
    print("our sampler's time over …, median (quartiles)")
    print("batch  steps  eta   a forward   the bare forwards      diffusers' loop        differ by")
    for run in RUNS:
        row, forward[run[0]] = compare(model, *run)
        print(row, flush=True)
    print("\nthe arithmetic of a step, the network left out")
    print("batch  steps  eta        ours   diffusers   ours over theirs       ours over a forward")
    for run in ARITHMETIC:
        print(arithmetic(forward[run[0]], *run), flush=True)


if __name__ == "__main__":
    main()
