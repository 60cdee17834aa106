"""Which digits an explorer shows: what is said to the page is what the book has stored."""

import json
import re

import numpy as np
import pytest
import torch

from ddim_lib import Schedule, plots
from ddim_lib.ddim import ddim_steps
from ddim_lib.nets import load_denoiser
from ddim_lib.widgets import Digits, explore
from ddim_lib.widgets.digits import network_files
from ddim_lib.widgets.parts import PAGE, script
from ddim_lib.widgets.sheet import SHADE, tile_of
from tests.book.test_stored_tiles import CHAPTERS, stored
from tests.explorers.test_page_modules import declared
from tests.support.cases import seeded

WITH_DIGITS = [
    pytest.param(state, id=path.stem)
    for path in sorted(CHAPTERS.glob("*.ipynb"))
    for state in stored(json.loads(path.read_text(encoding="utf-8")))
    if state.get("digits")
]
FEWEST = 5  # steps at most of what is drawn again


def picture(digits: dict, eta: float, steps: int) -> np.ndarray:
    """Draw from what the page is told alone."""
    network, schedule = load_denoiser("digits"), Schedule.linear()
    x_T = torch.randn(digits["count"], 1, 28, 28, generator=seeded(digits["seed"]))
    rows = []
    for spacing in digits["spacings"]:
        times, draws = schedule.times(steps, spacing), seeded(digits["draws"])
        rows.append([*ddim_steps(network, schedule, x_T, times, eta, draws)][-1].x)
    return plots.sheet(torch.cat(rows), digits["columns"])


def test_the_book_has_digits_for_the_page():
    assert len(WITH_DIGITS) >= 2


@pytest.mark.parametrize("state", WITH_DIGITS)
def test_what_the_page_is_told_gives_the_stored_pictures(state):
    steps = state["step_counts"][0]
    assert steps <= FEWEST
    for eta in (state["etas"][0], state["etas"][-1]):
        tile = tile_of(state["sheet"], state["etas"].index(eta), 0, state["tile"])
        drawn = 255 * picture(state["digits"], eta, steps)
        assert np.abs(tile - drawn).max() <= SHADE / 2 + 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"count": 12}, "need whole rows of 8 digits, got 12"),
        ({"seed": -1}, "need a whole number, 0 <= seed <= 4294967295, got seed=-1"),
        ({"count": 0}, "need a whole number, 1 <= count <= 1000, got count=0"),
        ({"spacings": ("even",)}, "need spacing uniform, quadratic, log-snr, got 'even'"),
    ],
)
def test_what_are_no_digits(wrong, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        Digits(**{"seed": 0, "count": 8, **wrong})


def test_pictures_of_another_shape():
    words = "need pictures of [56, 112] for these digits, got [2, 2]"
    with pytest.raises(ValueError, match=re.escape(words)):
        explore(lambda eta, steps: np.zeros((2, 2)), [0], [1], digits=Digits(5, 8, columns=4))


def test_a_kernel_gives_the_network_where_it_is_asked():
    explorer = explore(
        lambda eta, steps: np.zeros((28, 224)), [0.5], [5], digits=Digits(seed=5, count=8)
    )
    sent = []
    explorer.send = lambda content, buffers=None: sent.append((content, buffers))
    explorer._handle_custom_msg({"type": "ping"}, [])
    explorer._handle_custom_msg({"type": "network"}, [])
    files = network_files()
    assert sent == [
        ({"type": "pong", "network": sum(map(len, files))}, None),
        ({"type": "network"}, files),
    ]
    assert "safetensors" not in str(explorer.get_state().keys())
    explorer.eta, explorer.steps = 0.123, 1000  # the page goes where nothing is stored


def test_the_workers_script_declares_no_name_twice_and_exports_nothing():
    source = script("worker.js")
    names = declared(source)
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert not re.search(r"^(?:export|import)\b", source, re.M)
    assert (PAGE / "worker.js").read_text("utf-8").count("import {") >= 4
