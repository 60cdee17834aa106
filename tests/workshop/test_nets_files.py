"""The network's weights on disk: what is written, what damage is noticed."""

import json
import warnings

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ddim_lib import GaussianMixture, Schedule, encode, ode, ode_solve, sample
from ddim_lib.data import ring
from ddim_lib.files import SHIPPED, locate, read_denoiser
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


def test_a_network_of_another_shape_comes_back_as_it_was(tmp_path, noisy):
    torch.manual_seed(3)
    odd = UNet(channels=8, embedding=16, inner=24, blocks=2)
    for weight in odd.parameters():  # the zeroed ones too
        torch.nn.init.normal_(weight, std=0.1)
    save_denoiser(odd, tmp_path / "odd.safetensors", {})
    loaded = load_denoiser(tmp_path / "odd.safetensors")
    assert torch.equal(loaded(noisy, 70), odd.eval()(noisy, 70))
    assert loaded.middle1.conv1.weight.shape[:2] == (24, 24)


def test_a_file_that_names_neither_inner_nor_blocks_is_of_the_first_shape():
    told = read_denoiser(locate("digits_small"))[0]
    assert told == {"channels": 32, "embedding": 128}
    network = load_denoiser("digits_small")
    assert network.config["inner"] == 64
    assert network.config["blocks"] == 1


def test_metadata_is_readable_by_anyone(path):
    with safe_open(path, framework="pt") as file:
        stored = json.loads(file.metadata()["ddim_lib"])
    assert stored == {
        "config": {"channels": 8, "embedding": 16, "inner": 16, "blocks": 1, "predicts": "v"},
        "schedule": {"name": "linear", "T": 1000},
        "steps": 3,
    }


def test_unknown_name():
    message = rf"name of a shipped network \({', '.join(SHIPPED)}\), got 'cats'"
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


def renamed(path, **changes):
    """Change what a weight file says of itself."""
    with safe_open(path, framework="pt") as file:
        told = json.loads(file.metadata()["ddim_lib"])
    told.update(changes)
    told = {key: value for key, value in told.items() if value is not None}
    save_file(load_file(path), path, metadata={"ddim_lib": json.dumps(told)})


def test_a_file_names_its_schedule(model, tmp_path):
    for schedule in (Schedule.linear(), Schedule.linear(500), Schedule.cosine(40)):
        model.schedule = schedule
        save_denoiser(model, tmp_path / "net.safetensors", {})
        assert repr(load_denoiser(tmp_path / "net.safetensors").schedule) == repr(schedule)
    model.schedule = Schedule(Schedule.linear().alpha_bar ** 2)
    need = r"^need a schedule among linear, cosine, got None$"
    with pytest.raises(ValueError, match=need):
        save_denoiser(model, tmp_path / "net.safetensors", {})


def test_a_file_that_names_no_schedule(path, noisy, model):
    renamed(path, schedule=None)
    with pytest.warns(UserWarning, match=r"tiny\.safetensors does not name its schedule: tak"):
        loaded = load_denoiser(path)
    assert repr(loaded.schedule) == "Schedule.linear(1000)"
    assert torch.equal(loaded(noisy, 70), model(noisy, 70))


@pytest.mark.parametrize(
    "told", [{"name": "cubic", "T": 9}, {"name": "linear", "T": 3}, "linear", 7]
)
def test_a_file_that_names_an_unknown_schedule(path, told):
    renamed(path, schedule=told)
    with pytest.raises(ValueError, match=r"^need the name and T of a schedule, got .*tiny"):
        load_denoiser(path)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_network_is_read_in_silence(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert repr(load_denoiser(name).schedule) == "Schedule.linear(1000)"


@pytest.mark.parametrize("other", [Schedule.cosine(), Schedule.linear(100), Schedule.cosine(100)])
def test_samplers_refuse_another_schedule_than_the_networks(model, noisy, other):
    """The right value by the line that the sentence gives: the time translated by hand."""
    need = (
        r"^need the schedule that the model was made for, Schedule\.linear\(1000\), got S.*lambda"
    )
    for call in (
        lambda: sample(model, other, noisy, 2),
        lambda: encode(model, other, noisy, 2),
        lambda: ode_solve(model, other, noisy, [9, 0]),
        lambda: ode.heun(model, other, noisy, 9, 3),
    ):
        with pytest.raises(ValueError, match=need):
            call()
    stretched = lambda x, t: model(x, t * 1000 / other.T)
    assert sample(stretched, other, noisy, 2).isfinite().all()
    twin = Schedule(Schedule.linear().alpha_bar.float().double())  # as others compute it
    assert torch.allclose(sample(model, twin, noisy, 2), sample(model, Schedule.linear(), noisy, 2))


def test_exact_models_refuse_another_schedule_too():
    model = GaussianMixture(*ring()).model(Schedule.linear())
    x = torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"^need the schedule that the model was made for"):
        sample(model, Schedule.cosine(), x, 5)
    assert torch.equal(sample(model, Schedule.linear(), x, 5), sample(model, model.schedule, x, 5))


@pytest.mark.parametrize(
    "t", [0, 0.5, -1, 1000.5, float("nan"), float("inf"), [1, 0, 5], [1, 1001, 5]]
)
def test_times_that_no_network_was_trained_at(model, noisy, t):
    asked = torch.tensor(t, dtype=torch.float32) if isinstance(t, list) else t
    with pytest.raises(ValueError, match=r"^need 1 <= t <= 1000, got t="):
        model(noisy, asked)
    for good in (1, 1000, 1.5, torch.tensor([1, 500.5, 1000])):
        assert model(noisy, good).isfinite().all()
