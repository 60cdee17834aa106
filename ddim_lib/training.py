"""How a noise predictor is trained: the loss, its optimiser, and a run that can be interrupted."""

import io
import math
import os
import pickle
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from ddim_lib.ddim import Model
from ddim_lib.nets import GROUPS, UNet
from ddim_lib.process import q_sample
from ddim_lib.schedule import Schedule

WARM_UP = 200  # steps
WEIGHTINGS = ("uniform", "v")
TIMES = ("uniform", "middle")
CAP = 100.0  # of the weights of v: beyond it, late in the chain, there is nothing left to see


@dataclass(frozen=True)
class Settings:
    """All that decides the result of a run; raises ValueError on a value out of range."""

    data: str = "shipped"
    steps: int = 4000
    batch: int = 64
    lr: float = 3e-3
    seed: int = 0
    precision: str = "bfloat16"
    channels: int = 32
    ema: float = 0.999
    device: str = "cpu"
    weighting: str = "v"
    times: str = "middle"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.seed < 0:
            got = f"steps={self.steps}, batch={self.batch}, seed={self.seed}"
            raise ValueError(f"need steps >= 1, batch >= 1 and seed >= 0, got {got}")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"need lr > 0, got lr={self.lr}")
        if self.channels < GROUPS or self.channels % GROUPS:
            raise ValueError(f"need channels a multiple of {GROUPS}, got {self.channels}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"need 0 <= ema < 1, got ema={self.ema}")
        for name, known in (("weighting", WEIGHTINGS), ("times", TIMES)):
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"need {name} {' or '.join(known)}, got {value!r}")
        check_device(self.device)


