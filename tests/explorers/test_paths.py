"""The paths explorer in Python: its words, its still picture, what it refuses."""

import base64
import io
import json

import ipywidgets
import pytest
from PIL import Image

from ddim_lib.widgets import PathsExplorer, paths


def test_repr_names_the_setting():
    words = "PathsExplorer(300 paths; 10 steps, η = 1.08, score spoilt)"
    assert repr(paths(1.4, 10, count=300, spoilt=True)) == words
    assert repr(paths(steps=1)) == "PathsExplorer(500 paths; 1 step, η = 0.00)"


def test_output_carries_a_picture_and_words():
    explorer = paths()
    forms, metadata = explorer._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} <= set(forms)
    with Image.open(io.BytesIO(base64.b64decode(forms["image/png"]))) as picture:
        assert picture.size == (720, 320)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20
    assert metadata["image/png"]["alt"] == explorer.alt != ""


def test_still_is_the_setting():
    assert paths(count=90).still() == paths(count=90).still()
    others = [{"eta": 0.5}, {"steps": 20}, {"start": -1.0}, {"seed": 1}, {"spoilt": True}]
    assert len({paths(**{"count": 90, **other}).still() for other in [{}, *others]}) == 6
    assert paths(eta=1.4, steps=10, count=90).still()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"eta": 1.5}, "need 0 <= eta <= 1.4, got eta=1.5"),
        ({"eta": float("nan")}, "need 0 <= eta <= 1.4, got eta=nan"),
        ({"steps": 0}, "need a whole number, 1 <= steps <= 1000, got steps=0"),
        ({"count": 1001}, "need a whole number, 1 <= count <= 1000, got count=1001"),
        ({"start": -4}, "need -3 <= start <= 3, got start=-4"),
        ({"seed": -1}, "need a whole number, 0 <= seed <= 4294967295, got seed=-1"),
    ],
)
def test_python_says_what_it_needs(call, message):
    with pytest.raises(ValueError, match=message):
        paths(**call)


def test_traits_are_those_of_any_widget():
    seen, explorer = [], paths()
    explorer.observe(lambda change: seen.append((change.name, change.new)), ["eta", "steps"])
    slider = ipywidgets.FloatSlider(min=0, max=1, value=0)
    ipywidgets.link((slider, "value"), (explorer, "eta"))
    slider.value = 0.25
    explorer.steps = 7
    assert seen == [("eta", 0.25), ("steps", 7)]
    link = ipywidgets.jslink((slider, "value"), (explorer, "eta"))
    assert link.target == (explorer, "eta")
    assert json.dumps(explorer.get_state(("eta", "steps", "start", "count", "seed", "spoilt")))


def test_one_module_without_imports():
    assert "import " not in "\n".join(
        row for row in PathsExplorer._esm.splitlines() if not row.lstrip().startswith("//")
    )
