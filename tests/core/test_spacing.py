"""The times of a walk: distinct, falling, and the nearest to those wanted, by brute force."""

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch

from ddim_lib import Schedule
from tests.support.cases import BOTH, LINEAR

SPACINGS = ["uniform", "quadratic", "log-snr"]


def table(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("spacing", SPACINGS)
@BOTH
def test_every_step_count_gives_distinct_falling_times(schedule, spacing):
    for steps in range(1, 1001):
        times = schedule.times(steps, spacing)
        assert all(type(t) is int for t in times)
        assert (len(times), times[0], times[-1]) == (steps + 1, 1000, 0)
        assert all(t > s for t, s in pairwise(times))
        if spacing == "log-snr" and steps > 1:
            assert times[-2] == 1


def test_times_of_known_step_counts():
    assert LINEAR.times(50) == list(range(1000, -1, -20))
    assert LINEAR.times(1000) == list(range(1000, -1, -1))
    assert LINEAR.times(4, "quadratic") == [1000, 562, 250, 62, 0]
    assert LINEAR.times(5, "log-snr")[-2:] == [1, 0]
    assert LINEAR.times(np.int64(3)) == [1000, 667, 333, 0]


@BOTH
def test_log_snr_times_divide_the_logarithm_evenly(schedule):
    log_rho = np.log(schedule.noise_level[1:].numpy())  # index 0 is t = 1
    times = schedule.times(12, "log-snr")[:-1]
    ideal = np.linspace(log_rho[-1], log_rho[0], 12)
    for t, target in list(zip(times, ideal, strict=True))[1:-1]:
        nearest = 1 + int(np.argmin(np.abs(log_rho - target)))
        assert abs(t - nearest) <= 1


def worst_shift(times, ideal):
    return max(abs(t - round(u)) for t, u in zip(times, ideal, strict=True))


def nearest_shift(T, steps, ideal):
    """Smallest worst shift of all falling sequences from T to 0, by trying them all."""
    choices = combinations(range(T - 1, 0, -1), steps - 1)
    return min(worst_shift([T, *middle, 0], ideal) for middle in choices)


@pytest.mark.parametrize("T", [1, 5, 9, 13])
def test_polynomial_times_are_the_nearest_falling_sequence(T):
    schedule = Schedule.cosine(T)
    for steps in range(1, T + 1, 2):  # an odd count makes no ideal time a tie of rounding
        for power, spacing in ((1, "uniform"), (2, "quadratic")):
            ideal = [T * (steps - i) ** power / steps**power for i in range(steps + 1)]
            times = schedule.times(steps, spacing)
            assert worst_shift(times, ideal) == nearest_shift(T, steps, ideal)


def test_log_snr_times_are_the_nearest_falling_sequence():
    """On schedules of odd shapes, where many ideal times round to the same whole time."""
    random = np.random.default_rng(0)
    for _ in range(400):
        T = int(random.integers(7, 11))
        steps = T - int(random.integers(1, 4))
        gaps = np.exp(random.normal(0, 2, T - 1).clip(max=1.5))
        log_rho = np.cumsum([-3.0, *gaps])
        schedule = Schedule(table(1.0, *(1 / np.sqrt(1 + np.exp(2 * log_rho)))))
        grid = np.linspace(log_rho[-1], log_rho[0], steps)
        ideal = [*np.interp(grid, log_rho, np.arange(1, T + 1)), 0]
        times = schedule.times(steps, "log-snr")
        assert worst_shift(times, ideal) == nearest_shift(T, steps, ideal), f"{ideal} -> {times}"


@pytest.mark.parametrize(
    "steps", [0, 1001, -3, 2.5, 50.0, True, False, math.nan, math.inf, "5", None], ids=repr
)
def test_times_refuses_a_bad_step_count(steps):
    need = f"^need a whole number, 1 <= steps <= 1000, got steps={steps!r}$"
    with pytest.raises(ValueError, match=need):
        LINEAR.times(steps)


def test_times_refuses_an_unknown_spacing():
    need = "^need spacing uniform, quadratic or log-snr, got 'trailing'$"
    with pytest.raises(ValueError, match=need):
        LINEAR.times(10, "trailing")
