"""Where a walk stops: whole times from T down to 0, spaced in one of three ways."""

from typing import Literal

import numpy as np

Spacing = Literal["uniform", "quadratic", "log-snr"]


def whole_times(steps: int, spacing: Spacing, log_rho: np.ndarray) -> list[int]:
    """Return exactly steps+1 distinct whole times, falling from T to 0.

    uniform: t = T(1 − i/S). quadratic: t = T(1 − i/S)². log-snr: log ρ in equal pieces from T to
    1, then 0. Rounded, then moved to the nearest strictly falling sequence.
    steps: 1 … T. log_rho: (T,), log(β̄_t/ᾱ_t) of t = 1 … T. Raises ValueError: unknown spacing.
    """
    T, left = len(log_rho), 1 - np.arange(steps + 1) / steps
    if spacing == "uniform":
        ideal = T * left
    elif spacing == "quadratic":
        ideal = T * left**2
    elif spacing == "log-snr":
        ideal = _log_snr_times(steps, log_rho)
    else:
        raise ValueError(f"need spacing uniform, quadratic or log-snr, got {spacing!r}")
    return _strictly_falling(np.rint(ideal).astype(int), T)


def _log_snr_times(steps: int, log_rho: np.ndarray) -> np.ndarray:
    grid = np.linspace(log_rho[-1], log_rho[0], steps)
    return np.append(np.interp(grid, log_rho, np.arange(1, len(log_rho) + 1)), 0)


def _strictly_falling(times: np.ndarray, T: int) -> list[int]:
    """Nearest (largest shift smallest) strictly falling whole times from T to 0."""
    steps = len(times) - 1
    shift = np.arange(steps + 1)  # strictly falling t  <=>  t + shift never rises
    level = times + shift
    from_right = np.maximum.accumulate(level[::-1])[::-1]
    from_left = np.minimum.accumulate(level)
    return (np.clip((from_right + from_left) // 2, steps, T) - shift).tolist()
