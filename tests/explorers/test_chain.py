"""The chain explorer in Python: its words, its still picture, what it refuses."""

import base64
import io
import json

import ipywidgets
import pytest
import traitlets
from PIL import Image

from ddim_lib.widgets import ChainExplorer, chain


def test_repr_names_the_setting():
    words = "ChainExplorer(schedule='cosine'; t = 400 → s = 300 of 10 steps, η = 0.25)"
    assert repr(chain("cosine", t=345, eta=0.25)) == words


def test_output_carries_a_picture_and_words():
    explorer = chain()
    forms, metadata = explorer._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} <= set(forms)
    with Image.open(io.BytesIO(base64.b64decode(forms["image/png"]))) as picture:
        assert picture.size == (720, 310)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20
    assert metadata["image/png"]["alt"] == explorer.alt != ""


def test_still_is_the_setting():
    assert chain().still() == chain().still()
    others = [chain("cosine"), chain(steps=5), chain(t=200), chain(eta=0.0), chain(steps=1, t=9)]
    assert len({explorer.still() for explorer in [chain(), *others]}) == 6


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"eta": 1.5}, ValueError, "need 0 <= eta <= 1, got eta=1.5"),
        ({"eta": float("nan")}, ValueError, "need 0 <= eta <= 1, got eta=nan"),
        ({"steps": 0}, ValueError, "need a whole number, 1 <= steps <= 1000, got steps=0"),
        ({"t": 1001}, ValueError, "need a whole number, 1 <= t <= 1000, got t=1001"),
        ({"schedule": "odd"}, traitlets.TraitError, "odd"),
    ],
)
def test_python_says_what_it_needs(call, error, message):
    with pytest.raises(error, match=message):
        chain(**call)


def test_traits_are_those_of_any_widget():
    seen, explorer = [], chain()
    explorer.observe(lambda change: seen.append((change.name, change.new)), ["eta", "t"])
    slider = ipywidgets.FloatSlider(min=0, max=1, value=1)
    ipywidgets.link((slider, "value"), (explorer, "eta"))
    slider.value = 0.25
    explorer.t = 7
    assert seen == [("eta", 0.25), ("t", 7)]
    link = ipywidgets.jslink((slider, "value"), (explorer, "eta"))
    assert link.target == (explorer, "eta")
    assert json.dumps(explorer.get_state(("schedule", "steps", "t", "eta")))


def test_one_module_without_imports():
    assert "import " not in "\n".join(
        row for row in ChainExplorer._esm.splitlines() if not row.lstrip().startswith("//")
    )
