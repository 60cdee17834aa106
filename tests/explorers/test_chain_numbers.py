"""The chain explorer's arithmetic in the page is `ddim_lib`'s."""

import numpy as np
import pytest

from ddim_lib import ddim_coefficients
from ddim_lib.widgets import ChainExplorer, chain
from ddim_lib.widgets.chain import SCHEDULES
from tests.support.step_page import MOVES, loaded


@pytest.fixture(scope="module")
def module(browser):
    with loaded(browser, ChainExplorer, "step") as page:
        yield page


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(module, name):
    found = module.evaluate(
        "(name) => { const s = step.scheduleOf(name); return [[...s.alphaBar], [...s.betaBar]] }",
        name,
    )
    schedule = SCHEDULES[name]()
    for ours, theirs in zip((schedule.alpha_bar, schedule.beta_bar), found, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-9, atol=0)


def test_the_approximations_are_those_meant():
    """Anchors from direct sums: neither the page nor the library had a hand in them."""
    power = np.cumprod(1 - 0.02 * np.arange(1, 1001) / 1000)
    sqrt, exp = (SCHEDULES[name]().alpha_bar for name in ("sqrt", "exp"))
    assert sqrt[1000].item() == pytest.approx(power[-1] ** 0.5, rel=1e-12)
    assert sqrt[1000].item() == pytest.approx(0.00648, abs=5e-6)
    assert exp[500].item() == pytest.approx(np.exp(-1.25), rel=1e-14)
    linear = SCHEDULES["linear"]().alpha_bar
    assert (exp / linear - 1)[[500, 1000]].tolist() == pytest.approx([0.022, 0.061], abs=1e-3)


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", SCHEDULES)
def test_steps(module, name, eta):
    found = module.evaluate(
        """([name, moves, eta]) => { const schedule = step.scheduleOf(name);
        return moves.map(([t, s]) => step.stepOf(schedule, t, s, eta)) }""",
        [name, MOVES, eta],
    )
    schedule = SCHEDULES[name]()
    for (t, s), theirs in zip(MOVES, found, strict=True):
        kappa, lambda_, sigma = ddim_coefficients(schedule, t, s, eta)
        a_t, b_t, a_s, b_s = schedule.at(t, s)
        alpha, beta = a_t / a_s, (1 - (a_t / a_s) ** 2) ** 0.5
        ours = {"alpha": alpha, "beta": beta, "kappa": kappa, "lambda": lambda_, "sigma": sigma}
        if s:  # from the joint distribution, where Cov(x_s, x_t | x_0) = β̄_t √(β̄_s² − σ²)
            ours["correlation"] = b_t * (b_s**2 - sigma**2) ** 0.5 / (b_s * b_t)
        assert {k: v for k, v in theirs.items() if v is not None} == pytest.approx(ours, abs=1e-9)


def test_correlation_of_neighbours_at_both_ends(module):
    for eta, expected in ((0.0, 1.0), (1.0, None)):
        schedule = SCHEDULES["linear"]()
        a_t, b_t, a_s, b_s = schedule.at(500, 400)
        expected = expected or (a_t / a_s) * b_s / b_t
        measure = "(eta) => step.stepOf(step.scheduleOf('linear'), 500, 400, eta).correlation"
        assert module.evaluate(measure, eta) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 3, 7, 10, 600, 1000])
def test_the_piece_that_contains_t(module, steps):
    times = [1, 2, 143, 300, 500, 501, 999, 1000]
    find = """([steps, times]) => { const schedule = step.scheduleOf("linear");
      return times.map((time) => {
        const { t, s } = step.pieceOf(schedule, steps, time);
        return [t, s];
      }) }"""
    found = module.evaluate(find, [steps, times])
    for t, (upper, lower) in zip(times, found, strict=True):
        assert lower < t <= upper
        assert tuple(chain(steps=steps, t=t).piece()) == (upper, lower)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (1, "1"), (0.59, "0.59"), (-0.5, "−0.50"), (0.0842, "0.084"), (0.99995, "0.99995"),
     (0.998, "0.998"), (1.2345, "1.23"), (0.00031, "0.00031"), (-0.0042, "−0.0042")],
)  # fmt: skip
def test_numbers_in_words(module, value, words):
    assert module.evaluate("(v) => step.short(v)", value) == words
