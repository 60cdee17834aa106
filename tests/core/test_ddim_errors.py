"""What the step and the walk refuse, and in which words."""

import math

import pytest
import torch

from ddim_lib import (
    ddim_coefficients,
    ddim_step,
    ddim_steps,
    ddpm_large_step,
    ddpm_large_steps,
    sample,
)
from tests.support.cases import LINEAR, normal, seeded


def no_call(x, t):
    raise AssertionError("the model was called before the input was checked")


def entries(t=10, s=5, eta=0.5, **changed):
    """Every way to ask for the step t → s, as callables."""
    x = changed.get("x", normal((2, 3)))
    eps, noise = changed.get("eps", normal((2, 3), 1)), changed.get("noise", normal((2, 3), 2))
    return {
        "coefficients": lambda: ddim_coefficients(LINEAR, t, s, eta),
        "step": lambda: ddim_step(LINEAR, x, eps, t, s, eta, noise),
        "large": lambda: ddpm_large_step(LINEAR, x, eps, t, s, noise),
        "steps": lambda: ddim_steps(no_call, LINEAR, x, [t, s], eta, seeded()),
        "large steps": lambda: ddpm_large_steps(no_call, LINEAR, x, [t, s], seeded()),
        "sample": lambda: sample(no_call, LINEAR, x, 50, eta, seeded()),
    }


def refused(error, message, names, **changed):
    calls = entries(**changed)
    for name in names.split(", "):
        with pytest.raises(error, match=message):
            calls[name]()


BAD_TIMES = [(5, 5), (5, 10), (0, 0), (1001, 5), (10, -1), (math.nan, 5), (10, math.nan)]


@pytest.mark.parametrize(("t", "s"), BAD_TIMES)
def test_times_out_of_order_or_range(t, s):
    need = f"^need 0 <= s < t <= 1000, got t={t}, s={s}$"
    refused(ValueError, need, "coefficients, step, large, steps, large steps", t=t, s=s)


def test_walks_of_bad_times():
    with pytest.raises(ValueError, match=r"^need 0 <= s < t <= 1000, got t=300, s=300$"):
        ddim_steps(no_call, LINEAR, normal((2, 3)), [1000, 300, 300, 0])
    for times in ([], [1000]):
        with pytest.raises(ValueError, match=r"^need at least two times, got \["):
            ddim_steps(no_call, LINEAR, normal((2, 3)), times)
        with pytest.raises(ValueError, match=r"^need at least two times, got \["):
            ddpm_large_steps(no_call, LINEAR, normal((2, 3)), times, seeded())


@pytest.mark.parametrize("steps", [0, 1001, 2.5, True], ids=repr)
def test_step_counts_out_of_range(steps):
    need = f"^need a whole number, 1 <= steps <= 1000, got steps={steps!r}$"
    with pytest.raises(ValueError, match=need):
        sample(no_call, LINEAR, normal((2, 3)), steps)


@pytest.mark.parametrize("eta", [-0.1, -1e-9, math.nan, math.inf])
def test_eta_below_zero_or_not_finite(eta):
    need = f"^need eta >= 0, got eta={eta}$"
    refused(ValueError, need, "coefficients, step, steps, sample", eta=eta)


def test_eta_by_an_unknown_name():
    need = r"^need eta as a number or 'sigma-hat', got 'sigma'$"
    refused(ValueError, need, "coefficients, step, steps, sample", eta="sigma")


@pytest.mark.parametrize("eta", [1.5, 1e200])
def test_eta_beyond_the_marginal(eta):
    need = (
        rf"^need sigma\*\*2 <= beta_bar_s\*\*2 = .*, got .* at eta={eta}, t=1000, s=500$".replace(
            "+", r"\+"
        )
    )
    refused(ValueError, need, "coefficients, step, steps", t=1000, s=500, eta=eta)
    with pytest.raises(ValueError, match=r"^need sigma\*\*2 <= beta_bar_s\*\*2 = .*, s=980$"):
        sample(no_call, LINEAR, normal((2, 3)), 50, 9.0, seeded())


def test_eta_without_noise():
    need = r"^need noise where sigma > 0, got noise=None at sigma=0\.\d+$"
    refused(ValueError, need, "step, large", noise=None)
    need = r"^need a torch.Generator to draw the noise of eta > 0, got eta=0.1$"
    with pytest.raises(ValueError, match=need):
        ddim_steps(no_call, LINEAR, normal((2, 3)), [10, 5], 0.1)
    with pytest.raises(ValueError, match=need):
        sample(no_call, LINEAR, normal((2, 3)), 50, 0.1)
    with pytest.raises(ValueError, match=r"^need a torch.Generator .* sigma-hat, got None$"):
        ddpm_large_steps(no_call, LINEAR, normal((2, 3)), [10, 5], None)


@pytest.mark.parametrize("shape", [(1, 3), (2, 1), (2, 3, 1)])
def test_shapes_that_would_broadcast(shape):
    need, got = r"^need {} shaped like x_t \(2, 3\), got ", rf"\({', '.join(map(str, shape))}\)$"
    bad = normal(shape)
    refused(ValueError, need.format("eps_hat") + got, "step, large", eps=bad)
    refused(ValueError, need.format("noise") + got, "step, large", noise=bad)
    refused(ValueError, need.format("noise") + got, "step", noise=bad, eta=0.0)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.bfloat16])
def test_integer_and_half_tensors(dtype):
    need, bad = "^need {} in float32 or float64, got " + str(dtype), torch.ones(2, 3, dtype=dtype)
    refused(TypeError, need.format("x_t"), "step, large", x=bad)
    refused(TypeError, need.format("x_T"), "steps, large steps, sample", x=bad)
    refused(TypeError, need.format("eps_hat"), "step, large", eps=bad)
    refused(TypeError, need.format("noise"), "step, large", noise=bad)


def test_mixed_dtypes():
    need, single = (
        "^need {} of the dtype of x_t torch.float64, got torch.float32$",
        normal((2, 3)).float(),
    )
    refused(TypeError, need.format("eps_hat"), "step, large", eps=single)
    refused(TypeError, need.format("noise"), "step, large", noise=single)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_that_are_not_finite(value):
    need, bad = "^need finite values in {}, got 1 of 6 NaN or infinite$", normal((2, 3))
    bad[0, 1] = value
    refused(ValueError, need.format("x_t"), "step, large", x=bad)
    refused(ValueError, need.format("x_T"), "steps, large steps, sample", x=bad)
    refused(ValueError, need.format("eps_hat"), "step, large", eps=bad)
    refused(ValueError, need.format("noise"), "step, large", noise=bad)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda x, t: x * math.nan, ValueError, "^need finite values in eps_hat, got 6 of 6"),
        (lambda x, t: x[:1], ValueError, r"^need eps_hat shaped like x_t \(2, 3\), got \(1, 3\)$"),
        (lambda x, t: x.float(), TypeError, "^need eps_hat of the dtype of x_t torch.float64, got"),
        (lambda x, t: (x,), TypeError, "^need a torch tensor as eps_hat, got tuple$"),
    ],
    ids=["NaN", "shape", "dtype", "tuple"],
)
def test_models_that_answer_badly(model, error, message):
    with pytest.raises(error, match=message):
        sample(model, LINEAR, normal((2, 3)), 5)
    with pytest.raises(error, match=message):
        list(ddpm_large_steps(model, LINEAR, normal((2, 3)), [10, 5, 0], seeded()))
