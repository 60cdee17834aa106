"""What the solvers refuse, and in which words."""

import math

import pytest
import torch

from ddim_lib import encode, ode_solve
from tests.support.cases import EACH, LINEAR, normal


def no_call(x, t):
    raise AssertionError("the model was called before the input was checked")


@pytest.mark.parametrize(
    ("visited", "message"),
    [
        ([500, 500], r"^need 0 <= s < t <= 1000, got t=500, s=500$"),
        ([5, 10.5], r"^need 0 <= s < t <= 1000, got t=5, s=10.5$"),
        ([1000, 500, 700], r"^need 0 <= s < t <= 1000, got t=500, s=700$"),
        ([1001, 5], r"^need 0 <= s < t <= 1000, got t=1001, s=5$"),
        ([5, -0.5], r"^need 0 <= s < t <= 1000, got t=5, s=-0.5$"),
        ([math.nan, 0], r"^need 0 <= s < t <= 1000, got t=nan, s=0$"),
        ([1000], r"^need at least two times, got \[1000\]$"),
        ([], r"^need at least two times, got \[\]$"),
    ],
)
def test_times_out_of_order_or_range(visited, message):
    with pytest.raises(ValueError, match=message):
        ode_solve(no_call, LINEAR, normal((2, 3)), visited)


def with_nan():
    x = normal((2, 3))
    x[1, 1] = math.nan
    return x


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.ones(2, 3, dtype=torch.int64), TypeError, "in float32 or float64, got torch.int64$"),
        (torch.ones(2, 3).half(), TypeError, "in float32 or float64, got torch.float16$"),
        (with_nan(), ValueError, "^need finite values in {}, got 1 of 6 NaN or infinite$"),
        (torch.tensor(1.0), ValueError, r"^need {} of shape \(batch, \*dims\), got \(\)$"),
        ([1.0], TypeError, "^need a torch tensor as {}, got list$"),
    ],
    ids=["integer", "half", "NaN", "scalar", "list"],
)
def test_bad_starts(x, error, message):
    with pytest.raises(error, match=message.replace("{}", "x_T")):
        ode_solve(no_call, LINEAR, x, [1000, 0])
    with pytest.raises(error, match=message.replace("{}", "x_0")):
        encode(no_call, LINEAR, x, 10)


@pytest.mark.parametrize("steps", [0, 1001, 2.5, True], ids=repr)
def test_step_counts_out_of_range(steps):
    need = f"^need a whole number, 1 <= steps <= 1000, got steps={steps!r}$"
    with pytest.raises(ValueError, match=need):
        encode(no_call, LINEAR, normal((2, 3)), steps)


BAD_MODELS = pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (lambda x, t: x * math.nan, ValueError, "^need finite values in eps_hat, got 6 of 6"),
        (
            lambda x, t: x[:, :1],
            ValueError,
            r"^need eps_hat shaped like x_t \(2, 3\), got \(2, 1\)$",
        ),
        (lambda x, t: x.float(), TypeError, "^need eps_hat of the dtype of x_t torch.float64, got"),
        (lambda x, t: None, TypeError, "^need a torch tensor as eps_hat, got NoneType$"),
    ],
    ids=["NaN", "shape", "dtype", "None"],
)


@EACH
@BAD_MODELS
def test_models_that_answer_badly(solver, model, error, message):
    with pytest.raises(error, match=message):
        ode_solve(model, LINEAR, normal((2, 3)), [1000, 500, 10], solver)


@BAD_MODELS
def test_encoding_with_models_that_answer_badly(model, error, message):
    with pytest.raises(error, match=message):
        encode(model, LINEAR, normal((2, 3)), 5)
