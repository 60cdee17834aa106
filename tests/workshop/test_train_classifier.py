"""The classifier behind the score of digits, and the command that trains it."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ddim_lib.classifier import FEATURES, JUDGE, Classifier, load_classifier
from ddim_lib.data import Digits, load_digits
from ddim_lib.metrics import Moments, frechet, look, moments
from ddim_lib.train import classifier as command


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def test_classifier_of_the_design():
    model, _ = load_classifier()
    assert sum(weight.numel() for weight in model.parameters()) == 60_314
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())


def test_classifier_tells_digits_apart(digits):
    features, logits = look(digits.images[:3000])
    assert features.shape == (3000, FEATURES)
    assert (logits.argmax(1) == digits.labels[:3000]).float().mean() > 0.99


def test_header_says_how_it_was_made():
    with safe_open(JUDGE, framework="pt") as file:
        header = json.loads(file.metadata()["ddim_lib"])
    assert header["accuracy"] > 0.99
    assert 0.96 < header["confident"] < 0.99
    assert header["seed"] == 0


def test_reference_is_of_digits_as_this_classifier_sees_them(digits):
    _, reference = load_classifier()
    whole = Moments(reference.mean, reference.covariance)
    half = moments(reference.features.float())
    assert frechet(half, whole) < 1
    assert frechet(moments(look(digits.images)[0]), whole) < 4  # these have all classes alike


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "classifier.safetensors"
    with pytest.raises(FileNotFoundError, match=r"need a weight file, got .*which is no file"):
        load_classifier(path)
    path.write_bytes(JUDGE.read_bytes()[:-1])
    with pytest.raises(ValueError, match="need a whole safetensors file"):
        load_classifier(path)
    found = load_file(JUDGE)
    del found["reference.mean"]
    save_file(found, path)
    with pytest.raises(
        ValueError, match=r"need torch.float64 \(64,\) as reference.mean .* nothing"
    ):
        load_classifier(path)


def test_the_recipe_learns_and_repeats(digits):
    few = Digits(digits.images[:2000], digits.labels[:2000])
    torch.manual_seed(8)
    before = torch.get_rng_state()
    model = command.fit(few)
    assert torch.equal(torch.get_rng_state(), before)
    guess = model(digits.images[2000:3000]).argmax(1)
    assert (guess == digits.labels[2000:3000]).float().mean() > 0.8
    again = command.fit(Digits(few.images[:300], few.labels[:300]), epochs=1)
    third = command.fit(Digits(few.images[:300], few.labels[:300]), epochs=1)
    assert torch.equal(again.out.weight, third.out.weight)


def test_command_writes_what_the_library_loads(digits, tmp_path, monkeypatch, capsys):
    few = Digits(digits.images[:256], digits.labels[:256])
    parts = {"train": few, "test": digits}
    monkeypatch.setattr(command, "load_mnist", lambda folder, split: parts[split])
    threads, out = torch.get_num_threads(), tmp_path / "c.safetensors"
    assert command.main(["--data", "folder", "--out", str(out)]) == 0
    torch.set_num_threads(threads)
    assert "% of the test images classified right" in capsys.readouterr().out
    model, reference = load_classifier(out)
    assert [file.name for file in tmp_path.iterdir()] == ["c.safetensors"]
    parts = (model.features(part) for part in digits.images.split(500))
    features = torch.cat(list(parts)).double()
    torch.testing.assert_close(reference.mean, features.mean(0))
    torch.testing.assert_close(reference.covariance, torch.cov(features.T))
    torch.testing.assert_close(reference.features, features[::2].half(), rtol=0.01, atol=0.01)
    assert isinstance(model, Classifier)


def test_command_errors(tmp_path, capsys):
    assert command.main(["--data", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "need the file" in captured.err
