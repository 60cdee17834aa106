"""Schedules against published numbers, definitions and brute force."""

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch

from ddim_lib import Schedule
from tests.support.cases import BOTH, COSINE, LINEAR
from tests.support.oracles import BETA_POWER, NOISE, SIGNAL

SPACINGS = ["uniform", "quadratic", "log-snr"]


def table(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_published_anchor_of_the_linear_schedule():
    assert LINEAR.alpha_bar[-1].item() ** 2 == pytest.approx(4.0358e-5, rel=1e-4)
    assert LINEAR.T == 1000
    assert len(LINEAR.alpha_bar) == len(LINEAR.beta_bar) == 1001


def test_linear_table_is_ddpms():
    np.testing.assert_allclose(LINEAR.alpha_bar, SIGNAL, rtol=1e-12)
    np.testing.assert_allclose(LINEAR.beta_bar, NOISE, rtol=1e-12)
    recovered = 1 - (LINEAR.alpha_bar[1:] / LINEAR.alpha_bar[:-1]) ** 2
    np.testing.assert_allclose(recovered, BETA_POWER, rtol=1e-11)


def test_linear_keeps_its_ends_at_other_lengths():
    power = Schedule.linear(4000).alpha_bar ** 2
    assert (power[1], power[-1] / power[-2]) == pytest.approx((1 - 0.1 / 4000, 1 - 20 / 4000))


def test_cosine_table_is_its_definition():
    def f(u):
        return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

    expected = [math.sqrt(f(t / 1000) / f(0)) for t in range(1000)]
    np.testing.assert_allclose(COSINE.alpha_bar[:-1], expected, rtol=1e-10)
    last = (COSINE.alpha_bar[-1] / COSINE.alpha_bar[-2]) ** 2
    assert last == pytest.approx(1 - 0.999)  # the paper's clip


@BOTH
def test_amplitudes_and_their_ratios(schedule):
    squares = schedule.alpha_bar**2 + schedule.beta_bar**2
    np.testing.assert_allclose(squares, 1, rtol=1e-14)
    assert schedule.beta_bar[0] == 0
    power = schedule.alpha_bar.numpy() ** 2
    np.testing.assert_allclose(schedule.noise_level, np.sqrt(1 / power - 1), rtol=1e-11)
    np.testing.assert_allclose(
        schedule.half_log_snr[1:], np.log(power[1:] / (1 - power[1:])) / 2, atol=1e-11
    )
    assert schedule.half_log_snr[0] == math.inf


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
    need = "^need spacing among uniform, quadratic, log-snr, got 'trailing'$"
    with pytest.raises(ValueError, match=need):
        LINEAR.times(10, "trailing")


@pytest.mark.parametrize("alpha_bar", [[1.0, 0.5], torch.tensor([1.0, 0.5]), np.array([1.0, 0.5])])
def test_schedule_refuses_what_is_not_float64(alpha_bar):
    with pytest.raises(TypeError, match=r"^need alpha_bar as a float64 tensor$"):
        Schedule(alpha_bar)


@pytest.mark.parametrize("bad", [table(1.0), table(), table(1, 0.5)[None]])
def test_schedule_refuses_wrong_shapes(bad):
    with pytest.raises(ValueError, match=r"^need alpha_bar of shape \(T\+1,\) with T >= 1, got \("):
        Schedule(bad)


@pytest.mark.parametrize(
    "values", [(0.9, 0.5), (1, 0.5, 0.5), (1, 0.5, 0.6), (1, 0.5, 0), (1, math.nan), (1, 0.5, -0.1)]
)
def test_schedule_refuses_tables_that_do_not_fall(values):
    with pytest.raises(ValueError, match=r"^need 1 == alpha_bar\[0\] > alpha_bar\[1\] > ... > 0"):
        Schedule(table(*values))


@pytest.mark.parametrize("T", [20, 0, -1, 50.5, 1000.0, True, "1000"], ids=repr)
def test_constructors_refuse_lengths(T):
    with pytest.raises(ValueError, match=f"^need a whole number, 21 <= T, got T={T!r}$"):
        Schedule.linear(T)
    T = 0 if T == 20 else T
    with pytest.raises(ValueError, match=f"^need a whole number, 1 <= T, got T={T!r}$"):
        Schedule.cosine(T)


def test_the_shortest_schedules():
    assert (Schedule.linear(21).T, Schedule.cosine(1).T) == (21, 1)


def test_a_schedule_is_immutable():
    with pytest.raises(AttributeError):
        LINEAR.alpha_bar = COSINE.alpha_bar
