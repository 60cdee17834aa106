"""The network's weights on disk: what is written, what damage is noticed."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ddim_lib.nets import UNet, load_denoiser, save_denoiser
from tests.support.tiny import moved_unet, noise_images


@pytest.fixture(scope="module")
def noisy():
    return noise_images()


@pytest.fixture
def model():
    return moved_unet()


@pytest.fixture
def path(model, tmp_path):
    save_denoiser(model, tmp_path / "tiny.safetensors", {"steps": 3})
    return tmp_path / "tiny.safetensors"


def rewrite(path, change):
    """Change a weight file's tensors, keeping its metadata."""
    weights = load_file(path)
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    change(weights)
    save_file(weights, path, metadata=header)


def test_round_trip(model, path, noisy):
    loaded = load_denoiser(path)
    assert torch.equal(loaded(noisy, 70), model(noisy, 70))
    assert torch.equal(load_denoiser(str(path))(noisy, 70), model(noisy, 70))
    assert not loaded.training
    assert not any(weight.requires_grad for weight in loaded.parameters())


def test_metadata_is_readable_by_anyone(path):
    with safe_open(path, framework="pt") as file:
        stored = json.loads(file.metadata()["ddim_lib"])
    assert stored == {
        "config": {"channels": 8, "embedding": 16, "predicts": "v"},
        "steps": 3,
    }


def test_unknown_name():
    message = r"need a path or the name of a shipped network \(digits\), got 'cats'"
    with pytest.raises(ValueError, match=message):
        load_denoiser("cats")


def test_missing_file(tmp_path):
    message = r"need a weight file, got .*absent\.safetensors, which is no file"
    with pytest.raises(FileNotFoundError, match=message):
        load_denoiser(tmp_path / "absent.safetensors")


@pytest.mark.parametrize("kept", [0, 5, 400, -1])
def test_truncated_file(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    message = r"need a whole safetensors file, got .*tiny\.safetensors: "
    with pytest.raises(ValueError, match=message):
        load_denoiser(path)


def test_pickle_is_never_opened(model, tmp_path):
    torch.save(model.state_dict(), tmp_path / "evil.safetensors")
    with pytest.raises(ValueError, match="need a whole safetensors file"):
        load_denoiser(tmp_path / "evil.safetensors")


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"format": "pt"},
        {"ddim_lib": "no JSON"},
        {"ddim_lib": "[]"},
        {"ddim_lib": '{"config": {"channels": 8}}'},
    ],
)
def test_foreign_file(tmp_path, metadata):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors", metadata=metadata)
    message = r"need a file written by save_denoiser, got .*other\.safetensors without our metadata"
    with pytest.raises(ValueError, match=message):
        load_denoiser(tmp_path / "other.safetensors")


def test_weights_of_a_network_that_predicts_otherwise(model, tmp_path):
    del model.config["predicts"]  # as the first edition's files
    save_denoiser(model, tmp_path / "old.safetensors", {})
    message = r"need weights of a network that predicts v, got .*old.*, which predicts eps"
    with pytest.raises(ValueError, match=message):
        load_denoiser(tmp_path / "old.safetensors")


def test_weights_of_another_width(path):
    rewrite(path, lambda weights: weights.update(UNet(channels=16, embedding=16).state_dict()))
    with pytest.raises(ValueError, match=r"as time\.0\.weight for this architecture, got") as error:
        load_denoiser(path)
    assert "need torch.float32 (16, 8)" in str(error.value)
    assert "got torch.float32 (16, 16)" in str(error.value)


def test_weights_of_another_type(path):
    rewrite(path, lambda weights: weights.update({"stem.bias": weights["stem.bias"].half()}))
    with pytest.raises(ValueError, match=r"as stem\.bias .*, got torch\.float16 \(8,\)"):
        load_denoiser(path)


def test_weights_that_lack_a_layer(path):
    rewrite(path, lambda weights: weights.pop("attention1.qkv.bias"))
    with pytest.raises(ValueError, match=r"\(48,\) as attention1\.qkv\.bias .*, got nothing"):
        load_denoiser(path)


def test_weights_with_a_layer_too_many(path):
    rewrite(path, lambda weights: weights.update(extra=torch.zeros(1)))
    with pytest.raises(ValueError, match=r"need nothing as extra .*, got torch\.float32 \(1,\)"):
        load_denoiser(path)
