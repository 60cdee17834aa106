"""Schedules against published numbers, definitions and brute force."""

import math

import numpy as np
import pytest
import torch

from ddim_lib import Schedule
from tests.support.cases import BOTH, COSINE, LINEAR
from tests.support.oracles import BETA_POWER, NOISE, SIGNAL


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
    for name in ("alpha_bar", "beta_bar", "noise_level", "half_log_snr", "T"):
        with pytest.raises(AttributeError):
            setattr(LINEAR, name, getattr(COSINE, name))


def test_a_schedule_says_which_it_is():
    assert (repr(LINEAR), repr(Schedule.cosine(30))) == (
        "Schedule.linear(1000)",
        "Schedule.cosine(30)",
    )
    assert (LINEAR.name, COSINE.name) == ("linear", "cosine")
    own = Schedule(LINEAR.alpha_bar)
    assert (repr(own), own.name) == ("Schedule(T=1000, own)", None)
