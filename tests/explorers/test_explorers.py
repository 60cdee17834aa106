"""What all explorers promise in Python: a picture and words, traits as any widget's, one voice."""

import base64
import io
import json
import re

import ipywidgets
import numpy as np
import pytest
import traitlets
from PIL import Image

from ddim_lib.widgets import chain, explore, flow, paths, posterior
from ddim_lib.widgets.base import Explorer


def grid() -> Explorer:
    """A grid explorer of small pictures."""
    shade = np.linspace(0, 1, 600).reshape(20, 30)
    return explore(lambda eta, steps: shade ** (1 + eta), eta=[0, 1], steps=[1, 5, 20])


MAKERS = {"chain": chain, "flow": flow, "grid": grid, "paths": paths, "posterior": posterior}
EACH = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
SIZES = {"chain": (720, 310), "flow": (720, 405), "grid": (450, 300), "paths": (720, 320)}


@EACH
def test_an_output_carries_a_picture_and_words(make):
    explorer = make()
    forms, metadata = explorer._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/png"} <= set(forms)
    assert forms["text/plain"] == repr(explorer)
    with Image.open(io.BytesIO(base64.b64decode(forms["image/png"]))) as picture:
        assert picture.size == SIZES.get(make.__name__, (720, 320))
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 15
    assert metadata["image/png"] == {"alt": explorer.alt}
    assert len(explorer.alt) > 20


@EACH
def test_the_class_is_found_where_notebooks_say_that_it_is(make):
    kind = type(make())
    assert f"{kind.__module__}.{kind.__name__}" == (
        f"ddim_lib.widgets.{make.__name__}.{make.__name__.title()}Explorer"
    )
    assert make().get_state()["_anywidget_id"] == f"{kind.__module__}.{kind.__name__}"


@EACH
def test_traits_are_those_of_any_widget(make):
    seen, explorer, other = [], make(), make()
    explorer.observe(lambda change: seen.append((change.name, change.new)), ["eta", "steps"])
    slider = ipywidgets.FloatSlider(min=0, max=1, value=explorer.eta)
    ipywidgets.link((slider, "value"), (explorer, "eta"))
    traitlets.link((explorer, "eta"), (other, "eta"))
    slider.value = 0.25
    explorer.steps = 7
    assert seen == [("eta", 0.25), ("steps", 7)]
    assert other.eta == 0.25
    assert ipywidgets.jslink((slider, "value"), (explorer, "eta")).target == (explorer, "eta")
    assert json.dumps(explorer.get_state(("eta", "steps", "alt")))


ALL = [
    ("eta", -0.1, "need 0 <= eta <= 1, got eta=-0.1"),
    ("eta", float("nan"), "need 0 <= eta <= 1, got eta=nan"),
    ("eta", "0", "need 0 <= eta <= 1, got eta='0'"),
    ("eta", None, "need 0 <= eta <= 1, got eta=None"),
    ("eta", True, "need 0 <= eta <= 1, got eta=True"),
    ("steps", 0, "need a whole number, 1 <= steps <= 1000, got steps=0"),
    ("steps", 7.5, "need a whole number, 1 <= steps <= 1000, got steps=7.5"),
    ("steps", "7", "need a whole number, 1 <= steps <= 1000, got steps='7'"),
]
OWN = {
    "chain": [
        ("schedule", "odd", "need schedule among linear, cosine, sqrt, exp, got 'odd'"),
        ("t", 1001, "need a whole number, 1 <= t <= 1000, got t=1001"),
    ],
    "flow": [
        ("solver", "euler", "need solver among ddim, midpoint, heun, dpmpp2m, rk4, got 'euler'"),
        ("spacing", 3, "need spacing among uniform, quadratic, log-snr, got 3"),
        ("exact_path", "yes", "need exact_path True or False, got 'yes'"),
        ("sigma_hat", 1, "need sigma_hat True or False, got 1"),
        ("data", "cat", "need data among DDIM, ring, moons, spiral, grid, got 'cat'"),
        ("data", ["ring"], "need data among DDIM, ring, moons, spiral, grid, got ['ring']"),
        ("seed", -1, "need a whole number, 0 <= seed <= 4294967295, got seed=-1"),
        ("points", 0, "need a whole number, 1 <= points <= 100000, got points=0"),
    ],
    "grid": [],
    "paths": [
        ("count", 1001, "need a whole number, 1 <= count <= 1000, got count=1001"),
        ("start", -4, "need -3 <= start <= 3, got start=-4"),
        ("seed", 2**32, "need a whole number, 0 <= seed <= 4294967295, got seed=4294967296"),
        ("spoilt", None, "need spoilt True or False, got None"),
    ],
    "posterior": [
        ("t", 0, "need a whole number, 1 <= t <= 1000, got t=0"),
        ("x_0", 3.5, "need -3 <= x_0 <= 3, got x_0=3.5"),
        ("x_t", float("nan"), "need -3 <= x_t <= 3, got x_t=nan"),
    ],
}
OTHER_BOUNDS = {"paths": ("eta <= 1,", "eta <= 1.4,"), "grid": ("steps <= 1000", "steps <= 20")}
REFUSED = [
    (name, trait, value, words.replace(*OTHER_BOUNDS.get(name, ("", ""))))
    for name, own in OWN.items()
    for trait, value, words in [*ALL, *own]
]


@pytest.mark.parametrize(("name", "trait", "value", "words"), REFUSED)
def test_what_is_out_of_range_is_refused_in_one_voice(name, trait, value, words):
    """By the function, and by the trait set from Python, which then keeps what it had."""
    explorer = MAKERS[name]()
    before = getattr(explorer, trait)
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before
    if name != "grid" and trait not in ("points", "sigma_hat", "data"):
        with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
            MAKERS[name](**{trait: value})


@EACH
def test_whole_numbers_and_floats_of_other_libraries_will_do(make):
    explorer = make()
    explorer.eta, explorer.steps = np.float32(0.5), np.int64(5)
    assert (explorer.eta, explorer.steps) == (0.5, 5)
    assert type(explorer.eta) is float
    assert type(explorer.steps) is int
