"""The flow explorer in Python: its words, its still picture, what it refuses."""

import json

import pytest
import torch
from PIL import Image

from ddim_lib import GaussianMixture
from ddim_lib.data import moons, ring
from ddim_lib.widgets.flow import FlowExplorer, flow, rows
from tests.support.flow_walks import correlated
from tools.assets import LANDING, state

ONE = torch.ones(1, 1, 1).double()  # a mixture on the line


def test_repr_names_the_setting():
    explorer = flow("moons", eta=0.3, steps=50)
    assert repr(explorer) == "FlowExplorer(data='moons'; 50 steps, η = 0.30, uniform times)"
    explorer.sigma_hat, explorer.steps = True, 1
    assert repr(explorer) == "FlowExplorer(data='moons'; 1 step, σ̂, uniform times)"
    explorer.solver, explorer.exact_path = "rk4", True
    assert repr(explorer) == (
        "FlowExplorer(data='moons'; 1 step of rk4, exact paths, uniform times)"
    )


def test_still_is_the_setting():
    def draw(**setting):
        explorer = flow("ring", steps=5, **setting)
        explorer.points = 100
        return explorer

    assert draw().still() == draw().still()
    changes = {"eta": 1.0}, {"eta": "sigma-hat"}, {"seed": 1}, {"spacing": "quadratic"}
    solvers = (
        {"solver": "midpoint"},
        {"solver": "heun"},
        {"solver": "dpmpp2m"},
        {"solver": "rk4"},
        {"exact_path": True},
    )
    stills = [draw().still(), *(draw(**change).still() for change in (*changes, *solvers))]
    assert len(set(stills)) == len(stills)
    for solver in ("midpoint", "heun", "dpmpp2m", "rk4"):  # neither η nor σ̂ has a say
        assert draw(solver=solver).still() == draw(solver=solver, eta=1.0).still()
        assert draw(solver=solver).still() == draw(solver=solver, eta="sigma-hat").still()


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
    ("mixture", "error", "message"),
    [
        ("cat", ValueError, "need a mixture among DDIM, ring, .*, got 'cat'"),
        (ring()._replace(means=torch.empty(0, 2)), ValueError, "K >= 1"),
        (
            GaussianMixture(
                torch.ones(1, 1).double(), torch.ones(1, 1, 1).double(), torch.ones(1).double()
            ),
            ValueError,
            r"need means of shape \(K, 2\)",
        ),
        (torch.ones(5, 2), TypeError, r"need a mixture: .*, got Tensor of shape \(5, 2\)"),
        ([[0.0, 1.0]], TypeError, "need a mixture: means, covariances and weights, got list"),
    ],
)
def test_what_is_no_mixture(mixture, error, message):
    with pytest.raises(error, match=message):
        flow(mixture)


def test_sigma_hat_is_an_eta_by_name():
    explorer = flow(eta="sigma-hat")
    assert explorer.sigma_hat
    assert "σ̂" in repr(explorer)


def test_empty_data_is_refused():
    explorer = FlowExplorer(mixtures={"ring": rows(ring()), "empty": []}, data="empty")
    with pytest.raises(ValueError, match="need data among those with components"):
        explorer.still()


def test_landing_page_starts_from_the_library():
    stored = json.loads((LANDING / "flow.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(state()))
    with Image.open(LANDING / "flow.png") as picture:
        assert picture.size == (720, 405)
