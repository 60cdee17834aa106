"""Noise schedules: how much signal and how much noise there is at each time."""

import math
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq
from torch import Tensor

from ddim_lib.checks import Time, check_count, check_number
from ddim_lib.spacing import Spacing, whole_times


class Schedule:
    """Signal amplitudes of a variance-preserving process; index 0 is clean data. It never changes.

    x_t = ᾱ_t x_0 + β̄_t ε  with  ᾱ_t² + β̄_t² = 1.

    alpha_bar: (T+1,) float64, strictly decreasing, alpha_bar[0] == 1; dimensionless.
    Raises TypeError or ValueError if it is not.
    Source: Ho et al. 2020, eq. 4, in amplitudes instead of powers.
    """

    def __init__(self, alpha_bar: Tensor, name: str | None = None) -> None:
        a = alpha_bar
        if not isinstance(a, Tensor) or a.dtype != torch.float64:
            raise TypeError("need alpha_bar as a float64 tensor")
        if a.ndim != 1 or len(a) < 2:
            raise ValueError(f"need alpha_bar of shape (T+1,) with T >= 1, got {tuple(a.shape)}")
        if not (a[0] == 1 and (a > 0).all() and (a.diff() < 0).all()):
            raise ValueError("need 1 == alpha_bar[0] > alpha_bar[1] > ... > 0")
        self._alpha_bar = a.detach().cpu().clone()
        self._beta_bar = (1 - self._alpha_bar**2).sqrt()
        self._numbers = list(zip(self._alpha_bar.tolist(), self._beta_bar.tolist(), strict=True))
        self._name = name

    def __repr__(self) -> str:
        return f"Schedule.{self.name}({self.T})" if self.name else f"Schedule(T={self.T}, own)"

    @classmethod
    def linear(cls, T: int = 1000) -> "Schedule":
        """DDPM's schedule: the added power β² grows linearly from 0.1/T to 20/T.

        At T = 1000 that is 1e-4 … 0.02 (Ho et al. 2020, section 4). T >= 21, so that β² < 1.
        """
        check_count("T", T, low=21)
        power = torch.linspace(0.1 / T, 20 / T, T, dtype=torch.float64)
        return cls._from_powers(power, "linear")

    @classmethod
    def cosine(cls, T: int = 1000) -> "Schedule":
        """Improved DDPM's schedule, ᾱ_t² ∝ cos²(π/2 (t/T + 0.008) / 1.008), β² <= 0.999.

        Source: Nichol & Dhariwal 2021, eq. 17.
        """
        check_count("T", T, low=1)
        u = torch.arange(T + 1, dtype=torch.float64) / T
        f = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
        return cls._from_powers((1 - f[1:] / f[:-1]).clamp(max=0.999), "cosine")

    @classmethod
    def named(cls, name: str | None, T: int) -> "Schedule":
        """Return one of these by its name; raises ValueError on another name."""
        if name not in ("linear", "cosine"):
            raise ValueError(f"need a schedule among linear, cosine, got {name!r}")
        return cls.linear(T) if name == "linear" else cls.cosine(T)

    @classmethod
    def _from_powers(cls, power: Tensor, name: str) -> "Schedule":
        alpha_bar = torch.cumprod(1 - power, dim=0).sqrt()
        return cls(torch.cat([alpha_bar.new_ones(1), alpha_bar]), name)

    @property
    def T(self) -> int:
        """Number of steps; times run from 0 (clean) to T (noise)."""
        return len(self._numbers) - 1

    @property
    def name(self) -> str | None:
        """Which of the library's schedules this is, "linear" or "cosine"; else None."""
        return self._name

    @property
    def alpha_bar(self) -> Tensor:
        """Signal amplitudes ᾱ_t, (T+1,) float64; a copy, as all that is handed out."""
        return self._alpha_bar.clone()

    @property
    def beta_bar(self) -> Tensor:
        """Noise amplitudes β̄_t = √(1 − ᾱ_t²), (T+1,) float64."""
        return self._beta_bar.clone()

    @property
    def noise_level(self) -> Tensor:
        """ρ_t = β̄_t / ᾱ_t, (T+1,) float64: noise in units of the signal (Karras' σ)."""
        return self._beta_bar / self._alpha_bar

    @property
    def half_log_snr(self) -> Tensor:
        """log(ᾱ_t / β̄_t), (T+1,) float64; infinite at t = 0 (DPM-Solver's λ)."""
        return -self.noise_level.log()

    @cached_property
    def _log_alpha_bar(self) -> PchipInterpolator:
        return PchipInterpolator(np.arange(self.T + 1), self.alpha_bar.log().numpy())

    def at(self, *times: Time | Tensor) -> tuple[Any, ...]:
        """Amplitudes ᾱ, β̄ of each time in turn: `a_t, b_t, a_s, b_s = schedule.at(t, s)`.

        A number gives floats, a (batch,) tensor gives float64 tensors. Whole times are read from
        the table; between them log ᾱ is a monotone cubic, so ᾱ falls and is smooth in t.
        Raises TypeError or ValueError: no number and no such tensor, unless 0 <= t <= T.
        """
        return tuple(v for t in times for v in self._at(t))

    def _at(self, t: Time | Tensor) -> tuple[Any, ...]:
        if isinstance(t, Tensor) and t.ndim > 0:
            return self._rows(t)
        t = check_number("t", t)
        if not 0 <= t <= self.T:
            raise ValueError(f"need 0 <= t <= {self.T}, got t={t}")
        if t == int(t):
            return self._numbers[int(t)]
        return tuple(float(v) for v in self._between(torch.tensor(t, dtype=torch.float64)))

    def _rows(self, t: Tensor) -> tuple[Tensor, Tensor]:
        if t.dtype == torch.bool or t.is_complex() or not t.numel():
            got = f"{t.dtype} of shape {tuple(t.shape)}"
            raise TypeError(f"need t as a number or as a (batch,) tensor of numbers, got {got}")
        if not (t.min() >= 0 and t.max() <= self.T):
            raise ValueError(f"need 0 <= t <= {self.T}, got t={t}")
        index = t.detach().cpu()
        if index.is_floating_point():
            return self._between(index.double())
        return self._alpha_bar[index.long()], self._beta_bar[index.long()]

    def _between(self, t: Tensor) -> tuple[Tensor, Tensor]:
        log_a = torch.as_tensor(self._log_alpha_bar(t.numpy()))
        a, b = log_a.exp(), (-torch.expm1(2 * log_a)).sqrt()
        whole, nearest = t == t.round(), t.round().long()
        return (
            torch.where(whole, self._alpha_bar[nearest], a),
            torch.where(whole, self._beta_bar[nearest], b),
        )

    def time_at(self, noise_level: float) -> float:
        """Return the real time t at which β̄/ᾱ equals noise_level: the inverse of `noise_level`.

        Raises ValueError unless 0 <= noise_level <= noise_level[T].
        """
        rho, noise_level = self.noise_level.numpy(), check_number("noise_level", noise_level)
        if not 0 <= noise_level <= rho[-1]:
            raise ValueError(f"need 0 <= noise_level <= {rho[-1]:.6g}, got {noise_level}")
        i = int(np.searchsorted(rho, noise_level))
        if rho[i] == noise_level:
            return float(i)
        target = -0.5 * math.log1p(noise_level**2)

        def miss(t: float) -> float:
            return float(self._log_alpha_bar(t)) - target

        if miss(i - 1) * miss(i) >= 0:  # within rounding of a whole time
            return float(min(i - 1, i, key=lambda t: abs(miss(t))))
        return brentq(miss, i - 1, i, xtol=1e-13)

    def times(self, steps: int, spacing: Spacing = "uniform") -> list[int]:
        """Return exactly steps+1 distinct whole times, falling from T to 0.

        uniform: t = T(1 − i/S). quadratic: t = T(1 − i/S)². log-snr: log(ᾱ/β̄) in equal pieces
        from T to 1, then 0. Rounded, then moved to the nearest strictly falling sequence.
        Raises ValueError unless 1 <= steps <= T, and on an unknown spacing.
        """
        steps = check_count("steps", steps, 1, self.T)
        return whole_times(steps, spacing, -self.half_log_snr[1:].numpy())
