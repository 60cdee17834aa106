"""Schedules between the whole times: smooth, monotone, and back."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddim_lib import Schedule
from tests.support.cases import BOTH, COSINE, LINEAR
from tests.support.oracles import PROPERTY


@BOTH
def test_at_reads_whole_times_from_the_table(schedule):
    t = torch.tensor([0, 1, 500, 1000])
    for times in (t, t.double(), t.float()):
        alpha_bar, beta_bar = schedule.at(times)
        assert torch.equal(alpha_bar, schedule.alpha_bar[t])
        assert torch.equal(beta_bar, schedule.beta_bar[t])
    for i in t.tolist():
        expected = (schedule.alpha_bar[i].item(), schedule.beta_bar[i].item())
        assert schedule.at(i) == schedule.at(float(i)) == schedule.at(torch.tensor(i)) == expected
        assert all(type(v) is float for v in schedule.at(i))


def test_at_takes_several_times_in_turn():
    assert LINEAR.at(7, 2.5, 3) == (*LINEAR.at(7), *LINEAR.at(2.5), *LINEAR.at(3))


@BOTH
def test_at_is_smooth_and_monotone_between_whole_times(schedule):
    alpha_bar, beta_bar = schedule.at(torch.linspace(0, 1000, 20_001, dtype=torch.float64))
    np.testing.assert_allclose(alpha_bar**2 + beta_bar**2, 1, rtol=1e-14)
    assert (alpha_bar.diff() < 0).all()
    assert (beta_bar.diff() > 0).all()
    whole, h = torch.arange(1, 990, dtype=torch.float64), 1e-4
    (left, _), (here, _), (right, _) = (schedule.at(whole + d) for d in (-h, 0, h))
    kink = ((right - here) - (here - left)) / h
    assert kink.abs().max() < 1e-8  # straight lines between the whole times give 1e-5


@BOTH
def test_at_gives_numbers_what_it_gives_tensors(schedule):
    t = torch.tensor([0.25, 1.5, 617.25, 999.5], dtype=torch.float64)
    together = torch.stack(schedule.at(t))
    alone = torch.tensor([schedule.at(v) for v in t.tolist()], dtype=torch.float64).T
    assert torch.equal(together, alone)


def test_at_meets_a_smooth_function_between_its_table():
    def amplitude(u):
        return torch.exp(-(0.1 * u + 9.95 * u**2) / 2)

    smooth = Schedule(amplitude(torch.linspace(0, 1, 1001, dtype=torch.float64)))
    t = torch.linspace(1, 999.97, 3333, dtype=torch.float64)
    alpha_bar, beta_bar = smooth.at(t)
    np.testing.assert_allclose(alpha_bar, amplitude(t / 1000), rtol=1e-7)
    np.testing.assert_allclose(beta_bar, (1 - amplitude(t / 1000) ** 2).sqrt(), rtol=5e-4)


@pytest.mark.parametrize("T", [1, 2, 3, 4, 5, 21, 50, 99, 100])
@pytest.mark.parametrize("make", [Schedule.linear, Schedule.cosine])
def test_at_is_sound_on_short_schedules(make, T):
    schedule = make(max(T, 21) if make == Schedule.linear else T)
    alpha_bar, beta_bar = schedule.at(torch.linspace(0, schedule.T, 997, dtype=torch.float64))
    assert (alpha_bar.diff() < 0).all()
    assert (beta_bar.diff() > 0).all()
    assert alpha_bar.max() == 1


@PROPERTY
@given(t=st.floats(1e-3, 1000), cosine=st.booleans())
def test_time_at_is_the_inverse_of_at(t, cosine):
    schedule = COSINE if cosine else LINEAR
    alpha_bar, beta_bar = schedule.at(t)
    back = schedule.time_at(min(beta_bar / alpha_bar, schedule.noise_level[-1].item()))
    assert back == pytest.approx(t, rel=1e-7)


@BOTH
def test_time_at_the_table_and_beside_it(schedule):
    for i in [0, 1, 2, 37, 500, 998, 999, 1000]:
        rho = schedule.noise_level[i].item()
        assert schedule.time_at(rho) == i
    for rho in schedule.noise_level[1:-1].tolist():
        for near in (math.nextafter(rho, 0), math.nextafter(rho, math.inf)):
            at = schedule.at(schedule.time_at(near))
            assert at[1] / at[0] == pytest.approx(rho, rel=1e-9)


@pytest.mark.parametrize("t", [-1, -1e-9, 1000.001, 1001, math.nan, math.inf])
def test_at_refuses_times_out_of_range(t):
    with pytest.raises(ValueError, match=r"^need 0 <= t <= 1000, got t="):
        LINEAR.at(t)
    with pytest.raises(ValueError, match=r"^need 0 <= t <= 1000, got t="):
        LINEAR.at(torch.tensor([5.0, t]))


@pytest.mark.parametrize("rho", [-1e-9, 1e9, math.nan])
def test_time_at_refuses_levels_out_of_range(rho):
    with pytest.raises(ValueError, match=r"^need 0 <= noise_level <= 157.407, got "):
        LINEAR.time_at(rho)
