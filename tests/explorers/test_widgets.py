"""The grid explorer, Python's side: what it stores, what it answers, what it refuses."""

import base64
import io
import re

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

from ddim_lib.widgets import GridExplorer, explore, progress
from ddim_lib.widgets.sheet import tile_of, to_grey, to_png

ETAS, STEPS = [0.0, 0.3, 1.0], [1, 5, 20, 100]
HALF_SHADE = 8  # of 255: 16 shades are 17 apart


def draw(eta: float, steps: int) -> np.ndarray:
    """Draw a ramp of (6, 10) that differs for every setting."""
    y, x = np.mgrid[0:6, 0:10]
    return 0.5 + 0.5 * np.sin(x * (1 + eta) + y * np.log(steps + 1))


class Sent(list):
    """What an explorer sends, in place of a browser."""

    def __init__(self, explorer: GridExplorer) -> None:
        explorer.send = lambda content, buffers=None: self.append((content, buffers))

    def ask(self, explorer: GridExplorer, content: dict) -> tuple[dict, list | None]:
        """Return the one answer to a message from the page."""
        self.clear()
        explorer._handle_custom_msg(content, [])
        (answer,) = self
        return answer


@pytest.fixture
def explorer() -> GridExplorer:
    return explore(draw, eta=ETAS, steps=STEPS, alt="ramps")


def test_every_stored_picture_is_what_draw_gave(explorer):
    for row, eta in enumerate(ETAS):
        for column, steps in enumerate(STEPS):
            stored = tile_of(explorer.sheet, row, column, explorer.tile)
            error = np.abs(stored - 255 * draw(eta, steps)).max()
            assert error <= HALF_SHADE + 0.5, (eta, steps)
            assert set(np.unique(stored)) <= set(range(0, 256, 17))


def test_the_first_picture_shown(explorer):
    assert (explorer.eta, explorer.steps) == (0.0, 20)
    chosen = explore(draw, ETAS, STEPS, start=(0.3, 5))
    assert (chosen.eta, chosen.steps) == (0.3, 5)


def test_the_state_is_the_same_each_time(explorer):
    again = explore(draw, eta=ETAS, steps=STEPS, alt="ramps")
    states = [{k: v for k, v in e.get_state().items() if k != "layout"} for e in (explorer, again)]
    assert states[0] == states[1]


@pytest.mark.parametrize(
    "picture",
    [
        np.full((2, 3), 0.4),
        np.full((2, 3), 0.4, np.float16),
        torch.full((2, 3), 0.4, requires_grad=True),
        np.full((2, 3), 102, np.uint8),
        torch.full((2, 3), 102, dtype=torch.uint8),
        Image.new("L", (3, 2), 102),
        Image.new("RGB", (3, 2), (102, 102, 102)),
    ],
)
def test_kinds_of_picture(picture):
    grey = to_grey(picture)
    assert grey.dtype == np.uint8
    assert grey.tolist() == [[102] * 3] * 2


