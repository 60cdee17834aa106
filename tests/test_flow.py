"""The sampler that runs in the page is `ddim_lib`, number for number; and what Python adds."""

import base64
import io
import json
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image
from scipy.integrate import solve_ivp

from ddim_lib import (
    GaussianMixture,
    Schedule,
    ddim_coefficients,
    ddim_step,
    ddpm_large_step,
    ode,
    ode_solve,
)
from ddim_lib.data import moons, ring
from ddim_lib.metrics import sliced_w1
from ddim_lib.widgets.flow import SHAPES, FlowExplorer, flow, rows
from tests.browser import chromium
from tools.make_landing import FOLDER, state

SPACINGS = ("uniform", "quadratic", "log-snr")
SIGMA_HAT = "σ̂"
LINEAR = Schedule.linear()

# fill() hands out the given numbers, step after step; each point has its own.
WALK = """(json) => {
  const { mixture, steps, spacing, eta, draws } = JSON.parse(json);
  const schedule = flow.linearSchedule(), times = flow.timesOf(schedule, steps, spacing);
  const points = draws[0].length / 2, taken = new Array(points).fill(0);
  const noise = { fill(first, count, out) {
    for (let i = 0; i < count; i++) {
      const from = draws[taken[first + i]++];
      out[2 * i] = from[2 * (first + i)];
      out[2 * i + 1] = from[2 * (first + i) + 1];
    }
  } };
  const sigmaHat = eta === null;
  const plan = flow.planOf(mixture, schedule, times);
  const walk = new flow.Walk({ plan, eta: eta ?? 0, sigmaHat, points, noise });
  while (walk.done < points) walk.advance();
  return JSON.stringify({ kept: walk.kept, paths: walk.paths.map((x) => Array.from(x)) });
}"""


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        page = browser.new_page()
        load = """async (source) => {
          const blob = new Blob([source], { type: "text/javascript" });
          window.flow = await import(URL.createObjectURL(blob));
        }"""
        page.evaluate(load, FlowExplorer._esm)
        yield page


def correlated(seed=3, components=6):
    """A mixture whose covariances point in all directions."""
    generator = torch.Generator().manual_seed(seed)
    means = torch.randn(components, 2, generator=generator, dtype=torch.float64)
    roots = 0.4 * torch.randn(components, 2, 2, generator=generator, dtype=torch.float64)
    weights = torch.rand(components, generator=generator, dtype=torch.float64) + 0.1
    covariances = roots @ roots.mT + 0.01 * torch.eye(2, dtype=torch.float64)
    return GaussianMixture(means, covariances, weights)


def needle():
    """Next to its narrow component, the wide one weighs less than 1e-7 wherever it stands."""
    means = torch.tensor([[0.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    covariances = torch.eye(2, dtype=torch.float64) * torch.tensor([1e-6, 1.0])[:, None, None]
    return GaussianMixture(means, covariances.double(), torch.tensor([0.5, 0.5]).double())


OWN = {"correlated": correlated, "needle": needle}


def named(name):
    return OWN[name]() if name in OWN else GaussianMixture(*SHAPES[name]())


def page_walk(page, mixture, steps, spacing, eta, draws):
    """The moments kept, and the positions then, (moments, n, 2)."""
    setting = {"mixture": rows(mixture), "steps": steps, "spacing": spacing, "eta": eta}
    setting["draws"] = draws.flatten(1).tolist()
    walk = json.loads(page.evaluate(WALK, json.dumps(setting)))  # many times faster as one string
    return walk["kept"], torch.tensor(walk["paths"], dtype=torch.float64).unflatten(1, (-1, 2))


def python_walk(mixture, times, eta, draws):
    """All positions, (S+1, n, 2), by the library's own step."""
    x, positions = draws[0], [draws[0]]
    for (t, s), noise in zip(pairwise(times), draws[1:], strict=True):
        eps_hat = mixture.eps(LINEAR, x, t)
        if eta is None:
            x = ddpm_large_step(LINEAR, x, eps_hat, t, s, noise)
        else:
            x = ddim_step(LINEAR, x, eps_hat, t, s, eta, noise)
        positions.append(x)
    return torch.stack(positions)


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


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0, None], ids=lambda e: SIGMA_HAT if e is None else e)
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


# --- the equation of η = 0 ----------------------------------------------------------------------

SOLVERS = {"ddim": ode.ddim, "heun": ode.heun, "dpmpp2m": ode.dpmpp2m, "rk4": ode.rk4}

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


def page_ride(page, mixture, start, solver=None, steps=0, spacing="uniform"):
    """Moments kept, where whole times lie among them, and positions, (moments, n, 2)."""
    setting = {"mixture": rows(mixture), "start": start.flatten().tolist(), "solver": solver}
    ride = json.loads(
        page.evaluate(RIDE, json.dumps({**setting, "steps": steps, "spacing": spacing}))
    )
    paths = torch.tensor(ride["paths"], dtype=torch.float64).unflatten(1, (-1, 2))
    return ride["kept"], ride["moments"], paths


def python_ride(mixture, start, times, step):
    positions, carry = [start], None
    for t, s in pairwise(times):
        x, carry = step(partial(mixture.eps, LINEAR), LINEAR, positions[-1], t, s, carry)
        positions.append(x)
    return torch.stack(positions)


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
        ({"spacing": "odd"}, "need spacing uniform, quadratic or log-snr, got odd"),
        ({"solver": "euler"}, "need solver among ddim, heun, dpmpp2m, rk4, got euler"),
        ({"solver": "toString"}, "need solver among ddim, heun, dpmpp2m, rk4, got toString"),
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


# --- Python -------------------------------------------------------------------------------------


def test_repr_names_the_setting():
    explorer = flow("moons", eta=0.3, steps=50)
    assert repr(explorer) == "FlowExplorer(data='moons'; 50 steps, η = 0.30, uniform times)"
    explorer.sigma_hat, explorer.steps = True, 1
    assert repr(explorer) == "FlowExplorer(data='moons'; 1 step, σ̂, uniform times)"
    explorer.solver, explorer.exact_path = "rk4", True
    assert repr(explorer) == (
        "FlowExplorer(data='moons'; 1 step of rk4, exact paths, uniform times)"
    )


def test_output_carries_a_picture_and_words():
    explorer = flow("ring", steps=5)
    forms, metadata = explorer._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} <= set(forms)
    with Image.open(io.BytesIO(base64.b64decode(forms["image/png"]))) as picture:
        assert picture.size == (720, 405)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20
    words = "1000 points flow from noise to the data set ring"
    assert metadata["image/png"]["alt"] == explorer.alt == words


