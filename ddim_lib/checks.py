"""What every function of the library asks of its input, and how it says so."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Integral
from typing import Final, Literal

import torch
from torch import Tensor

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
    if not (torch.isfinite(x.sum()) or torch.isfinite(x).all()):
        bad = int((~torch.isfinite(x)).sum())
        raise ValueError(f"need finite values in {name}, got {bad} of {x.numel()} NaN or infinite")


def check_match(name: str, y: Tensor, other: str, x: Tensor) -> None:
    """Raise unless y has the shape and dtype of x: nothing is broadcast or cast silently."""
    check_data(name, y)
    if y.shape != x.shape:
        raise ValueError(f"need {name} shaped like {other} {tuple(x.shape)}, got {tuple(y.shape)}")
    if y.dtype != x.dtype:
        raise TypeError(f"need {name} of the dtype of {other} {x.dtype}, got {y.dtype}")


def check_order(t: Time, s: Time, T: int) -> None:
    """Raise unless 0 <= s < t <= T: a step goes from t to the cleaner s."""
    if not 0 <= s < t <= T:
        raise ValueError(f"need 0 <= s < t <= {T}, got t={t}, s={s}")


def check_times(times: Sequence[Time], T: int) -> None:
    """Raise unless times falls strictly and stays within [0, T]."""
    if len(times) < 2:
        raise ValueError(f"need at least two times, got {list(times)}")
    for t, s in pairwise(times):
        check_order(t, s, T)


def check_count(name: str, value: int, low: int, high: int | None = None) -> int:
    """Return value as an int; raise unless it is a whole number in low … high."""
    bound = f"{low} <= {name}" + ("" if high is None else f" <= {high}")
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not (whole and low <= value and (high is None or value <= high)):
        raise ValueError(f"need a whole number, {bound}, got {name}={value!r}")
    return int(value)


def check_eta(eta: Eta) -> None:
    """Raise unless eta is SIGMA_HAT or a finite number >= 0."""
    if eta == SIGMA_HAT:
        return
    if isinstance(eta, str):
        raise ValueError(f"need eta as a number or {SIGMA_HAT!r}, got {eta!r}")
    if not (math.isfinite(eta) and eta >= 0):
        raise ValueError(f"need eta >= 0, got eta={eta}")


def check_device(device: str) -> None:
    """Raise ValueError unless device is cpu, or cuda where there is one."""
    if device not in ("cpu", "cuda"):
        raise ValueError(f"need device cpu or cuda, got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("need a CUDA device for device cuda, got none that torch can use")
