"""The forward jump and its two inverses: NumPy's answers, round trips, errors."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ddim_lib import Schedule, predict_eps, predict_x0, q_sample, seeded
from ddim_lib.process import slerp
from tests.support.cases import LINEAR, normal
from tests.support.oracles import NOISE, PROPERTY, SIGNAL

FLOATS = st.sampled_from([torch.float32, torch.float64])
SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def test_a_seed_gives_its_own_noise_and_leaves_other_draws_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, again, other = (torch.randn(5, generator=seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.rand(3), expected)
    torch.testing.assert_close(first[:2], torch.tensor([1.5410, -0.2934]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("t", [0, 1, 2, 500, 999, 1000])
def test_the_jump_weighs_signal_and_noise(t):
    x_0, eps = normal((3, 2, 2)), normal((3, 2, 2), seed=1)
    expected = SIGNAL[t] * x_0.numpy() + NOISE[t] * eps.numpy()
    np.testing.assert_allclose(q_sample(LINEAR, x_0, t, eps), expected, rtol=1e-12)


def test_the_jump_is_a_thousand_small_steps():
    """Noising step by step gives the same variance and the same share of signal."""
    signal, variance = 1.0, 0.0
    for power in np.linspace(1e-4, 0.02, 1000):
        signal, variance = signal * math.sqrt(1 - power), variance * (1 - power) + power
    one = torch.ones(1, dtype=torch.float64)
    assert q_sample(LINEAR, one, 1000, 0 * one).item() == pytest.approx(signal, rel=1e-12)
    assert q_sample(LINEAR, 0 * one, 1000, one).item() ** 2 == pytest.approx(variance, rel=1e-12)


@PROPERTY
@given(
    T=st.integers(1, 300), part=st.floats(0.01, 1), shape=SHAPES, dtype=FLOATS, real=st.booleans()
)
def test_round_trips(T, part, shape, dtype, real):
    schedule = Schedule.cosine(T)
    t = max(part * T, 1.0) if real else math.ceil(part * T)
    x_0, eps = normal(shape, 1, dtype), normal(shape, 2, dtype)
    x_t = q_sample(schedule, x_0, t, eps)
    back_0, back_eps = predict_x0(schedule, x_t, eps, t), predict_eps(schedule, x_t, x_0, t)
    signal, noise = schedule.at(t)
    rounding = 8 * torch.finfo(dtype).eps * max(1, x_t.abs().max().item())
    assert (back_0 - x_0).abs().max() <= rounding / signal
    assert (back_eps - eps).abs().max() <= rounding / noise
    assert x_t.dtype == back_0.dtype == back_eps.dtype == dtype
    assert x_t.shape == back_0.shape == back_eps.shape == shape


@PROPERTY
@given(shape=SHAPES, dtype=FLOATS, real=st.booleans(), data=st.data())
def test_a_tensor_of_times_is_one_time_a_row(shape, dtype, real, data):
    kind = st.floats(0.5, 1000) if real else st.integers(1, 1000)
    times = data.draw(st.lists(kind, min_size=shape[0], max_size=shape[0]))
    t = torch.tensor(times, dtype=torch.float64 if real else torch.int64)
    a, b = normal(shape, 1, dtype), normal(shape, 2, dtype)
    for function in (q_sample, predict_x0, predict_eps):
        rows = [
            function(LINEAR, *_order(function, a[i : i + 1], b[i : i + 1], v))
            for i, v in enumerate(times)
        ]
        together = function(LINEAR, *_order(function, a, b, t))
        torch.testing.assert_close(together, torch.cat(rows))
        assert together.dtype == dtype


def _order(function, x, other, t):
    return (x, t, other) if function is q_sample else (x, other, t)


def test_the_clean_end():
    x, eps = normal((4, 2)), normal((4, 2), seed=1)
    assert torch.equal(q_sample(LINEAR, x, 0, eps), x)
    assert torch.equal(predict_x0(LINEAR, x, eps, 0), x)
    for t in (0, 0.0, torch.tensor([3, 0, 1, 2])):
        with pytest.raises(ValueError, match=r"^need t > 0 \(at t = 0 there is no noise"):
            predict_eps(LINEAR, x, eps, t)


def test_a_prediction_passes_gradients_and_leaves_alone_what_it_is_given():
    x_t, eps_hat = normal((3, 2)).requires_grad_(), normal((1, 2), 1).requires_grad_()
    spread, (alpha_bar, beta_bar) = eps_hat.expand(3, 2), LINEAR.at(300)
    predict_x0(LINEAR, x_t, spread, 300).sum().backward()
    torch.testing.assert_close(x_t.grad, torch.full_like(x_t, 1 / alpha_bar))
    torch.testing.assert_close(eps_hat.grad, torch.full_like(eps_hat, -3 * beta_bar / alpha_bar))
    assert torch.equal(x_t, normal((3, 2)))
    assert torch.equal(eps_hat, normal((1, 2), 1))


def calls(x, other, t):
    """All three functions on the same input, and how each names it."""
    return [
        (lambda: q_sample(LINEAR, x, t, other), "x_0", "eps"),
        (lambda: predict_x0(LINEAR, x, other, t), "x_t", "eps_hat"),
        (lambda: predict_eps(LINEAR, x, other, t), "x_t", "x0_hat"),
    ]


@pytest.mark.parametrize("t", [-1, 1001, 1000.5, math.nan, torch.tensor([5, 1001])])
def test_times_out_of_range(t):
    for call, _, _ in calls(normal((2, 3)), normal((2, 3)), t):
        with pytest.raises(ValueError, match=r"^need (0 <= t <= 1000|t > 0 .*), got t="):
            call()


@pytest.mark.parametrize("t", [torch.tensor([5]), torch.tensor([5, 6, 7]), torch.tensor([[5, 6]])])
def test_times_of_another_batch(t):
    for call, _, _ in calls(normal((2, 3)), normal((2, 3)), t):
        with pytest.raises(ValueError, match=r"^need t as a number or of shape \(2,\), got \("):
            call()


@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (3,), (2, 3, 1), (1,)])
def test_shapes_that_would_broadcast(shape):
    for call, name, other in calls(normal((2, 3)), normal(shape), 5):
        need = rf"^need {other} shaped like {name} \(2, 3\), got \({shape[0]},"
        with pytest.raises(ValueError, match=need):
            call()


def test_dtypes_that_would_be_cast():
    for call, name, other in calls(normal((2, 3)), normal((2, 3)).float(), 5):
        need = f"^need {other} of the dtype of {name} torch.float64, got torch.float32$"
        with pytest.raises(TypeError, match=need):
            call()


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.bfloat16, torch.bool])
def test_integer_and_half_tensors(dtype):
    good, bad = normal((2, 3)), torch.ones(2, 3, dtype=dtype)
    for call, name, _ in calls(bad, good, 5):
        with pytest.raises(TypeError, match=f"^need {name} in float32 or float64, got {dtype}$"):
            call()
    for call, _, name in calls(good, bad, 5):
        with pytest.raises(TypeError, match=f"^need {name} in float32 or float64, got {dtype}$"):
            call()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite(value):
    good, bad = normal((2, 3)), normal((2, 3))
    bad[1, 2] = value
    for call, name, _ in calls(bad, good, 5):
        with pytest.raises(
            ValueError, match=f"^need finite values in {name}, got 1 of 6 NaN or inf"
        ):
            call()
    for call, _, name in calls(good, bad, 5):
        with pytest.raises(
            ValueError, match=f"^need finite values in {name}, got 1 of 6 NaN or inf"
        ):
            call()


def test_infinities_that_cancel_and_sums_that_overflow():
    good, bad, huge = normal((2, 3)).float(), normal((2, 3)).float(), torch.full((2, 3), 3e38)
    bad[0, 0], bad[1, 1] = math.inf, -math.inf
    with pytest.raises(ValueError, match=r"^need finite values in x_0, got 2 of 6 NaN or inf"):
        q_sample(LINEAR, bad, 5, good)
    assert torch.equal(q_sample(LINEAR, huge, 0, good), huge)


def test_what_is_no_tensor_or_empty():
    for call, name, _ in calls([[1.0]], normal((1, 1)), 5):
        with pytest.raises(TypeError, match=f"^need a torch tensor as {name}, got list$"):
            call()
    for bad, shape in ((torch.tensor(1.0), r"\(\)"), (torch.zeros(0, 3), r"\(0, 3\)")):
        for call, name, _ in calls(bad, bad, 5):
            need = rf"^need {name} of shape \(batch, \*dims\), got {shape}$"
            with pytest.raises(ValueError, match=need):
                call()


# --- between two noises ---------------------------------------------------------------------------


@pytest.mark.parametrize("w", [0, 0.25, 0.5, 0.9, 1])
def test_an_arc_turns_evenly_and_keeps_its_length(w):
    angles = (0, math.radians(120), w * math.radians(120))
    z_0, z_1, expected = (
        torch.tensor([2 * math.cos(a), 2 * math.sin(a)], dtype=torch.float64) for a in angles
    )
    assert (slerp(z_0, z_1, w) - expected).abs().max() < 1e-12


def test_an_arc_between_noises_has_their_shape_and_ends():
    z_0, z_1 = normal((1, 1, 28, 28), 1), normal((1, 1, 28, 28), 2)
    assert (slerp(z_0, z_1, 0) - z_0).abs().max() < 1e-12
    assert (slerp(z_0, z_1, 1) - z_1).abs().max() < 1e-12
    assert slerp(z_0, z_1, 0.5).std() == pytest.approx(1, abs=0.06)
    assert (slerp(z_0, 3 * z_0, 0.5) - 2 * z_0).abs().max() < 1e-12


def test_an_arc_needs_two_alike():
    with pytest.raises(ValueError, match="need z_1 shaped like z_0"):
        slerp(normal((2, 3)), normal((3, 2)), 0.5)
