"""The solvers that run in the page are `ddim_lib`'s; its exact paths end where SciPy's do."""

import json

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from ddim_lib import GaussianMixture, ode, ode_solve, ode_steps
from ddim_lib.widgets.flow import SHAPES, FlowExplorer, rows
from tests.support.flow_walks import LINEAR, OWN, SPACINGS, named
from tests.support.step_page import loaded

SOLVERS = {
    "ddim": ode.ddim,
    "midpoint": ode.midpoint,
    "heun": ode.heun,
    "dpmpp2m": ode.dpmpp2m,
    "rk4": ode.rk4,
}
RIDE = """(json) => {
  const { mixture, steps, spacing, solver, start } = JSON.parse(json), points = start.length / 2;
  const schedule = flow.linearSchedule();
  const noise = { fill: (from, n, out) => out.set(start.slice(2 * from, 2 * (from + n))) };
  const cloud = () => {
    if (!solver) return new flow.ExactPaths({ mixture, schedule, points, noise });
    const plan = flow.solverPlan(mixture, schedule, flow.timesOf(schedule, steps, spacing), solver);
    return new flow.Ride({ plan, points, noise });
  };
  const ride = cloud();
  while (ride.done < points) ride.advance();
  const moments = Array.from({ length: 1001 }, (_, t) => ride.momentAt?.(t));
  return JSON.stringify({ kept: ride.kept, moments, paths: ride.paths.map((x) => Array.from(x)) });
}"""


@pytest.fixture(scope="module")
def page(browser):
    with loaded(browser, FlowExplorer, "flow") as page:
        yield page


def page_ride(page, mixture, start, solver=None, steps=0, spacing="uniform"):
    """Moments kept, where whole times lie among them, and positions, (moments, n, 2)."""
    setting = {"mixture": rows(mixture), "start": start.flatten().tolist(), "solver": solver}
    ride = json.loads(
        page.evaluate(RIDE, json.dumps({**setting, "steps": steps, "spacing": spacing}))
    )
    paths = torch.tensor(ride["paths"], dtype=torch.float64).unflatten(1, (-1, 2))
    return ride["kept"], ride["moments"], paths


def python_ride(mixture, start, times, step):
    steps = ode_steps(mixture.model(LINEAR), LINEAR, start, times, step)
    return torch.stack([start, *(step.x for step in steps)])


def normal(points, seed=0):
    return torch.randn(points, 2, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("steps", [1, 2, 3, 20, 130])
def test_solvers(page, steps, spacing, solver):
    start = normal(50, steps)
    for name in [*SHAPES, *OWN] if steps == 20 else ["correlated"]:
        kept, _, found = page_ride(page, named(name), start, solver, steps, spacing)
        expected = python_ride(named(name), start, LINEAR.times(steps, spacing), SOLVERS[solver])
        assert (kept[0], kept[-1]) == (0, steps)
        assert (found - expected[kept]).abs().max() <= 1e-5, name


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_calls_are_counted(page, solver, steps):
    asked = []

    def model(x, t):
        asked.append(t)
        return 0 * x

    ode_solve(model, LINEAR, normal(1), LINEAR.times(steps), SOLVERS[solver])
    assert page.evaluate("([s, n]) => flow.callsOf(s, n)", [solver, steps]) == len(asked)


def true_ends(mixture, start):
    """Where dy/dρ = −ρ ∇ log p(y; ρ) leads, by SciPy, knowing nothing of schedules or of t."""

    means, weights = mixture.means.numpy(), mixture.weights.numpy()
    (xx, xy), (_, yy) = mixture.covariances.permute(1, 2, 0).numpy()

    def slope(rho, y):
        x, y = (y.reshape(-1, 1, 2) - means).transpose(2, 0, 1)
        wide, high = xx + rho**2, yy + rho**2
        det = wide * high - xy**2
        pull = np.stack([high * x - xy * y, wide * y - xy * x]) / det
        log_p = np.log(weights / np.sqrt(det)) - (pull[0] * x + pull[1] * y) / 2
        share = np.exp(log_p - log_p.max(1, keepdims=True))
        share /= share.sum(1, keepdims=True)
        return (rho * (share * pull).sum(2)).T.ravel()

    y = (start / LINEAR.alpha_bar[-1]).flatten().numpy()
    tight = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-10}
    ends = solve_ivp(slope, (LINEAR.noise_level[-1].item(), 0), y, t_eval=[0], **tight)
    return torch.tensor(ends.y).view(-1, 2)


@pytest.mark.parametrize("name", [*SHAPES, *OWN])
def test_exact_paths_end_where_the_equation_leads(page, name):
    mixture, start = named(name), normal(40)
    _, _, found = page_ride(page, mixture, start)
    gaps = (found[-1] - true_ends(mixture, start)).norm(dim=1)
    print(name, gaps.median(), gaps.max())
    assert gaps.median() <= 1e-5
    assert gaps.quantile(0.95) <= 1e-3  # next to a fork, a small error grows


def test_exact_paths_of_one_gaussian_at_every_time(page):
    """y = μ + C √(c² + ρ²): known at every ρ, not at the end alone."""
    one, mean, width = torch.eye(2, dtype=torch.float64), torch.tensor([0.8, -0.3]).double(), 0.3
    start = normal(30)
    mixture = GaussianMixture(mean[None], (width**2 * one)[None], torch.ones(1).double())
    _, moments, found = page_ride(page, mixture, start)
    a, rho = LINEAR.alpha_bar[:, None, None], LINEAR.noise_level[:, None, None]
    rank = (start / a[-1] - mean) / (width**2 + rho[-1] ** 2).sqrt()
    true = a * (mean + rank * (width**2 + rho**2).sqrt())
    moments = torch.tensor(moments).double()
    low = moments.long().clamp(max=len(found) - 2)
    shown = torch.lerp(found[low], found[low + 1], (moments - low)[:, None, None])
    assert (shown[0] - true[0]).abs().max() < 1e-6
    assert (shown - true).abs().max() < 2e-3  # straight between the moments kept


@pytest.mark.parametrize("points", [1, 2, 7, 40])
def test_gap_is_the_median_of_distances(page, points):
    a, b = normal(points, 1), normal(points, 2)
    found = page.evaluate(
        """([a, b, n]) => flow.medianGap({ paths: [a], done: n }, { paths: [b], done: n + 1 })""",
        [a.flatten().tolist(), b.flatten().tolist(), points],
    )
    assert found == pytest.approx(np.median((a - b).norm(dim=1).numpy()), abs=1e-12)
