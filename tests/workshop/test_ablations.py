"""Networks without a part: that the part is gone, and only the part; that a stopped run goes on."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from ddim_lib.files import ASSETS
from ddim_lib.nets import signal
from ddim_lib.tables.store import load_table
from ddim_lib.train.run import Settings
from tests.support.tiny import moved_unet, noise_images
from tools import ablations


def same(a, b):
    return torch.allclose(a, b, atol=1e-6)


def without(part):
    """The moved network of `moved_unet` before and after the part is taken out."""
    return moved_unet(), ablations.PARTS[part](moved_unet())


@pytest.mark.parametrize("part", [part for part in ablations.PARTS if part != "none"])
def test_each_part_matters(part):
    whole, less = without(part)
    assert not same(whole(noise_images(), 300), less(noise_images(), 300))


def test_none_is_the_network_as_it_is():
    whole, less = without("none")
    assert same(whole(noise_images(), 300), less(noise_images(), 300))


def test_without_time_only_the_formula_around_it_knows_t():
    """v = (ε̂ − β̄x)/ᾱ is one for all t."""
    _, less = without("time")
    x, said = noise_images(), []
    for t in (10, 300, 600):
        a_t = signal(torch.tensor(float(t)))
        said.append((less(x, t) - (1 - a_t**2).sqrt() * x) / a_t)
    assert torch.allclose(said[0], said[1], atol=1e-4)
    assert torch.allclose(said[0], said[2], atol=1e-4)


def test_without_velocity_the_head_says_the_noise():
    _, less = without("velocity")
    heard = []
    less.head.register_forward_hook(lambda _, __, out: heard.append(out))
    eps = less(noise_images(), 700)
    assert torch.equal(eps, nn.functional.pixel_shuffle(heard[0], 2))


def test_without_attention_its_weights_are_gone():
    whole, less = without("attention")
    gone = {name for name, _ in whole.named_parameters()} - {n for n, _ in less.named_parameters()}
    assert gone
    assert all(name.startswith("attention") for name in gone)


def test_without_details_the_way_down_matters_below_only():
    """What the skips carry may be anything: only `grow` and the middle are heard."""
    _, less = without("details")
    before = less(noise_images(), 300)
    for block in (less.up7, less.up14):
        block.register_forward_pre_hook(lambda _, given: (spoilt(given[0]), given[1]), prepend=True)
    assert same(before, less(noise_images(), 300))


def spoilt(h):
    below, across = h.chunk(2, dim=1)
    return torch.cat([below, across + 7], dim=1)


def test_without_scale_no_channel_is_turned_up():
    """Weights that make only scales change nothing; those that make shifts do."""
    _, less = without("scale")
    before = less(noise_images(), 300)
    block = less.middle1.scale_shift
    with torch.no_grad():
        scale, shift = block.bias.chunk(2)
        scale += 5
        assert same(before, less(noise_images(), 300))
        shift += 5
    assert not same(before, less(noise_images(), 300))


def test_a_stopped_run_goes_on_exactly(tmp_path, monkeypatch):
    """Stopped after two steps of four, and trained at once: the same weights, the same halves."""
    settings = Settings(steps=4, batch=8, precision="float32")
    monkeypatch.setattr(ablations, "EVERY", 1)
    for folder in ("once", "twice"):
        (tmp_path / folder).mkdir()
    ablations.train_whole(tmp_path / "once", "scale", settings)
    train = ablations.train
    monkeypatch.setattr(ablations, "train", lambda *a: itertools.islice(train(*a), 2))
    ablations.train_whole(tmp_path / "twice", "scale", settings)
    monkeypatch.setattr(ablations, "train", train)
    ablations.train_whole(tmp_path / "twice", "scale", settings)
    for step in (2, 4):
        once, twice = (
            ablations.network(tmp_path / folder, "scale", settings, step)
            for folder in ("once", "twice")
        )
        for one, other in zip(once.parameters(), twice.parameters(), strict=True):
            assert torch.equal(one, other)


def test_the_command_fills_its_table_once(tmp_path, monkeypatch):
    """Rows for each part and both of the halves; a second call computes nothing."""
    out, pictures = tmp_path / "table.csv", tmp_path / "pictures.npz"
    monkeypatch.setattr(ablations, "EACH", 5)
    calls = []

    def measured(model, seed, n):
        calls.append((seed, n))
        return dict.fromkeys(ablations.RESULTS, 1.5)

    monkeypatch.setattr(ablations, "measured", measured)
    monkeypatch.setattr(ablations, "WALK", 1)
    command = [str(tmp_path), "--out", str(out), "--steps", "2", "--seeds", "2", "--n", "3"]
    command += ["--parts", "none", "average", "--pictures", str(pictures)]
    assert ablations.main(command) == 0
    assert ablations.main(command) == 0
    assert calls == [(0, 3), (1, 3)] * 4
    found = {(row["without"], row["after"]) for row in load_table(out)}
    assert found == set(itertools.product(("none", "average"), ("1", "2")))
    with np.load(pictures) as drawn:
        assert drawn["average"].shape == (8, 28, 28)
        assert not np.array_equal(drawn["average"], drawn["none"])


def test_the_shipped_table_is_whole():
    """What the page shows is there: five draws of each part, one judge; pictures of each."""
    rows = [row for row in load_table("ablations") if row["after"] == row["steps"]]
    assert len({(row["steps"], row["judge"], row["walk"]) for row in rows}) == 1
    parts = {row["without"] for row in rows}
    assert parts >= {"none", "time", "velocity", "attention"}
    for part in parts:
        mine = [r for r in rows if (r["without"], r["training_seed"]) == (part, "0")]
        assert [row["seed"] for row in mine] == list("01234")
    assert not any(row["commit"].endswith("-dirty") for row in rows)
    with np.load(ASSETS / "ablations.npz") as pictures:
        assert set(pictures) >= parts
        assert all(drawn.shape == (8, 28, 28) for drawn in pictures.values())
