"""What the lab does with a digit, by `ddim_lib`: as page/lab_tasks.js does it in the page."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ddim_lib.data import load_digits
from ddim_lib.ddim import ddim_steps
from ddim_lib.nets import load_denoiser
from ddim_lib.ode import encode
from ddim_lib.process import predict_x0, q_sample, seeded, slerp
from ddim_lib.schedule import Schedule
from ddim_lib.widgets.digits import SIDE
from ddim_lib.widgets.sheet import to_grey

NOISES = 3
COLUMNS = 8  # at most
FRAMES = 97  # at most so many moments of a walk are kept
MIXED = (0.0, 0.25, 0.5, 0.75, 1.0)
Column = list[Tensor]  # one picture, or one above another, each (1, 1, 28, 28)


class Setting(NamedTuple):
    """Two digits of the book's, and what is turned."""

    a: int
    b: int
    t: int
    steps: int
    eta: float
    seed: int


class Bench:
    """The network and one digit, in the hands of a task."""

    def __init__(self, setting: Setting, a: Tensor, b: Tensor) -> None:
        self.setting, self.a, self.b = setting, a, b
        self.network, self.schedule = load_denoiser("digits"), Schedule.linear()

    def noise(self, k: int = 0) -> Tensor:
        """Return the k-th noise."""
        return torch.randn(self.a.shape, generator=seeded(self.setting.seed + k))

    def walk(self, x: Tensor, times: list[int], eta: float = 0.0) -> list:
        """Return the steps of a walk from x."""
        draws = seeded(self.setting.seed)
        return list(ddim_steps(self.network, self.schedule, x, times, eta, draws))

    def decode(self, code: Tensor) -> Tensor:
        """Return the digit of a code."""
        return self.walk(code, self.schedule.times(self.setting.steps))[-1].x

    def encode(self, x: Tensor) -> Tensor:
        """Return the code of a digit."""
        return encode(self.network, self.schedule, x, self.setting.steps)


def times_from(t: int, steps: int) -> list[int]:
    """Return the times from t down to 0 in so many steps, or one for each time."""
    n = min(steps, t)
    return [(2 * t * (n - i) + n) // (2 * n) for i in range(n + 1)]


def _noise(lab: Bench) -> list[Column]:
    t, times = lab.setting.t, times_from(lab.setting.t, lab.setting.steps)
    noised = [q_sample(lab.schedule, lab.a, t, lab.noise(k)) for k in range(NOISES)]
    return [[lab.a], *([x, lab.walk(x, times)[-1].x] for x in noised)]


def _hidden(lab: Bench) -> list[Column]:
    t, columns = lab.setting.t, [[lab.a]]
    for k in range(NOISES):
        x = q_sample(lab.schedule, lab.a, t, lab.noise(k))
        columns.append([x, predict_x0(lab.schedule, x, lab.network(x, t), t)])
    return columns


def _code(lab: Bench) -> list[Column]:
    code = lab.encode(lab.a)
    return [[lab.a], [code], [lab.noise()], [lab.decode(code)]]


def _eta(lab: Bench) -> list[Column]:
    code, steps = lab.encode(lab.a), lab.setting.steps
    walk = lab.walk(code, lab.schedule.times(steps), lab.setting.eta)
    states = [code, *(step.x for step in walk)]
    guesses = [*(step.x0_hat for step in walk), walk[-1].x]
    frames = min(steps + 1, FRAMES)
    shown = [_half_up(k * (frames - 1), COLUMNS - 1) for k in range(COLUMNS)]
    kept = [_half_up(frame * steps, frames - 1) for frame in shown]
    return [[states[i], guesses[i]] for i in kept]


def _half_up(a: int, b: int) -> int:
    """Return a/b, rounded as JavaScript does."""
    return (2 * a + b) // (2 * b)


def _mix(lab: Bench) -> list[Column]:
    first, other = lab.encode(lab.a), lab.encode(lab.b)
    pairs = [(slerp(first, other, w), torch.lerp(first, other, w)) for w in MIXED]
    return [[lab.decode(code) for code in pair] for pair in pairs]


TASKS: dict[str, Callable[[Bench], list[Column]]] = {
    "noise": _noise,
    "hidden": _hidden,
    "code": _code,
    "eta": _eta,
    "mix": _mix,
}


@torch.no_grad()
def all_tasks(setting: Setting) -> dict[str, list[Column]]:
    """Return what each task shows of two of the book's digits."""
    images = load_digits().images
    lab = Bench(setting, images[setting.a : setting.a + 1], images[setting.b : setting.b + 1])
    return {name: task(lab) for name, task in TASKS.items()}


def to_table(shown: dict[str, list[Column]]) -> list[list[np.ndarray]]:
    """Return all pictures as grey ones, two rows a task, black where there is none."""
    table = []
    for columns in shown.values():
        for row in (0, 1):
            pictures = [grey(c[row]) if row < len(c) else _NONE for c in columns]
            table.append(pictures + [_NONE] * (COLUMNS - len(columns)))
    return table


def grey(x: Tensor) -> np.ndarray:
    """Return one picture in [-1, 1], clamped, as bytes."""
    return to_grey((x[0, 0].clamp(-1, 1) + 1) / 2)


_NONE = np.zeros((SIDE, SIDE), np.uint8)
