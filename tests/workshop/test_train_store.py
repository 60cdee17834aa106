"""Training interrupted and continued: exact, or refused."""

import itertools
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from ddim_lib.train.run import train
from ddim_lib.train.store import Keeper, load_state, save_state
from tests.support.tiny import SCHEDULE, bright_squares, tiny_run


@pytest.fixture(scope="module")
def images():
    return bright_squares()


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_continued_run_is_bitwise_the_uninterrupted_one(optimizer, images, tmp_path):
    whole = tiny_run(optimizer=optimizer)
    list(train(whole, SCHEDULE, images))

    first = tiny_run(optimizer=optimizer)
    list(itertools.islice(train(first, SCHEDULE, images), 13))
    save_state(first, tmp_path / "run.state")
    second = tiny_run(optimizer=optimizer)
    load_state(second, tmp_path / "run.state")
    assert second.step == 13
    list(train(second, SCHEDULE, images))

    assert second.recent == whole.recent
    for part in ("model", "ema"):
        for name, weight in getattr(whole, part).state_dict().items():
            assert torch.equal(getattr(second, part).state_dict()[name], weight), (part, name)


def test_state_of_other_settings(images, tmp_path):
    save_state(tiny_run(), tmp_path / "run.state")
    with pytest.raises(ValueError, match=r"need seed=0 as in .*run\.state, got seed=1"):
        load_state(tiny_run(seed=1), tmp_path / "run.state")


def test_state_from_before_a_setting_existed(images, tmp_path):
    """It was trained with what is now the default, and goes on only with that."""
    run = tiny_run()
    list(itertools.islice(train(run, SCHEDULE, images), 2))
    save_state(run, tmp_path / "run.state")
    state = torch.load(tmp_path / "run.state", weights_only=True)
    del state["settings"]["ema"], state["settings"]["device"]
    torch.save(state, tmp_path / "run.state")
    again = tiny_run()
    load_state(again, tmp_path / "run.state")
    assert again.step == 2
    with pytest.raises(ValueError, match=r"need ema=0.999 as in .*run\.state, got ema=0.5"):
        load_state(tiny_run(ema=0.5), tmp_path / "run.state")


def test_state_missing(tmp_path):
    message = r"need the state of an interrupted run, got no file .*run\.state"
    with pytest.raises(FileNotFoundError, match=message):
        load_state(tiny_run(), tmp_path / "run.state")


@pytest.mark.parametrize("kept", [0, 10, 5000, -100])
def test_state_truncated(tmp_path, kept):
    save_state(tiny_run(), tmp_path / "run.state")
    content = (tmp_path / "run.state").read_bytes()
    (tmp_path / "run.state").write_bytes(content[:kept])
    with pytest.raises(ValueError, match=r"need a state written by this command, got .*run\.state"):
        load_state(tiny_run(), tmp_path / "run.state")


def test_state_foreign(tmp_path):
    torch.save({"weight": torch.zeros(2)}, tmp_path / "run.state")
    with pytest.raises(ValueError, match="need a state written by this command"):
        load_state(tiny_run(), tmp_path / "run.state")


def test_kept_weights_are_the_average_at_that_step(images, tmp_path):
    """Not the last weights, not the model's own; the header says when and how well they do."""
    run, keeper = tiny_run(), Keeper(tmp_path / "run.safetensors", (3,))
    list(itertools.islice(train(run, SCHEDULE, images), 3))
    then = {name: weight.clone() for name, weight in run.ema.state_dict().items()}
    keeper.save_kept(run, (0.5, 0.1))
    list(train(run, SCHEDULE, images))
    assert [file.name for file in tmp_path.iterdir()] == ["run_3.safetensors"]
    found = load_file(tmp_path / "run_3.safetensors")
    assert all(torch.equal(found[name], weight) for name, weight in then.items())
    assert any(
        not torch.equal(found[name], weight) for name, weight in run.ema.state_dict().items()
    )
    with safe_open(tmp_path / "run_3.safetensors", framework="pt") as file:
        header = json.loads(file.metadata()["ddim_lib"])
    assert (header["step"], header["settings"]["steps"]) == (3, 20)
    assert header["ema_test_loss"] == [0.5, 0.1]


def test_weights_of_a_step_that_is_over_cannot_be_kept(tmp_path):
    keeper = Keeper(tmp_path / "run.safetensors", (3, 7))
    keeper.check_passed(2)
    with pytest.raises(ValueError, match=r"need --keep with steps after 3, .* stands, got 3"):
        keeper.check_passed(3)
    keeper.kept(3).touch()
    keeper.check_passed(6)