@pytest.mark.parametrize(
    ("picture", "error", "words"),
    [
        (
            np.zeros((1, 2, 2)),
            ValueError,
            r"need a picture of shape (height, width), got (1, 2, 2)",
        ),
        (np.zeros((0, 2)), ValueError, "need a picture of shape (height, width), got (0, 2)"),
        (np.array([[0.0, np.nan]]), ValueError, "need finite values, got 1 of 2 NaN or infinite"),
        (np.array([[-1.0, 1.0]]), ValueError, "need values in [0, 1], got -1 … 1"),
        (np.array([[0, 255]]), TypeError, "need a picture of floats or uint8, got int64"),
    ],
)
def test_what_is_no_picture(picture, error, words):
    with pytest.raises(error, match=re.escape(words)) as raised:
        explore(lambda eta, steps: picture, eta=[0.5], steps=[7])
    assert raised.value.__notes__ == ["while drawing eta=0.5, steps=7"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"eta": []}, "need at least one value of eta, got none"),
        ({"steps": []}, "need at least one value of steps, got none"),
        ({"eta": [0.5, 0.1]}, "need eta rising, got [0.5, 0.1]"),
        ({"steps": [5, 5]}, "need steps rising, got [5.0, 5.0]"),
        ({"eta": [0, float("nan")]}, "need eta rising, got [0.0, nan]"),
        ({"eta": [-0.1, 1]}, "need eta >= 0, got -0.1"),
        ({"steps": [0, 5]}, "need steps >= 1, got 0"),
        ({"steps": [1, 2.5]}, "need whole numbers of steps, got [1.0, 2.5]"),
        (
            {"eta": [0, 1 + 1e-7], "start": (1, 5)},
            "need start among the stored settings, got (1, 5)",
        ),
        ({"start": (0.2, 5)}, "need start among the stored settings, got (0.2, 5)"),
    ],
)
def test_settings_that_make_no_grid(settings, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        explore(draw, **{"eta": ETAS, "steps": STEPS, **settings})


@pytest.mark.parametrize("eta", [0.5, "half", [None], np.float64(1)])
def test_what_is_no_list(eta):
    with pytest.raises(TypeError, match="need a list of numbers as eta, got "):
        explore(draw, eta=eta, steps=STEPS)


def test_pictures_of_two_shapes():
    words = "need pictures of one shape, got (1, 4) and, at eta=0, steps=5, (5, 4)"
    with pytest.raises(ValueError, match=re.escape(words)):
        explore(lambda eta, steps: np.zeros((steps, 4)), eta=ETAS, steps=STEPS)


def test_ping_pong(explorer):
    assert Sent(explorer).ask(explorer, {"type": "ping"}) == ({"type": "pong"}, None)


def test_a_setting_between_stored_ones_is_drawn(explorer):
    question = {"type": "draw", "eta": 0.47, "steps": 33}
    answer, (png,) = Sent(explorer).ask(explorer, question)
    assert answer == {"type": "picture", "eta": 0.47, "steps": 33}
    assert png == to_png(to_grey(draw(0.47, 33)))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda: np.full((6, 10), np.nan), "ValueError: need finite values, got 60 of 60"),
        (lambda: np.zeros((6, 9)), "ValueError: need the shape of the stored pictures [6, 10]"),
    ],
)
def test_an_error_while_drawing_is_told_to_the_page(bad, words):
    explorer = explore(
        lambda eta, steps: draw(eta, steps) if eta in ETAS else bad(), eta=ETAS, steps=STEPS
    )
    sent = Sent(explorer)
    answer, buffers = sent.ask(explorer, {"type": "draw", "eta": 0.5, "steps": 5})
    assert (answer["type"], answer["eta"], answer["steps"]) == ("error", 0.5, 5)
    assert answer["text"].startswith(words)
    assert buffers is None
    assert sent.ask(explorer, {"type": "draw", "eta": 0.3, "steps": 6})[0]["type"] == "picture"


def test_traits_are_those_of_any_widget(explorer):
    seen = []
    explorer.observe(lambda change: seen.append((change.name, change.new)), ["eta", "steps"])
    slider = ipywidgets.FloatSlider(min=0, max=1)
    ipywidgets.link((slider, "value"), (explorer, "eta"))
    slider.value = 0.9
    explorer.steps = 6
    assert seen == [("eta", 0.9), ("steps", 6)]
    ipywidgets.jslink((slider, "value"), (explorer, "eta"))
    assert np.array_equal(explorer.picture(), tile_of(explorer.sheet, 2, 1, explorer.tile))


def test_an_output_carries_a_picture_and_words(explorer):
    data, metadata = explorer._repr_mimebundle_()
    assert data["text/plain"] == "GridExplorer(eta=0, steps=20; 3×4 pictures stored)"
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id
    assert metadata["image/png"] == {"alt": "ramps"}
    still = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("L")
    assert still.size == (450, 270)
    assert np.array_equal(np.asarray(still)[::45, ::45], explorer.picture())


class Shell:
    """An IPython shell whose cell was run by a front end that does or does not offer input()."""

    def __init__(self, allow_stdin: bool) -> None:
        self.kernel, self.content = self, {"allow_stdin": allow_stdin}

    def get_parent(self, channel: str) -> dict:
        return {"content": self.content}


@pytest.mark.parametrize(("attended", "told"), [(True, 14), (False, 0)])
def test_progress_is_told_only_to_a_person(attended, told, monkeypatch, capsys):
    shown = []

    class Output:
        def update(self, text: object) -> None:
            shown.append(text.data)

    monkeypatch.setattr(progress, "get_ipython", lambda: Shell(attended))
    monkeypatch.setattr(progress, "display", lambda text, display_id: shown.append("") or Output())
    explore(draw, ETAS, STEPS)
    assert len(shown) == told
    assert shown[-1:] == ["12 of 12 pictures drawn"][:told]
    assert capsys.readouterr() == ("", "")
