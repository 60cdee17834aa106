"""The lab on Python's side: what it stores, what it refuses, what it answers."""

import base64
import re

import numpy as np
import pytest
import torch

from ddim_lib import Schedule, encode, load_digits, sample
from ddim_lib.nets import load_denoiser
from ddim_lib.process import predict_x0, q_sample, slerp
from ddim_lib.widgets import lab
from ddim_lib.widgets.digits import network_files
from ddim_lib.widgets.lab_tasks import COLUMNS, TASKS
from ddim_lib.widgets.parts import PAGE
from ddim_lib.widgets.sheet import SHADE, tile_of
from tests.support.cases import seeded

SCHEDULE = Schedule.linear()


@pytest.fixture(scope="module")
def shown():
    return lab("mix", (4, 9), t=300, steps=6, eta=0.0, seed=2)


def tile(widget, task: str, column: int, row: int = 0) -> np.ndarray:
    return tile_of(widget.sheet, 2 * list(TASKS).index(task) + row, column, [28, 28])


def same(picture: np.ndarray, x: torch.Tensor) -> bool:
    grey = 127.5 * (x.clamp(-1, 1).reshape(28, 28).numpy() + 1)
    return np.abs(picture - grey).max() <= SHADE / 2 + 1


def test_what_is_stored_is_what_the_library_makes(shown):
    network, four, nine = (
        load_denoiser("digits"),
        load_digits().images[4:5],
        load_digits().images[9:10],
    )
    noise = torch.randn(
        four.shape, generator=seeded(3)
    )  # the second of three, seed 2 being the first
    noised = q_sample(SCHEDULE, four, 300, noise)
    assert same(tile(shown, "noise", 0), four)
    assert same(tile(shown, "noise", 2, 0), noised)
    assert same(tile(shown, "hidden", 2, 0), noised)
    guess = predict_x0(SCHEDULE, noised, network(noised, 300), 300)
    assert same(tile(shown, "hidden", 2, 1), guess)
    code, other = (encode(network, SCHEDULE, x, 6) for x in (four, nine))
    back = sample(network, SCHEDULE, code, 6)
    assert same(tile(shown, "code", 1), code)
    assert same(tile(shown, "code", 2), torch.randn(four.shape, generator=seeded(2)))
    assert same(tile(shown, "code", 3), back)
    assert same(tile(shown, "eta", COLUMNS - 1, 0), back)  # at η = 0
    assert same(tile(shown, "eta", 0, 0), code)
    for row, mixed in enumerate((slerp(code, other, 0.75), torch.lerp(code, other, 0.75))):
        assert same(tile(shown, "mix", 3, row), sample(network, SCHEDULE, mixed, 6))


def test_the_digits_are_mnists_bytes(shown):
    bytes_ = np.frombuffer(base64.b64decode(shown.originals), np.uint8).reshape(10, 28, 28)
    assert (load_digits().labels[:10] == torch.arange(10)).all()
    assert np.abs(bytes_ / 127.5 - 1 - load_digits().images[:10, 0].numpy()).max() < 1e-6


def test_it_says_what_it_shows(shown):
    assert repr(shown) == "LabExplorer(task='mix', t=300, steps=6, eta=0)"
    assert shown.stored == {
        "task": "mix", "a": "4", "b": "9", "t": 300, "steps": 6, "eta": 0.0, "seed": 2,
    }  # fmt: skip
    assert len(shown.sheet) + len(shown.originals) < 30_000


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"task": "sing"}, "need task among noise, hidden, code, eta, mix, got 'sing'"),
        ({"digits": (3, 10)}, "need a whole number, 0 <= digit <= 9, got digit=10"),
        ({"t": 0}, "need a whole number, 1 <= t <= 1000, got t=0"),
        ({"eta": 1.5}, "need 0 <= eta <= 1, got eta=1.5"),
    ],
)
def test_what_is_refused(wrong, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        lab(**wrong)


def test_a_drawing_is_a_digit_or_strokes(shown):
    for fine in ("", "7", "AB", "10", "ABCD.-_09"):  # two signs are a point
        shown.a = fine
    for wrong in ("AB.", "A", "AÄ", 3, "AB" * 1501):
        with pytest.raises(ValueError, match="need a digit or strokes as a, got"):
            shown.a = wrong


def test_a_kernel_gives_the_network_where_it_is_asked(shown, monkeypatch):
    sent = []
    monkeypatch.setattr(
        shown, "send", lambda content, buffers=None: sent.append((content, buffers))
    )
    for message in ("ping", "network", "sing"):
        shown._handle_custom_msg({"type": message}, [])
    files = network_files()
    pong = {"type": "pong", "network": sum(map(len, files))}
    assert sent == [(pong, None), ({"type": "network"}, files)]


def test_the_page_has_the_tasks_in_the_same_order():
    source = (PAGE / "lab_tasks.js").read_text(encoding="utf-8")
    assert re.findall(r"^  (\w+): \{$", source, re.MULTILINE) == list(TASKS)