def test_still_is_the_setting():
    draw = partial(flow, "ring", steps=5, points=100)
    assert draw().still() == draw().still()
    changes = {"eta": 1.0}, {"sigma_hat": True}, {"seed": 1}, {"spacing": "quadratic"}
    solvers = {"solver": "heun"}, {"solver": "dpmpp2m"}, {"solver": "rk4"}, {"exact_path": True}
    stills = [draw().still(), *(draw(**change).still() for change in (*changes, *solvers))]
    assert len(set(stills)) == len(stills)
    for solver in ("heun", "dpmpp2m", "rk4"):  # neither η nor σ̂ has a say
        assert draw(solver=solver).still() == draw(solver=solver, eta=1.0).still()
        assert draw(solver=solver).still() == draw(solver=solver, sigma_hat=True).still()


def test_own_mixture_comes_first():
    mixture = correlated()
    explorer = flow(mixture, steps=5)
    assert explorer.data == next(iter(explorer.mixtures)) == "yours"
    shown = explorer.mixture()
    for name in ("means", "covariances", "weights"):
        ours, theirs = getattr(shown, name), getattr(mixture, name)
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=0)
    assert flow(moons()).mixtures["yours"] == explorer.mixtures["moons"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"eta": 1.5}, ValueError, "need 0 <= eta <= 1, got eta=1.5"),
        ({"eta": float("nan")}, ValueError, "need 0 <= eta <= 1, got eta=nan"),
        ({"steps": 0}, ValueError, "1 <= steps <= 1000, got steps=0"),
        ({"seed": -1}, ValueError, "0 <= seed <= 4294967295, got seed=-1"),
        ({"points": 0}, ValueError, "1 <= points <= 100000, got points=0"),
        ({"spacing": "odd"}, traitlets.TraitError, "odd"),
        ({"solver": "euler"}, traitlets.TraitError, "'ddim', 'heun', 'dpmpp2m', 'rk4'.*'euler'"),
        ({"exact_path": "yes"}, traitlets.TraitError, "boolean.*yes"),
        ({"step": 5}, TypeError, "need names among sigma_hat, seed, points, got step"),
        ({"mixture": "cat"}, ValueError, "need a mixture among DDIM, ring, .*, got 'cat'"),
        ({"mixture": ring()._replace(means=torch.empty(0, 2))}, ValueError, "K >= 1"),
        ({"mixture": GaussianMixture(*[torch.ones(1, 1).double()] * 1, torch.ones(1, 1, 1).double(),
          torch.ones(1).double())}, ValueError, r"need means of shape \(K, 2\)"),
    ],
)  # fmt: skip
def test_python_says_what_it_needs(call, error, message):
    with pytest.raises(error, match=message):
        flow(**call)


def test_empty_data_is_refused():
    explorer = FlowExplorer(mixtures={"ring": rows(ring()), "empty": []}, data="empty")
    with pytest.raises(ValueError, match="need data among those with components"):
        explorer.still()


def test_traits_link():
    one, other = flow(), flow("ring")
    traitlets.link((one, "eta"), (other, "eta"))
    one.eta = 0.25
    assert other.eta == 0.25


def test_landing_page_starts_from_the_library():
    stored = json.loads((FOLDER / "flow.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(state()))
    with Image.open(FOLDER / "flow.png") as picture:
        assert picture.size == (720, 405)
