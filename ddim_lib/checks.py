"""What every function of the library asks of its input, and how it says so."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, Final, Literal

import torch
from torch import Generator, Tensor

SIGMA_HAT: Final = "sigma-hat"  # stands for η where DDPM's larger noise σ̂ is meant

Time = int | float
Eta = float | Literal["sigma-hat"]
Model = Callable[[Tensor, Time], Tensor]  # eps_hat = model(x_t, t)


def check_data(name: str, x: Tensor) -> None:
    """Raise unless x is a non-empty, finite tensor of float32 or float64."""
    if not isinstance(x, Tensor):
        raise TypeError(f"need a torch tensor as {name}, got {type(x).__name__}")
    if x.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"need {name} in float32 or float64, got {x.dtype}")
    if x.ndim < 1 or x.numel() == 0:
        raise ValueError(f"need {name} of shape (batch, *dims), got {tuple(x.shape)}")
    # One pass where all is well; a sum that overflows is looked at value by value.
    if not (math.isfinite(x.sum().item()) or torch.isfinite(x).all()):
        bad = int((~torch.isfinite(x)).sum())
        raise ValueError(f"need finite values in {name}, got {bad} of {x.numel()} NaN or infinite")


def check_match(name: str, y: Tensor, other: str, x: Tensor) -> None:
    """Raise unless y has the shape and dtype of x: nothing is broadcast or cast silently."""
    check_data(name, y)
    if y.shape != x.shape:
        raise ValueError(f"need {name} shaped like {other} {tuple(x.shape)}, got {tuple(y.shape)}")
    if y.dtype != x.dtype:
        raise TypeError(f"need {name} of the dtype of {other} {x.dtype}, got {y.dtype}")


def check_number(name: str, value: Any) -> Time:
    """Return value as a plain Python number; raise unless it is one: a batch of them is not."""
    if type(value) in (int, float):
        return value
    if isinstance(value, bool) or not (isinstance(value, Real) or hasattr(value, "item")):
        raise TypeError(f"need {name} as one number, got {type(value).__name__}")
    if getattr(value, "shape", ()) != ():
        kind = type(value).__name__
        raise ValueError(f"need {name} as one number, got a {kind} of shape {tuple(value.shape)}")
    number = value.item() if hasattr(value, "item") else float(value)
    if type(number) not in (int, float):
        raise TypeError(f"need {name} as one number, got {number!r}")
    return number


def check_order(t: Time, s: Time, T: int) -> tuple[Time, Time]:
    """Return t and s; raise unless 0 <= s < t <= T: a step goes from t to the cleaner s."""
    t, s = check_number("t", t), check_number("s", s)
    if not 0 <= s < t <= T:
        raise ValueError(f"need 0 <= s < t <= {T}, got t={t}, s={s}")
    return t, s


def check_times(times: Iterable[Time], T: int) -> list[Time]:
    """Return the times; raise unless they fall strictly and stay within [0, T]."""
    if not isinstance(times, Iterable) or isinstance(times, str) or getattr(times, "ndim", 1) != 1:
        got = f"shape {tuple(times.shape)}" if hasattr(times, "shape") else repr(times)
        raise TypeError(f"need times that fall, such as schedule.times(50), got {got}")
    numbers = [check_number("t", t) for t in times]
    if len(numbers) < 2:
        raise ValueError(f"need at least two times, got {numbers}")
    for t, s in pairwise(numbers):
        check_order(t, s, T)
    return numbers


def check_after_clean(t: Time | Tensor, reason: str) -> None:
    """Raise unless t > 0, a number or a (batch,) tensor."""
    if not isinstance(t, Tensor):
        t = check_number("t", t)
    if not torch.as_tensor(t > 0).all():
        raise ValueError(f"need t > 0 (at t = 0 {reason}), got t={t}")


def check_count(name: str, value: int, low: int, high: int | None = None) -> int:
    """Return value as an int; raise unless it is a whole number in low … high."""
    bound = f"{low} <= {name}" + ("" if high is None else f" <= {high}")
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not (whole and low <= value and (high is None or value <= high)):
        raise ValueError(f"need a whole number, {bound}, got {name}={value!r}")
    return int(value)


def check_eta(eta: Eta) -> Eta:
    """Return eta, a plain number or SIGMA_HAT; raise unless it is finite and >= 0."""
    if isinstance(eta, str):
        if eta != SIGMA_HAT:
            raise ValueError(f"need eta as a number or {SIGMA_HAT!r}, got {eta!r}")
        return SIGMA_HAT
    eta = check_number("eta", eta)
    if not (math.isfinite(eta) and eta >= 0):
        raise ValueError(f"need eta >= 0, got eta={eta}")
    return eta


def check_generator(generator: Generator | None, x: Tensor, eta: Eta) -> None:
    """Raise unless generator is a torch.Generator on the device of x, or None at η = 0."""
    if generator is None:
        if eta != 0:
            noise, got = (eta, None) if eta == SIGMA_HAT else ("eta > 0", f"eta={eta}")
            raise ValueError(f"need a torch.Generator to draw the noise of {noise}, got {got}")
    elif not isinstance(generator, Generator):
        raise TypeError(f"need a torch.Generator as generator, got {type(generator).__name__}")
    elif generator.device.type != x.device.type:
        here, there = x.device.type, generator.device.type
        raise ValueError(f"need a generator on {here}, where the samples are, got one on {there}")


def check_callable(name: str, value: Callable, example: str) -> None:
    """Raise unless value is a function."""
    if not callable(value):
        raise TypeError(f"need {name} as a function, {example}, got {value!r}")


def check_device(device: str) -> None:
    """Raise ValueError unless device is cpu, or cuda where there is one."""
    if device not in ("cpu", "cuda"):
        raise ValueError(f"need device cpu or cuda, got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("need a CUDA device for device cuda, got none that torch can use")


def ask(model: Model, x_t: Tensor, t: Time) -> Tensor:
    """ε̂ = model(x_t, t) with t a number, and x_t a copy, which the model may do with as it likes.

    An error of a model that expects a batch of times is raised again, with the line that helps.
    """
    try:
        return model(x_t.clone(), t)
    except (AttributeError, IndexError, TypeError) as error:
        if str(error).startswith("need "):  # one of ours
            raise
        got = f"{type(error).__name__} from it at t={t} ({error})"
        line = "lambda x, t: net(x, torch.full((len(x),), t, device=x.device))"
        raise TypeError(
            f"need a model that takes t as a number, got {got}; one that wants a batch: {line}"
        ) from error
