"""Noise schedules: how much signal and how much noise there is at each time."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq
from torch import Tensor

from ddim_lib.checks import Time, check_count

Spacing = Literal["uniform", "quadratic", "log-snr"]


@dataclass(frozen=True, eq=False)
class Schedule:
    """Signal amplitudes of a variance-preserving process; index 0 is clean data.

    x_t = ᾱ_t x_0 + β̄_t ε  with  ᾱ_t² + β̄_t² = 1.

    alpha_bar: (T+1,) float64, strictly decreasing, alpha_bar[0] == 1; dimensionless.
    Raises TypeError or ValueError if it is not.
    Source: Ho et al. 2020, eq. 4, in amplitudes instead of powers.
    """

    alpha_bar: Tensor

    def __post_init__(self) -> None:
        a = self.alpha_bar
        if not isinstance(a, Tensor) or a.dtype != torch.float64:
            raise TypeError("need alpha_bar as a float64 tensor")
        if a.ndim != 1 or len(a) < 2:
            raise ValueError(f"need alpha_bar of shape (T+1,) with T >= 1, got {tuple(a.shape)}")
        if not (a[0] == 1 and (a > 0).all() and (a.diff() < 0).all()):
            raise ValueError("need 1 == alpha_bar[0] > alpha_bar[1] > ... > 0")

    @classmethod
    def linear(cls, T: int = 1000) -> "Schedule":
        """DDPM's schedule: the added power β² grows linearly from 0.1/T to 20/T.

        At T = 1000 that is 1e-4 … 0.02 (Ho et al. 2020, section 4). T >= 21, so that β² < 1.
        """
        check_count("T", T, low=21)
        power = torch.linspace(0.1 / T, 20 / T, T, dtype=torch.float64)
        return cls._from_powers(power)

    @classmethod
    def cosine(cls, T: int = 1000) -> "Schedule":
        """Improved DDPM's schedule, ᾱ_t² ∝ cos²(π/2 (t/T + 0.008) / 1.008), β² <= 0.999.

        Source: Nichol & Dhariwal 2021, eq. 17.
        """
        check_count("T", T, low=1)
        u = torch.arange(T + 1, dtype=torch.float64) / T
        f = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
        return cls._from_powers((1 - f[1:] / f[:-1]).clamp(max=0.999))

    @classmethod
    def _from_powers(cls, power: Tensor) -> "Schedule":
        alpha_bar = torch.cumprod(1 - power, dim=0).sqrt()
        return cls(torch.cat([alpha_bar.new_ones(1), alpha_bar]))

    @property
    def T(self) -> int:
        """Number of steps; times run from 0 (clean) to T (noise)."""
        return len(self.alpha_bar) - 1

    @cached_property
    def beta_bar(self) -> Tensor:
        """Noise amplitudes β̄_t = √(1 − ᾱ_t²), (T+1,) float64."""
        return (1 - self.alpha_bar**2).sqrt()

    @cached_property
    def noise_level(self) -> Tensor:
        """ρ_t = β̄_t / ᾱ_t, (T+1,) float64: noise in units of the signal (Karras' σ)."""
        return self.beta_bar / self.alpha_bar

    @cached_property
    def half_log_snr(self) -> Tensor:
        """log(ᾱ_t / β̄_t), (T+1,) float64; infinite at t = 0 (DPM-Solver's λ)."""
        return -self.noise_level.log()

    @cached_property
    def _log_alpha_bar(self) -> PchipInterpolator:
        return PchipInterpolator(np.arange(self.T + 1), self.alpha_bar.log().numpy())

    def at(self, *times: Time | Tensor) -> tuple:
        """Amplitudes ᾱ, β̄ of each time in turn: `a_t, b_t, a_s, b_s = schedule.at(t, s)`.

        A number gives floats, a (batch,) tensor gives float64 tensors. Whole times are read from
        the table; between them log ᾱ is a monotone cubic, so ᾱ falls and is smooth in t.
        Raises ValueError unless 0 <= t <= T.
        """
        return tuple(v for t in times for v in self._at(t))

    def _at(self, t: Time | Tensor) -> tuple:
        if isinstance(t, Tensor) and t.ndim == 0:
            t = t.item()
        low, high = (t.min(), t.max()) if isinstance(t, Tensor) else (t, t)
        if not (low >= 0 and high <= self.T):
            raise ValueError(f"need 0 <= t <= {self.T}, got t={t}")
        if isinstance(t, Tensor):
            index = t.detach().cpu()
            return self._between(index) if t.is_floating_point() else self._rows(index.long())
        if t == int(t):
            return float(self.alpha_bar[int(t)]), float(self.beta_bar[int(t)])
        return tuple(float(v) for v in self._between(torch.tensor(t, dtype=torch.float64)))

    def _rows(self, index: Tensor) -> tuple[Tensor, Tensor]:
        return self.alpha_bar[index], self.beta_bar[index]

    def _between(self, t: Tensor) -> tuple[Tensor, Tensor]:
        whole = t == t.round()
        log_a = torch.as_tensor(self._log_alpha_bar(t.double().numpy()))
        a, b = log_a.exp(), (-torch.expm1(2 * log_a)).sqrt()
        row_a, row_b = self._rows(t.round().long())
        return torch.where(whole, row_a, a), torch.where(whole, row_b, b)

    def time_at(self, noise_level: float) -> float:
        """Return the real time t at which β̄/ᾱ equals noise_level: the inverse of `noise_level`.

        Raises ValueError unless 0 <= noise_level <= noise_level[T].
        """
        rho = self.noise_level.numpy()
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
        left = 1 - np.arange(steps + 1) / steps
        if spacing == "uniform":
            ideal = self.T * left
        elif spacing == "quadratic":
            ideal = self.T * left**2
        elif spacing == "log-snr":
            ideal = self._log_snr_times(steps)
        else:
            raise ValueError(f"need spacing uniform, quadratic or log-snr, got {spacing!r}")
        return _strictly_falling(np.rint(ideal).astype(int), self.T)

    def _log_snr_times(self, steps: int) -> np.ndarray:
        log_rho = -self.half_log_snr[1:].numpy()
        grid = np.linspace(log_rho[-1], log_rho[0], steps)
        return np.append(np.interp(grid, log_rho, np.arange(1, self.T + 1)), 0)


def _strictly_falling(times: np.ndarray, T: int) -> list[int]:
    """Nearest (largest shift smallest) strictly falling whole times from T to 0."""
    steps = len(times) - 1
    shift = np.arange(steps + 1)  # strictly falling t  <=>  t + shift never rises
    level = times + shift
    from_right = np.maximum.accumulate(level[::-1])[::-1]
    from_left = np.minimum.accumulate(level)
    return (np.clip((from_right + from_left) // 2, steps, T) - shift).tolist()
