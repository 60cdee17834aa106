"""Time the sampler over its network's forwards, and beside diffusers' loop on the same network.

Each repetition runs the three loops in turn, in a new order; a ratio is taken within a repetition,
so that a machine that slows down slows all three. Times are the processor's, on one thread: other
work on the machine disturbs them less than the clock on the wall. Prints medians and quartiles, and
the samplers' own arithmetic, timed with a network that costs nothing: the same ratios without the
noise of the forwards. Fails only if the two samplers disagree on the picture.
"""

import random
import statistics
import time
from collections.abc import Callable

import torch
from diffusers import DDIMScheduler
from torch import Generator, Tensor

from ddim_lib import Schedule, load_denoiser, sample
from ddim_lib.files import printable

SCHEDULE = Schedule.linear()
RUNS = [
    (16, 50, 0.0, 9),
    (16, 50, 1.0, 9),
    (256, 10, 0.0, 7),
    (256, 10, 1.0, 7),
]  # batch, steps, eta, repetitions


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


def ratio(times: dict, over: Callable) -> str:
    """Median and quartiles of our time over another loop's, repetition by repetition."""
    ratios = [a / b for a, b in zip(times[ours], times[over], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.3f} ({low:.3f} … {high:.3f})"


def compare(model, batch: int, steps: int, eta: float, repetitions: int) -> str:
    """Check that both draw the same picture, time the loops, return a line of the table."""
    x = torch.randn(batch, 1, 28, 28, generator=Generator().manual_seed(1))
    difference = (ours(model, x, steps, eta) - theirs(model, x, steps, eta)).abs().max().item()
    assert difference < 1e-4, f"need the same picture to 1e-4, got {difference:.1e}"
    times = {forwards: [], ours: [], theirs: []}
    for i in range(repetitions):
        for loop in random.Random(i).sample(list(times), 3):
            times[loop].append(seconds(loop, model, x, steps, eta))
    each = statistics.median(times[forwards]) / steps
    return (
        f"{batch:5} {steps:6} {eta:4.1f} {1000 * each:8.2f} ms   {ratio(times, forwards):22} "
        f"{ratio(times, theirs):22} {difference:.0e}\n{arithmetic(each, x, steps, eta)}"
    )


def arithmetic(forward: float, x: Tensor, steps: int, eta: float) -> str:
    """Time both samplers on a network that costs nothing; ratios at `forward` seconds a step."""
    guess = torch.tanh(x)
    own, other = (
        statistics.median(seconds(loop, lambda x, t: guess, x, steps, eta) for _ in range(21))
        / steps
        for loop in (ours, theirs)
    )
    return (
        f"      arithmetic a step: {1000 * own:.2f} ms, diffusers {1000 * other:.2f} ms; "
        f"so {1 + own / forward:.3f} and {(forward + own) / (forward + other):.3f}"
    )


def main() -> None:
    """Print the table."""
    printable()
    torch.set_num_threads(1)
    model = load_denoiser("digits")
    print("our sampler's time over …, median (quartiles)")
    print("batch  steps  eta   a forward   the bare forwards      diffusers' loop        differ by")
    for run in RUNS:
        print(compare(model, *run), flush=True)


if __name__ == "__main__":
    main()
