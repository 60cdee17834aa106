"""The paths explorer's walks are `ddim_lib`'s on the same noise; its words are true."""

from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
import torch

from ddim_lib import ddim_coefficients
from ddim_lib.widgets import PathsExplorer, paths
from ddim_lib.widgets.paths import most_eta
from tests.support.paths_page import (
    HEAPS,
    LINEAR,
    exact_quantiles,
    library_walk,
    page_walks,
    settled,
)
from tests.support.step_page import line, loaded, opened


@pytest.fixture(scope="module")
def module(browser):
    with loaded(browser, PathsExplorer, "lib") as page:
        yield page


# --- the same numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("spoilt", [False, True])
@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0, "most"])
@pytest.mark.parametrize("steps", [1, 2, 7, 20, 130, 1000])
def test_walks_are_the_librarys(module, steps, eta, spoilt):
    eta = most_eta(steps) if eta == "most" else eta
    start, row, walk = page_walks(module, steps, eta, spoilt)
    expected = library_walk(start, row, steps, eta, spoilt)
    assert walk.shape == (6, steps + 1)
    assert (walk - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("t", [0, 1, 50, 400, 1000])
def test_density_and_score(module, t):
    x = torch.linspace(-3, 3, 25, dtype=torch.float64)
    found = module.evaluate(
        """([xs, t]) => { const s = lib.linearSchedule();
        return xs.map((x) => [lib.densityAt(s, x, t), lib.scoreAt(s, x, t)]) }""",
        [x.tolist(), t],
    )
    expected = HEAPS.log_prob(LINEAR, x[:, None], t).exp(), HEAPS.score(LINEAR, x[:, None], t)[:, 0]
    np.testing.assert_allclose(np.array(found).T, torch.stack(expected), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 50, 200, 600, 999, 1000])
def test_the_most_eta_is_the_familys(module, steps):
    most = most_eta(steps)
    found = module.evaluate("(steps) => lib.mostEta(lib.linearSchedule(), steps)", steps)
    assert found == pytest.approx(most, rel=1e-9)
    assert 1 < most <= 1.4
    moves = list(pairwise(LINEAR.times(steps)))
    for t, s in moves:
        ddim_coefficients(LINEAR, t, s, most)
    if most < 1.4:
        with pytest.raises(ValueError, match="need sigma"):
            [ddim_coefficients(LINEAR, t, s, most * (1 + 1e-6)) for t, s in moves]
    else:
        assert steps in (1, 600)


def test_kicks_are_standard_normal_and_independent(module):
    start, row, _ = page_walks(module, 1, 0.0, count=300)
    kicks = row.diff(dim=1)
    assert (row[:, 0] == 0).all()
    assert abs(start.mean()) < 0.2
    assert abs(start.std() - 1) < 0.15
    assert abs(kicks.mean()) < 0.01
    assert abs(kicks.std() - 1) < 0.01
    assert abs(kicks.pow(4).mean() - 3) < 0.1
    for far in (1, 2, 3):
        assert abs((kicks[:, far:] * kicks[:, :-far]).mean()) < 0.01
    assert abs((kicks[1:] * kicks[:-1]).mean()) < 0.01
    assert abs(row[:, -1].var() / 1000 - 1) < 0.3  # w at the end


def test_a_path_is_the_same_one_at_more_steps(module):
    """Strong convergence: the Wiener process belongs to the path, not to its steps."""
    ends = [page_walks(module, S, 1.0, count=60) for S in (1000, 500, 250, 50)]
    fine, *coarse = [walk[:, -1] for _, _, walk in ends]
    gaps = [(fine - end).abs().median().item() for end in coarse]
    assert gaps[0] < gaps[1] < gaps[2] < 0.2
    assert gaps[0] < 0.02
    assert (fine - fine.roll(1)).abs().median() > 0.2


def test_distance_is_the_gap_to_the_datas_quantiles(module):
    quantiles = exact_quantiles(200)
    found = module.evaluate(
        "(n) => Array.from({ length: n }, (_, i) => lib.quantile((i + 0.5) / n))", 200
    )
    np.testing.assert_allclose(found, quantiles, atol=1e-4)
    ends = HEAPS.sample(200, torch.Generator().manual_seed(0))[:, 0] + 0.1
    expected = np.abs(np.sort(ends) - quantiles).mean()
    assert module.evaluate("(x) => lib.apart(x)", ends.tolist()) == pytest.approx(
        expected, abs=1e-4
    )


@pytest.mark.parametrize("count", [1, 30, 500])
def test_the_floor_is_that_of_fresh_draws(module, count):
    draws = [HEAPS.sample(count, torch.Generator().manual_seed(k))[:, 0] for k in range(300)]
    quantiles = exact_quantiles(count)
    gaps = torch.tensor([np.abs(np.sort(d) - quantiles).mean() for d in draws])
    spread = gaps.std() / sqrt(40)
    found = module.evaluate("(n) => lib.floorOf(n)", count)
    assert abs(found - gaps.mean()) < 4 * spread + 1e-6


# --- the words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("eta", "steps"), [(0.0, 50), (1.0, 8), (1.4, 10)])
def test_the_line_tells_what_the_paths_did(browser, site, module, eta, steps):
    used = min(eta, most_eta(steps))
    start, row, _ = page_walks(module, steps, used, seed=3, count=60)
    ends = library_walk(start, row, steps, used)[:, -1]
    gap = np.abs(np.sort(ends) - exact_quantiles(60)).mean()
    with opened(browser, site, paths(eta, steps, count=60, seed=3)) as page:
        settled(page)
        words, dose, distance, sides = line(page).split(" · ")
        floor = module.evaluate("(n) => lib.floorOf(n)", 60)
        assert words == f"{steps} steps"
        assert dose == f"η = {used:.2f}" + (" (the most)" if used < eta else "")
        assert distance == f"W1 to the data {gap:.3f} (fresh draws {floor:.3f})"
        assert sides == f"{100 * (start * ends < 0).double().mean():.0f} % change sides"
        assert (sides == "0 % change sides") == (eta == 0)


def test_the_path_drawn_thick_starts_where_it_is_told(browser, site):
    with opened(browser, site, paths(start=-0.05)) as page:
        settled(page)
        label = "document.querySelector('canvas').getAttribute('aria-label')"
        left = page.evaluate(label)
        assert "yours from −0.05 to −" in left
        page.get_by_label("x_T, where your path").press("PageUp")
        settled(page)
        assert "yours from 0.45 to " in page.evaluate(label)
        assert "to −" not in page.evaluate(label)
