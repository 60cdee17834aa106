"""The posterior explorer: Bayes' rule by another route, and what Python adds."""

import numpy as np
import pytest

from ddim_lib import Schedule, ddim_coefficients
from ddim_lib.widgets import PosteriorExplorer, posterior
from tests.support.step_page import MOVES, loaded

LINEAR = Schedule.linear()
BELIEFS = """([t, s, given]) => step.beliefs(step.scheduleOf("linear"), { t, s }, given)"""


@pytest.fixture(scope="module")
def module(browser):
    with loaded(browser, PosteriorExplorer, "step") as page:
        yield page


# --- the same numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("t", "s"), MOVES)
def test_posterior_is_the_librarys(module, t, s, eta):
    found = module.evaluate(BELIEFS, [t, s, {"x_0": 1.3, "x_t": -0.4, "eta": eta}])
    kappa, lambda_, sigma = ddim_coefficients(LINEAR, t, s, eta)
    expected = {"mean": -0.4 * kappa + 1.3 * lambda_, "sd": sigma}
    assert found["posterior"] == pytest.approx(expected, abs=1e-9)
    assert found["prior"]["mean"] == pytest.approx(1.3 * LINEAR.alpha_bar[s].item(), abs=1e-9)
    assert found["prior"]["sd"] == pytest.approx(LINEAR.beta_bar[s].item(), abs=1e-9)


@pytest.mark.parametrize(("t", "s"), [(1000, 999), (1000, 100), (500, 400), (300, 200), (2, 1)])
def test_bayes_by_quadrature(module, t, s):
    """Prior times likelihood, on a grid, from the forward process alone."""
    a_t, b_t, a_s, b_s = LINEAR.at(t, s)
    x_0, x_t = 1.3, 1.3 * a_t - 0.7 * b_t
    alpha = a_t / a_s
    x = a_s * x_0 + b_s * np.linspace(-12, 12, 200_001)
    log = -((x - a_s * x_0) ** 2) / (2 * b_s**2) - (x_t - alpha * x) ** 2 / (2 * (1 - alpha**2))
    share = np.exp(log - log.max())
    share /= share.sum()
    mean = (share * x).sum()
    sd = np.sqrt((share * (x - mean) ** 2).sum())
    found = module.evaluate(BELIEFS, [t, s, {"x_0": x_0, "x_t": x_t, "eta": 0.2}])
    assert found["bayes"] == pytest.approx({"mean": mean, "sd": sd}, abs=1e-7)
    centre = {"mean": x_t / alpha, "sd": (1 - alpha**2) ** 0.5 / alpha}
    assert found["likelihood"] == pytest.approx(centre, rel=1e-9)


# --- Python -------------------------------------------------------------------------------------


def test_repr_names_the_setting():
    words = "PosteriorExplorer(x_0=-1, x_t=0.5; t = 300 → s = 200 of 10 steps, η = 0.50)"
    assert repr(posterior(x_0=-1, eta=0.5)) == words


def test_still_is_the_setting():
    assert posterior().still() == posterior().still()
    others = [{"x_0": -1}, {"x_t": 2}, {"t": 500}, {"steps": 20}, {"eta": 0.0}, {"steps": 1}]
    assert len({posterior(**other).still() for other in [{}, *others]}) == 7
