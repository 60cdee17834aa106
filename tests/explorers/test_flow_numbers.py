"""The sampler that runs in the page is `ddim_lib`, number for number."""

import json

import numpy as np
import pytest
import torch

from ddim_lib import ddim_coefficients
from ddim_lib.checks import SIGMA_HAT
from ddim_lib.data import ring
from ddim_lib.metrics import sliced_w1
from ddim_lib.widgets.flow import SHAPES, FlowExplorer, flow, rows
from tests.support.flow_walks import (
    LINEAR,
    OWN,
    SPACINGS,
    correlated,
    named,
    page_walk,
    python_walk,
)
from tests.support.step_page import loaded


@pytest.fixture(scope="module")
def page(browser):
    with loaded(browser, FlowExplorer, "flow") as page:
        yield page


# --- the same numbers ---------------------------------------------------------------------------


def test_schedule(page):
    amplitudes = page.evaluate(
        "() => { const s = flow.linearSchedule(); return [[...s.alphaBar], [...s.betaBar]] }"
    )
    for ours, theirs in zip((LINEAR.alpha_bar, LINEAR.beta_bar), amplitudes, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-12, atol=0)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_times_are_the_same_lists(page, spacing):
    lists = page.evaluate(
        """(spacing) => { const s = flow.linearSchedule();
        const lists = Array.from({ length: 1000 }, (_, i) => flow.timesOf(s, i + 1, spacing));
        return JSON.stringify(lists) }""",
        spacing,
    )
    assert json.loads(lists) == [LINEAR.times(steps, spacing) for steps in range(1, 1001)]


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_coefficients(page, eta):
    moves = [(1000, 999), (1000, 0), (500, 250), (2, 1), (1, 0), (731, 3)]
    found = page.evaluate(
        """([moves, eta]) => { const schedule = flow.linearSchedule();
        return moves.map(([t, s]) => flow.coefficients(schedule, t, s, eta)) }""",
        [moves, eta],
    )
    for (t, s), theirs in zip(moves, found, strict=True):
        ours = ddim_coefficients(LINEAR, t, s, eta)
        expected = [ours.kappa, ours.lambda_, ours.sigma]
        np.testing.assert_allclose(list(theirs.values()), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0, SIGMA_HAT])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("steps", [1, 2, 20, 130])
def test_walk(page, steps, spacing, eta):
    draws = torch.randn(steps + 1, 90, 2, generator=torch.Generator().manual_seed(steps)).double()
    for name in [*SHAPES, *OWN] if steps == 20 else ["correlated"]:
        mixture = named(name)
        kept, found = page_walk(page, mixture, steps, spacing, eta, draws)
        expected = python_walk(mixture, LINEAR.times(steps, spacing), eta, draws)
        assert (kept[0], kept[-1]) == (0, steps)
        assert (found - expected[kept]).abs().max() <= 1e-5, name


def test_all_thousand_steps(page):
    draws = torch.randn(1001, 4, 2, generator=torch.Generator().manual_seed(0)).double()
    expected = python_walk(named("DDIM"), LINEAR.times(1000), 1.0, draws)
    _, found = page_walk(page, named("DDIM"), 1000, "uniform", 1.0, draws)
    assert (found[-1] - expected[-1]).abs().max() <= 1e-5


def test_distance_is_sliced_w1(page):
    a, b = (named("moons").sample(500, torch.Generator().manual_seed(i)) for i in (1, 2))
    measure = "([a, b, n]) => flow.distance(flow.shadows(a, n), flow.shadows(b))"
    whole = page.evaluate(measure, [a.flatten().tolist(), b.flatten().tolist(), 500])
    assert whole == pytest.approx(sliced_w1(a, b, directions=32), abs=1e-12)
    part = page.evaluate(measure, [a.flatten().tolist(), a.flatten().tolist(), 100])
    assert 0 < part < 0.2


def test_reference_follows_the_mixture(page):
    mixture = correlated()
    draw = "(mixture) => JSON.stringify([...flow.reference(mixture, 20000)])"
    drawn = torch.tensor(json.loads(page.evaluate(draw, rows(mixture)))).double().reshape(-1, 2)
    assert sliced_w1(drawn, mixture.sample(20000, torch.Generator().manual_seed(0))) < 0.03


# --- chance -------------------------------------------------------------------------------------

NORMALS = """([seed, points, count]) => {
  const noise = new flow.Noise(seed, points), z = new Float64Array(2 * points), all = [];
  for (let i = 0; i < count; i++) { noise.fill(0, points, z); all.push(...z) }
  return JSON.stringify(all);
}"""


def normals(page, *setting):
    return np.array(json.loads(page.evaluate(NORMALS, list(setting))))


def test_noise_is_standard_normal(page):
    z = normals(page, 0, 500, 100).reshape(100, 500, 2)
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - 1) < 0.01
    assert abs((z**4).mean() - 3) < 0.1
    assert abs((z[:, :, 0] * z[:, :, 1]).mean()) < 0.02
    assert abs((z[1:] * z[:-1]).mean()) < 0.02
    assert abs((z[:, 1:] * z[:, :-1]).mean()) < 0.02


def test_noise_depends_on_seed_and_point_alone(page):
    few, many = (normals(page, 7, n, 1) for n in (40, 500))
    assert (few == many[:80]).all()
    assert (few == normals(page, 7, 40, 1)).all()
    assert (few != normals(page, 8, 40, 1)).all()


# --- sentences ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"eta": 1.5}, "need 0 <= eta <= 1, got eta=1.5"),
        ({"steps": 0}, "need a whole number, 1 <= steps <= 1000, got steps=0"),
        ({"steps": 2.5}, "need a whole number, 1 <= steps <= 1000, got steps=2.5"),
        ({"seed": None}, "need a whole number, 0 <= seed <= 4294967295, got seed=null"),
        ({"spacing": "odd"}, "need spacing among uniform, quadratic, log-snr, got odd"),
        ({"solver": "euler"}, "need solver among ddim, midpoint, heun, dpmpp2m, rk4, got euler"),
        (
            {"solver": "toString"},
            "need solver among ddim, midpoint, heun, dpmpp2m, rk4, got toString",
        ),
        ({"exact_path": 1}, "need exact_path true or false, got 1"),
        ({"data": "cat"}, "need data among ring, got cat"),
        ({"mixtures": None}, "need data among no names at all, got ring"),
        ({"mixtures": {"ring": []}}, "need at least one component in ring, got none"),
        (
            {"mixtures": {"ring": [[1, 0, 0, 1, 2, 1]]}},
            "need positive weights and positive definite covariances, "
            "got a component 1,0,0,1,2,1 in ring",
        ),
    ],
)
def test_page_says_what_it_needs(page, change, sentence):
    names = "eta", "steps", "solver", "exact_path", "spacing", "data", "seed", "points"
    good = flow("ring").get_state(names)
    good["mixtures"] = {"ring": rows(ring())}
    assert page.evaluate("(s) => flow.complaint(s)", good) is None
    assert page.evaluate("(s) => flow.complaint(s)", {**good, **change}) == sentence
