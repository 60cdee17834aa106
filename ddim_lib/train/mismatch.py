"""What does a network predict, and how does it count time? One batch of data can tell.

Where the data and the noise are known, every answer of a network can be read as a guess of ε: an
ε network's as it is, a v network's as ᾱ v + β̄ x, and so on. Only the right reading fits.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ddim_lib.checks import check_callable, check_data
from ddim_lib.schedule import Schedule

UNKNOWN = "unknown"
STOPS = 12  # times asked about, evenly in log-SNR from T to 1; both ends are left out
SLOPE = 0.06  # how far the slope of ε on the guess may be from 1, beside chance
LEAK = 0.03  # how much of x_t may be left in ε − ε̂, in units of ε, beside chance
CHANCE = 3.0  # standard errors that are not taken for chance

READINGS: dict[str, Callable[[Tensor, Tensor, float, float], Tensor]] = {
    "ε": lambda out, x, a, b: out,
    "−ε": lambda out, x, a, b: -out,
    "x_0": lambda out, x, a, b: (x - a * out) / b,
    "v": lambda out, x, a, b: a * out + b * x,
    "−v": lambda out, x, a, b: b * x - a * out,
    "score": lambda out, x, a, b: -b * out,
    "−score": lambda out, x, a, b: b * out,
}
CLOCKS: dict[str, Callable[[int, int], float]] = {
    "t": lambda t, T: t,
    "t − 1": lambda t, T: t - 1,
    "t / T": lambda t, T: t / T,
    "T − t": lambda t, T: T - t,
    "1 − t / T": lambda t, T: 1 - t / T,
    # these have no name: where one of them fits best, no other is the answer
    "t + 1": lambda t, T: t + 1,
    "t − 2": lambda t, T: max(t - 2, 1),
    "0.8 t": lambda t, T: max(int(0.8 * t), 1),
    "1.25 t": lambda t, T: min(round(1.25 * t), T - 1),
}
TABLES: dict[str, Callable[[Tensor], Tensor]] = {
    "ᾱ": lambda a: a,
    "√ᾱ": lambda a: a.sqrt(),
    "ᾱ²": lambda a: a.square(),
}
RANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "x": lambda x: x,
    "2x − 1": lambda x: 2 * x - 1,
    "(x + 1) / 2": lambda x: (x + 1) / 2,
    "x / 127.5 − 1": lambda x: x / 127.5 - 1,
}
NAMELESS = ("given t + 1", "given t − 2", "given 0.8 t", "given 1.25 t")


class Setting(NamedTuple):
    """What a network is given: a time, a table of amplitudes, data in a range."""

    clock: str = "t"
    table: str = "ᾱ"
    range: str = "x"


class Trial(NamedTuple):
    """A reading that fits: its name, and its error for each row (0: that of the best line)."""

    name: str
    error: Tensor


AS_HANDED_IN = [Setting(clock=clock) for clock in CLOCKS]  # all of these see the same x_t
ALTERED = [
    *(Setting(table=table) for table in list(TABLES)[1:]),
    *(Setting(range=range_) for range_ in list(RANGES)[1:]),
]


def diagnose(
    model: Callable[[Tensor, float], Tensor], schedule: Schedule, x_0: Tensor, generator: Generator
) -> str:
    """Name what a network predicts and what it has to be given, or say "unknown".

    model(x_t, t) -> anything shaped like x_t, t a number. x_0: (batch, *dims), a batch of the data
    that it was trained on; the larger, the surer. "ε" is what the samplers want. Else the answer is
    "ε", "x_0", "v", "score", one of these with a minus, and, where it is not as handed in, what to
    hand in: a time ("t − 1"), amplitudes ("√ᾱ": yours are powers) or data ("2x − 1").
    A reading fits if at every time ε − ε̂ has nothing to do with ε̂ or x_t (so it is for the mean
    of ε, given x_t), and it is better than the best line. A name is given if one fits, and every
    other that does is worse by more than chance; other amplitudes and ranges are tried if none
    does. So it says "unknown" of data N(0, 1), whose best guess is a line, and of a small batch.
    Raises TypeError or ValueError: x_0 not float or not finite, no function as model.
    """
    check_data("x_0", x_0)
    check_callable("model", model, "model(x_t, t)")
    eps = torch.randn(x_0.shape, generator=generator, dtype=x_0.dtype).to(x_0.device)
    for settings in (AS_HANDED_IN, ALTERED):
        trials = [trial for own in settings for trial in _trials(model, schedule, x_0, eps, own)]
        if trials:
            return _clearest(trials)
    return UNKNOWN


def _clearest(trials: list[Trial]) -> str:
    """Return the name of the best trial; "unknown" if it has none, or another name is as good."""
    best = min(trials, key=lambda trial: trial.error.mean().item())
    named = [trial for trial in trials if not trial.name.endswith(NAMELESS)]
    clear = all(_surely(trial.error - best.error) for trial in named if trial is not best)
    return best.name if clear and any(trial is best for trial in named) else UNKNOWN


def _surely(difference: Tensor) -> bool:
    """Say whether the mean of paired differences is above 0 by more than chance."""
    error = difference.std() / len(difference) ** 0.5
    return bool(difference.mean() > CHANCE * error)


@torch.no_grad()
def _trials(
    model: Callable, schedule: Schedule, x_0: Tensor, eps: Tensor, setting: Setting
) -> Iterator[Trial]:
    """Readings of the network's answers that fit in one setting; none where it does not answer."""
    table, data = TABLES[setting.table](schedule.alpha_bar), RANGES[setting.range](x_0)
    errors: dict[str, Tensor] = dict.fromkeys(READINGS, torch.zeros(len(x_0)))
    for t in reversed(schedule.times(STOPS, "log-snr")[1:-2]):  # little noise tells most
        a = float(table[t])
        b = (1 - a**2) ** 0.5
        x_t = a * data + b * eps
        try:
            out = model(x_t.clone(), CLOCKS[setting.clock](t, schedule.T))
        except (IndexError, RuntimeError, TypeError, ValueError):
            return
        if not isinstance(out, Tensor) or out.shape != x_0.shape or not out.isfinite().all():
            return
        spread = a**2 * data.var() + b**2
        line = _rows(b * (x_t - a * data.mean()) / spread - eps)
        guesses = {name: READINGS[name](out.to(x_t.dtype), x_t, a, b) for name in errors}
        errors = {
            name: errors[name] + (_rows(guess - eps) - line) / line.mean()
            for name, guess in guesses.items()
            if _straight(guess, eps, x_t)
        }
    for name, error in errors.items():
        if _surely(-error):
            yield Trial(_name(name, setting), error)


def _rows(difference: Tensor) -> Tensor:
    return difference.double().square().flatten(1).mean(1).cpu()


def _straight(guess: Tensor, eps: Tensor, x_t: Tensor) -> bool:
    """Say whether ε − ε̂ has nothing to do with ε̂ or x_t: so it is for the mean of ε, given x_t."""
    guess, eps, x_t = (v.double().flatten(1) for v in (guess, eps, x_t))
    size = (guess * guess).sum()
    unit = ((x_t * x_t).sum() * (eps * eps).sum()).sqrt()
    parts = (
        (((eps - guess) * guess).sum(1) / size, SLOPE),
        (((eps - guess) * x_t).sum(1) / unit, LEAK),
    )
    return all(
        bool(part.sum().abs() <= most + CHANCE * part.std() * len(part) ** 0.5)
        for part, most in parts
    )


def _name(reading: str, setting: Setting) -> str:
    usual = Setting()
    given = [own for own, normal in zip(setting, usual, strict=True) if own != normal]
    return reading + "".join(f", given {own}" for own in given)
