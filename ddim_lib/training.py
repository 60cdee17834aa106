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
from ddim_lib.nets import UNet
from ddim_lib.process import q_sample
from ddim_lib.schedule import Schedule

WARM_UP = 200  # steps
EMA_DECAY = 0.999


@dataclass(frozen=True)
class Settings:
    """All that decides the result of a run; raises ValueError on a value out of range."""

    data: str = "shipped"
    steps: int = 4000
    batch: int = 64
    lr: float = 1.5e-3
    seed: int = 0
    precision: str = "bfloat16"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.seed < 0:
            got = f"steps={self.steps}, batch={self.batch}, seed={self.seed}"
            raise ValueError(f"need steps >= 1, batch >= 1 and seed >= 0, got {got}")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"need lr > 0, got lr={self.lr}")


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
    u = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
    return (u * T).long().clamp(max=T - 1) + 1


def learning_rate(settings: Settings, step: int) -> float:
    """Linear warm-up, then half a cosine down to 1 % of settings.lr; step: 0 … steps-1."""
    cosine = (1 + math.cos(math.pi * step / settings.steps)) / 2
    return settings.lr * min(1, (step + 1) / WARM_UP) * (0.01 + 0.99 * cosine)


def seeded_unet(seed: int) -> UNet:
    """Make a fresh network whose weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet()


def start(settings: Settings, model: nn.Module) -> Run:
    """Prepare a run at step 0; the model's weights are where it starts."""
    optimizer = torch.optim.AdamW(
        model.parameters(), settings.lr, betas=(0.9, 0.99), weight_decay=0.0
    )
    ema = deepcopy(model).requires_grad_(False)
    return Run(settings, model, ema, optimizer, Generator().manual_seed(settings.seed))


def train(run: Run, schedule: Schedule, images: Tensor) -> Iterator[tuple[int, float]]:
    """Train up to settings.steps and yield (step, loss) after each; stop or go on as you like.

    images: (n, *dims), float32. Changes run in place.
    """
    while run.step < run.settings.steps:
        n, g = run.settings.batch, run.generator
        x_0 = images[torch.randint(len(images), (n,), generator=g)]
        t = stratified_times(n, schedule.T, g)
        eps = torch.randn(x_0.shape, generator=g)
        with torch.autocast("cpu", torch.bfloat16, enabled=run.settings.precision == "bfloat16"):
            value = loss(run.model, schedule, x_0, t, eps).mean()
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
    decay = min(EMA_DECAY, (1 + run.step) / (10 + run.step))  # early weights are soon forgotten
    with torch.no_grad():
        for slow, fast in zip(run.ema.parameters(), run.model.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)


@torch.no_grad()
def held_out_loss(model: Model, schedule: Schedule, images: Tensor) -> tuple[float, float]:
    """Mean loss and its standard error on fixed (image, t, ε): times evenly over 1 … T.

    images: (n, *dims), float32, none of them trained on.
    """
    n = len(images)
    t = 1 + torch.arange(n) * schedule.T // n
    eps = torch.randn(images.shape, generator=Generator().manual_seed(7))
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
        state = torch.load(path, weights_only=True)
        found = state["settings"]
    except damage as error:
        raise ValueError(f"need a state written by this command, got {path}: {error}") from error
    for name, need in asdict(run.settings).items():
        if found.get(name) != need:
            raise ValueError(f"need {name}={found.get(name)} as in {path}, got {name}={need}")
    for name in ("model", "ema", "optimizer"):
        getattr(run, name).load_state_dict(state[name])
    run.generator.set_state(state["generator"])
    run.step, run.recent, run.curve = state["step"], state["recent"], state["curve"]
