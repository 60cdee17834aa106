"""The flow explorer in Python: its words, its still picture, what it refuses."""

import base64
import io
import json
from functools import partial

import pytest
import torch
import traitlets
from PIL import Image

from ddim_lib import GaussianMixture
from ddim_lib.data import moons, ring
from ddim_lib.widgets.flow import FlowExplorer, flow, rows
from tests.support.flow_walks import correlated
from tools.assets import LANDING, state


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
    stored = json.loads((LANDING / "flow.json").read_text(encoding="utf-8"))
    assert stored == json.loads(json.dumps(state()))
    with Image.open(LANDING / "flow.png") as picture:
        assert picture.size == (720, 405)
