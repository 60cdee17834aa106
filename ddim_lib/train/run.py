"""A run of training: what decides it, where it stands, and its steps one after another."""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor, nn

from ddim_lib.checks import check_device
from ddim_lib.nets import GROUPS, UNet
from ddim_lib.schedule import Schedule
from ddim_lib.train.loss import (
    TIMES,
    WEIGHTINGS,
    loss,
    stratified_times,
    time_density,
    time_weights,
)
from ddim_lib.train.muon import Muon, inner_weights

WARM_UP = 200  # steps
OPTIMIZERS = ("adamw", "muon")


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
    optimizer: str = "adamw"
    inner: int = 0  # twice the channels
    blocks: int = 1

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1 or self.seed < 0:
            got = f"steps={self.steps}, batch={self.batch}, seed={self.seed}"
            raise ValueError(f"need steps >= 1, batch >= 1 and seed >= 0, got {got}")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"need lr > 0, got lr={self.lr}")
        for name in ("channels", "inner"):
            value, least = getattr(self, name), GROUPS if name == "channels" else 0
            if value < least or value % GROUPS:
                raise ValueError(f"need {name} a multiple of {GROUPS}, got {value}")
        if self.blocks not in (1, 2):
            raise ValueError(f"need blocks 1 or 2, got {self.blocks}")
        if not 0 <= self.ema < 1:
            raise ValueError(f"need 0 <= ema < 1, got ema={self.ema}")
        choices = {"weighting": WEIGHTINGS, "times": TIMES, "optimizer": OPTIMIZERS}
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"need {name} {' or '.join(known)}, got {value!r}")
        check_device(self.device)


@dataclass
class Run:
    """Everything that a training run changes; stored whole, it continues exactly."""

    settings: Settings
    model: nn.Module
    ema: nn.Module
    optimizers: list[torch.optim.Optimizer]
    generator: Generator
    step: int = 0
    recent: list[float] = field(default_factory=list)  # training losses since the last row
    curve: list[list[float]] = field(default_factory=list)  # step, train loss, test loss, its error


def learning_rate(settings: Settings, step: int) -> float:
    """Linear warm-up, then half a cosine down to 1 % of settings.lr; step: 0 … steps-1."""
    cosine = (1 + math.cos(math.pi * step / settings.steps)) / 2
    return settings.lr * min(1, (step + 1) / WARM_UP) * (0.01 + 0.99 * cosine)


def seeded_unet(seed: int, channels: int = 32, inner: int = 0, blocks: int = 1) -> UNet:
    """Make a fresh network whose weights depend on the seed and its sizes alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return UNet(channels, inner=inner, blocks=blocks)


def start(settings: Settings, model: nn.Module) -> Run:
    """Prepare a run at step 0 on its device; the model's weights are where it starts."""
    model = model.to(settings.device)
    inner = inner_weights(model) if settings.optimizer == "muon" else []
    apart = set(map(id, inner))
    rest = [weight for weight in model.parameters() if id(weight) not in apart]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(rest, settings.lr, betas=(0.9, 0.99), weight_decay=0.0)
    ]
    if inner:
        optimizers.append(Muon(inner, settings.lr))
    ema = deepcopy(model).requires_grad_(False)
    generator = Generator(settings.device).manual_seed(settings.seed)
    return Run(settings, model, ema, optimizers, generator)


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
    """One step along the clipped gradient, and the weights' moving average."""
    run.model.zero_grad()
    value.backward()
    nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
    for optimizer in run.optimizers:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.settings, run.step)
        optimizer.step()
    # Early weights are soon forgotten.
    decay = min(run.settings.ema, (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        for slow, fast in zip(run.ema.parameters(), run.model.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)