def check_device(device: str) -> None:
    """Raise ValueError unless device is cpu, or cuda where there is one."""
    if device not in ("cpu", "cuda"):
        raise ValueError(f"need device cpu or cuda, got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("need a CUDA device for device cuda, got none that torch can use")


@dataclass
class Run:
    """Everything that a training run changes; stored whole, it continues exactly."""

    settings: Settings
    model: nn.Module
    ema: nn.Module
    optimizer: torch.optim.Optimizer
    generator: Generator
    step: int = 0
    recent: list[float] = field(default_factory=list)  # training losses since the last row
    curve: list[list[float]] = field(default_factory=list)  # step, train loss, test loss, its error


def loss(model: Model, schedule: Schedule, x_0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
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

    uniform: all alike. v: min(1/ᾱ_t², 100), as if the error of F = (ε̂ − β̄_t x_t)/ᾱ_t were judged;
    in ε the same error looks small late in the chain, where the shape of the digit is decided.
    Source: Salimans & Ho 2022, section 4 (the loss in v, SNR + 1 in their terms).
    """
    if weighting == "uniform":
        return torch.ones(schedule.T + 1)
    return (1 / schedule.alpha_bar**2).clamp(max=CAP).float()


def learning_rate(settings: Settings, step: int) -> float:
    """Linear warm-up, then half a cosine down to 1 % of settings.lr; step: 0 … steps-1."""
    cosine = (1 + math.cos(math.pi * step / settings.steps)) / 2
    return settings.lr * min(1, (step + 1) / WARM_UP) * (0.01 + 0.99 * cosine)


def seeded_unet(seed: int, channels: int = 32) -> UNet:
    """Make a fresh network whose weights depend on the seed and its width alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet(channels)


def start(settings: Settings, model: nn.Module) -> Run:
    """Prepare a run at step 0 on its device; the model's weights are where it starts."""
    model = model.to(settings.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), settings.lr, betas=(0.9, 0.99), weight_decay=0.0
    )
    ema = deepcopy(model).requires_grad_(False)
    generator = Generator(settings.device).manual_seed(settings.seed)
    return Run(settings, model, ema, optimizer, generator)


def train(run: Run, schedule: Schedule, images: Tensor) -> Iterator[tuple[int, float]]:
    """Train up to settings.steps and yield (step, loss) after each; stop or go on as you like.

    images: (n, *dims), float32. Changes run in place. Batches are drawn on the run's device.
    What is descended is weighted by time; the loss that is told is in plain ε, as if all times had
    been drawn alike, whatever the settings.
    """
    device, settings = run.settings.device, run.settings
    images = images.to(device)
    density = time_density(settings.times, schedule.T)
    weights = time_weights(settings.weighting, schedule)
    weights = (weights / (density * weights).sum()).float().to(device)
    fair = (time_density("uniform", schedule.T) / density).nan_to_num().float().to(device)
    while run.step < settings.steps:
        n, g = settings.batch, run.generator
        x_0 = images[torch.randint(len(images), (n,), generator=g, device=device)]
        t = stratified_times(n, density, g)
        eps = torch.randn(x_0.shape, generator=g, device=device)
        with torch.autocast(device, torch.bfloat16, enabled=settings.precision == "bfloat16"):
            values = loss(run.model, schedule, x_0, t, eps)
        _descend(run, (weights[t] * values).mean())
        run.step += 1
        run.recent.append((fair[t] * values.detach()).mean().item())
        yield run.step, run.recent[-1]


def _descend(run: Run, value: Tensor) -> None:
    """One AdamW step along the clipped gradient, and the weights' moving average."""
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate(run.settings, run.step)
    run.optimizer.zero_grad()
    value.backward()
    nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
    run.optimizer.step()
    decay = min(
        run.settings.ema, (1 + run.step) / (10 + run.step)
    )  # early weights are soon forgotten
    with torch.no_grad():
        for slow, fast in zip(run.ema.parameters(), run.model.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)


@torch.no_grad()
def held_out_loss(model: Model, schedule: Schedule, images: Tensor) -> tuple[float, float]:
    """Mean loss and its standard error on fixed (image, t, ε): times evenly over 1 … T.

    images: (n, *dims), float32, none of them trained on, on the device of the model.
    """
    n, device = len(images), images.device
    t = 1 + torch.arange(n, device=device) * schedule.T // n
    eps = torch.randn(images.shape, generator=Generator().manual_seed(7)).to(device)
    parts = zip(images.split(250), t.split(250), eps.split(250), strict=True)
    values = torch.cat([loss(model, schedule, *part) for part in parts]).double()
    return values.mean().item(), (values.std() / math.sqrt(n)).item()


# --- files --------------------------------------------------------------------------------------


def atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let write fill a file beside path and move it there whole, so that no half file is seen."""
    part = path.with_name(path.name + ".part")
    write(part)
    os.replace(part, path)


def save_state(run: Run, path: Path) -> None:
    """Store a run, so that load_state continues it exactly; raises OSError if it cannot."""
    state = {
        "settings": asdict(run.settings),
        "generator": run.generator.get_state(),
        **{name: getattr(run, name).state_dict() for name in ("model", "ema", "optimizer")},
        **{name: getattr(run, name) for name in ("step", "recent", "curve")},
    }
    content = io.BytesIO()
    torch.save(state, content)
    atomically(path, lambda part: part.write_bytes(content.getvalue()))


def load_state(run: Run, path: Path) -> None:
    """Bring a run at step 0 to where save_state stored it.

    Raises FileNotFoundError: no such file. Raises ValueError: damaged, or of other settings.
    """
    if not path.is_file():
        raise FileNotFoundError(f"need the state of an interrupted run, got no file {path}")
    damage = (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["settings"]
    except damage as error:
        raise ValueError(f"need a state written by this command, got {path}: {error}") from error
    for name, need in asdict(run.settings).items():
        stored = found.get(name, getattr(Settings, name))  # older states lack newer settings
        if stored != need:
            raise ValueError(f"need {name}={stored} as in {path}, got {name}={need}")
    for name in ("model", "ema", "optimizer"):
        getattr(run, name).load_state_dict(state[name])
    run.generator.set_state(state["generator"])
    run.step, run.recent, run.curve = state["step"], state["recent"], state["curve"]
