"""What the book's tables measure: each function computes one cell from its keys alone.

All settings of one seed start from the same noise, so that their differences are not chance, and
draw the noise of their steps from generators seeded alike.
"""

from functools import cache
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from ddim_lib import data
from ddim_lib.checks import SIGMA_HAT, Eta, Model
from ddim_lib.ddim import ddim_steps
from ddim_lib.exact import GaussianMixture
from ddim_lib.metrics import score_digits, sliced_w1
from ddim_lib.nets import UNet, load_denoiser
from ddim_lib.ode import encode
from ddim_lib.schedule import Schedule
from ddim_lib.spacing import Spacing

SCHEDULE = Schedule.linear()
DATA = "data"  # stands in an eta column for points drawn from the distribution itself
BATCH = 250  # decides which noise a picture gets where eta > 0
STEP_NOISE, TRUTH, FLOOR = 10_000, 20_000, 30_000  # added to the seed: independent streams
WINDOWS = {"none": (0, 0), "high": (500, 1000), "low": (0, 100)}  # low < t <= high


def walk(
    model: Model,
    x_T: Tensor,
    steps: int,
    eta: str,
    generator: Generator | None = None,
    spacing: Spacing = "uniform",
) -> Tensor:
    """Sample with the η that an eta column holds, a number or "sigma-hat", on any spacing."""
    used: Eta = SIGMA_HAT if eta == SIGMA_HAT else float(eta)
    times = SCHEDULE.times(steps, spacing)
    for step in ddim_steps(model, SCHEDULE, x_T, times, used, generator):
        x_0 = step.x
    return x_0


def starting_noise(shape: tuple[int, ...], seed: int, dtype: torch.dtype) -> Tensor:
    """x_T of a seed: the same on every device and for every steps and eta."""
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=dtype)


# --- digits -------------------------------------------------------------------------------------


def network(path: Path, device: str) -> UNet:
    """Load a network to measure; a fifth faster on a CPU with its channels last in memory."""
    model = load_denoiser(path).to(device)
    # torch's own types leave out what its documentation has
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def compile_forward(model: nn.Module) -> None:
    """Let torch.compile make a network faster: for a minute and a C++ compiler; it rounds anew."""
    quick = torch.compile(model.forward)
    # A number t would be compiled into what was made for it; a tensor is read each time.
    model.forward = lambda x, t: quick(x, torch.as_tensor(t, dtype=x.dtype))


def draw_digits(
    model: nn.Module,
    steps: int,
    eta: str,
    seed: int,
    n: int,
    spacing: Spacing = "uniform",
    precision: str = "float32",
) -> Tensor:
    """Draw n pictures from a network, (n, 1, 28, 28), on the device of its weights.

    precision: in which the network multiplies; "bfloat16" is quicker where the processor knows it.
    What the sampler does with ε̂ is float32 in any case.
    """
    device = next(model.parameters()).device
    generator = Generator(device).manual_seed(STEP_NOISE + seed)
    x_T = starting_noise((n, 1, 28, 28), seed, torch.float32).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        parts = [walk(model, part, steps, eta, generator, spacing) for part in x_T.split(BATCH)]
    return torch.cat(parts)


def digits_cell(model: nn.Module, steps: int, eta: str, seed: int, n: int) -> dict[str, float]:
    """Scores of n pictures of the network against MNIST's test images."""
    return score_digits(draw_digits(model, steps, eta, seed, n))._asdict()


def floor_cell(images: Tensor, seed: int, n: int) -> dict[str, float]:
    """Score n real images, drawn without replacement; images: (N, 1, 28, 28), N >= n."""
    chosen = torch.randperm(len(images), generator=Generator().manual_seed(FLOOR + seed))[:n]
    if len(chosen) < n:
        raise ValueError(f"need at least {n} images, got {len(images)}")
    return score_digits(images[chosen])._asdict()


def encoding_cell(
    model: nn.Module, images: Tensor, steps: int, seed: int, n: int, spacing: Spacing = "uniform"
) -> dict[str, float]:
    """Encode n real images in `steps` steps, sample back in as many, and compare.

    mse: mean square of the difference, pixels scaled to [0, 1] as in the paper's Table 2. std and
    neighbours: standard deviation of the encoded x_T and the correlation of its horizontal
    neighbours, which white noise has at 1 and 0.
    """
    device = next(model.parameters()).device
    chosen = torch.randperm(len(images), generator=Generator().manual_seed(seed))[:n]
    parts = images[chosen].to(device).split(BATCH)
    x_T = torch.cat([encode(model, SCHEDULE, part, steps, spacing) for part in parts])
    again = x_T.split(BATCH)
    back = torch.cat([walk(model, part, steps, "0", spacing=spacing) for part in again])
    noise = x_T.double() - x_T.double().mean()
    together = (noise[..., 1:] * noise[..., :-1]).mean() / noise.square().mean()
    error = (back - torch.cat(parts)).double().square().mean() / 4
    return {"mse": error.item(), "std": x_T.std().item(), "neighbours": together.item()}


# --- an exact mixture ---------------------------------------------------------------------------


def perturbed(mixture: GaussianMixture, size: float, where: str) -> Model:
    """The exact predictor with an error field of root mean square about `size` in a window of t.

    ε̂ = ε* + size · √2 (sin 3x₂, sin 3x₁): fixed and smooth, as a network's errors are; noise
    that is drawn anew at each call would average out.
    """
    low, high = WINDOWS[where]

    def model(x: Tensor, t: float) -> Tensor:
        eps = mixture.eps(SCHEDULE, x, t)
        wrong = low < t <= high
        return eps + size * 2**0.5 * torch.sin(3 * x.flip(1)) if wrong else eps

    return model


@cache
def mixture_of(name: str) -> GaussianMixture:
    """Return one of the library's mixtures in two dimensions, by its name."""
    return GaussianMixture(*getattr(data, name)())


def exact_cell(
    name: str, steps: int, eta: str, seed: int, n: int, spacing: Spacing = "uniform"
) -> dict[str, float]:
    """Distance of n samples of the exact predictor from n points of the mixture itself."""
    mixture = mixture_of(name)
    return _distance(mixture, mixture.model(SCHEDULE), steps, eta, (seed, n), spacing)


def perturbed_cell(
    name: str, where: str, size: float, steps: int, eta: str, seed: int, n: int
) -> dict[str, float]:
    """As `exact_cell`, with the error of `perturbed` in the predictor."""
    mixture = mixture_of(name)
    return _distance(mixture, perturbed(mixture, size, where), steps, eta, (seed, n))


def _distance(mixture, model, steps, eta, draw, spacing="uniform") -> dict[str, float]:
    seed, n = draw
    truth = mixture.sample(n, Generator().manual_seed(TRUTH + seed))
    if eta == DATA:
        x_0 = mixture.sample(n, Generator().manual_seed(FLOOR + seed))
    else:
        x_T = starting_noise((n, 2), seed, torch.float64)
        fresh = Generator().manual_seed(STEP_NOISE + seed)
        x_0 = walk(model, x_T, steps, eta, fresh, spacing)
    return {"sliced_w1": sliced_w1(x_0, truth)}
