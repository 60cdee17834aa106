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


@dataclass(frozen=True)
class Settings:
    """All that decides the result of a run; raises ValueError on a value out of range."""

    data: str = "shipped"
    steps: int = 4000
    batch: int = 64
    lr: float = 1.5e-3
    seed: int = 0
    precision: str = "bfloat16"
    channels: int = 24
    ema: float = 0.999
    device: str = "cpu"
    weighting: str = "uniform"

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
        if self.weighting not in ("uniform", "min-snr"):
            raise ValueError(f"need weighting uniform or min-snr, got {self.weighting!r}")
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


def stratified_times(batch: int, T: int, generator: Generator) -> Tensor:
    """Draw one uniform time from each of `batch` equal parts of 1 … T: (batch,), int64, rising.

    Each time is uniform over the batch as a whole, but the batches differ less among each other.
    """
    device = generator.device
    drawn = torch.rand(batch, generator=generator, device=device)
    u = (torch.arange(batch, device=device) + drawn) / batch
    return (u * T).long().clamp(max=T - 1) + 1


def time_weights(weighting: str, schedule: Schedule) -> Tensor:
    """How much the loss at each t counts, (T+1,) float32; its mean over 1 … T is 1.

    uniform: all alike. min-snr: min(1, β̄_t²/ᾱ_t²), as if x̂_0 were judged where the signal is the
    weaker part and ε̂ where the noise is. More than half of the uniform loss comes from t <= 200,
    where only pixels are decided; which digit it will be is decided at t = 400 … 600.
    Source: Hang et al. 2023 (Min-SNR), eq. 8 for a predicted ε, with γ = 1.
    """
    weights = torch.ones(schedule.T + 1, dtype=torch.float64)
    if weighting == "min-snr":
        weights = (schedule.noise_level**2).clamp(max=1)
    return (weights / weights[1:].mean()).float()


def learning_rate(settings: Settings, step: int) -> float:
    """Linear warm-up, then half a cosine down to 1 % of settings.lr; step: 0 … steps-1."""
    cosine = (1 + math.cos(math.pi * step / settings.steps)) / 2
    return settings.lr * min(1, (step + 1) / WARM_UP) * (0.01 + 0.99 * cosine)


def seeded_unet(seed: int, channels: int = 24) -> UNet:
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
    """
    device = run.settings.device
    images = images.to(device)
    weights = time_weights(run.settings.weighting, schedule).to(device)
    while run.step < run.settings.steps:
        n, g = run.settings.batch, run.generator
        x_0 = images[torch.randint(len(images), (n,), generator=g, device=device)]
        t = stratified_times(n, schedule.T, g)
        eps = torch.randn(x_0.shape, generator=g, device=device)
        with torch.autocast(device, torch.bfloat16, enabled=run.settings.precision == "bfloat16"):
            value = (weights[t] * loss(run.model, schedule, x_0, t, eps)).mean()
        _descend(run, value)
        run.step += 1
        run.recent.append(value.item())
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
