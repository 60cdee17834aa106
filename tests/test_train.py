"""Training: the loss of known predictors, exact continuation, and the command as a user runs it."""

import csv
import itertools
import json
import math
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from ddim_lib import train as command
from ddim_lib.data import Digits, load_digits
from ddim_lib.nets import UNet, load_denoiser
from ddim_lib.schedule import Schedule
from ddim_lib.training import (
    Settings,
    held_out_loss,
    learning_rate,
    load_state,
    loss,
    save_state,
    seeded_unet,
    start,
    stratified_times,
    time_density,
    time_weights,
    train,
)

SCHEDULE = Schedule.linear()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def tiny_run(**knobs):
    torch.manual_seed(3)
    settings = Settings(**{"steps": 20, "batch": 8, "lr": 0.01, **knobs})
    return start(settings, UNet(channels=8, embedding=16))


@pytest.fixture(scope="module")
def images():
    """Bright squares on black: data that a tiny network learns within a few steps."""
    x = -torch.ones(64, 1, 28, 28)
    for i in range(64):
        x[i, 0, i % 8 : i % 8 + 16, i // 8 : i // 8 + 16] = 1
    return x


# --- the algorithm ------------------------------------------------------------------------------


def test_loss_of_the_exact_predictor_is_zero(images):
    """Of a data set with one point the noise is known: (x_t − ᾱ_t x_0) / β̄_t."""
    x_0 = images[:1].double().repeat(5, 1, 1, 1)
    t = torch.tensor([1, 10, 100, 500, 1000])
    power = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)[t - 1]
    signal_, noise = (p.sqrt()[:, None, None, None] for p in (power, 1 - power))
    eps = torch.randn(x_0.shape, generator=generator(), dtype=torch.float64)
    values = loss(lambda x, _: (x - signal_ * x_0) / noise, SCHEDULE, x_0, t, eps)
    assert values.shape == (5,)
    assert values.max() < 1e-24


def test_loss_of_no_guess_is_the_mean_square_of_the_noise(images):
    eps = torch.randn(images.shape, generator=generator())
    t = torch.full((64,), 7)
    values = loss(lambda x, _: torch.zeros_like(x), SCHEDULE, images, t, eps)
    torch.testing.assert_close(values, (eps**2).mean(dim=(1, 2, 3)))


def test_times_drawn_alike_fill_1_to_T():
    alike = time_density("uniform", 1000)
    draws = torch.stack([stratified_times(10, alike, generator(seed)) for seed in range(500)])
    parts = 100 * torch.arange(10)
    assert ((draws > parts) & (draws <= parts + 100)).all()
    assert (draws.min(), draws.max()) == (1, 1000)
    assert draws.double().mean().item() == pytest.approx(500.5, abs=3)


def test_stratified_times_with_more_images_than_times():
    drawn = stratified_times(6, time_density("uniform", 3), generator())
    assert drawn.tolist() == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("times", ["uniform", "middle"])
def test_times_are_drawn_with_their_probability(times):
    """A part of the interval gets its share: counts against the density's own sum, ± 4 sd."""
    density = time_density(times, 1000)
    assert density.sum().item() == pytest.approx(1, abs=1e-12)
    assert density[0] == 0
    assert density[1:].min() > 0
    draws = torch.cat([stratified_times(64, density, generator(seed)) for seed in range(400)])
    for low, high in ((0, 100), (100, 300), (300, 500), (500, 1000)):
        share = ((draws > low) & (draws <= high)).double().mean().item()
        expected = density[low + 1 : high + 1].sum().item()
        assert share == pytest.approx(expected, abs=4 * math.sqrt(expected / len(draws)))


def test_the_middle_is_a_bell_on_a_floor():
    """Mean and spread of a quarter uniform and three quarters normal(400, 150), cut at 0 and T."""
    density = time_density("middle", 1000)
    t = torch.arange(1, 1001, dtype=torch.float64)
    bell = torch.distributions.Normal(400.0, 150.0).log_prob(t).exp()
    expected = 0.25 / 1000 + 0.75 * bell / bell.sum()
    torch.testing.assert_close(density[1:], expected, rtol=1e-5, atol=0)


def test_time_weights_follow_the_noise():
    """1/ᾱ² up to a hundred: the error of v = (ε̂ − β̄x)/ᾱ, from powers summed here."""
    assert torch.equal(time_weights("uniform", SCHEDULE), torch.ones(1001))
    power = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    weights = time_weights("v", SCHEDULE)
    assert weights.dtype == torch.float32
    expected = torch.minimum(1 / power, torch.tensor(100.0))
    torch.testing.assert_close(weights[1:].double(), expected, rtol=1e-5, atol=0)
    assert (weights == 100).any()


def test_training_weights_the_loss_by_its_time(images):
    """Descended: the weighted mean, of mean weight 1. Told: the plain mean over even times."""
    run = tiny_run(batch=2, precision="float32")
    gradients = run.model.head[2].weight
    _, told = next(train(run, SCHEDULE, images))
    clipped = gradients.grad.clone()

    again = tiny_run(batch=2, precision="float32")
    g = again.generator
    x_0 = images[torch.randint(len(images), (2,), generator=g)]
    density, weights = time_density("middle", 1000), time_weights("v", SCHEDULE)
    t = stratified_times(2, density, g)
    values = loss(again.model, SCHEDULE, x_0, t, torch.randn(x_0.shape, generator=g))
    assert told == pytest.approx((values / (1000 * density[t])).mean().item(), rel=1e-5)
    mean_weight = (density * weights).sum()
    (weights[t] / mean_weight * values).mean().backward()
    nn.utils.clip_grad_norm_(again.model.parameters(), 1.0)
    torch.testing.assert_close(again.model.head[2].weight.grad, clipped, rtol=1e-4, atol=1e-7)


def test_what_is_told_does_not_depend_on_which_times_are_drawn(images):
    """The told loss of a fixed predictor, averaged over many batches, is the same for both."""
    means = []
    for times in ("uniform", "middle"):
        run = start(Settings(precision="float32", batch=64, times=times, lr=1e-12), Scaled(0.5))
        told = [value for _, value in itertools.islice(train(run, SCHEDULE, images), 200)]
        means.append(sum(told) / len(told))
    assert means[0] == pytest.approx(means[1], rel=0.02)


def test_learning_rate_rises_then_falls():
    settings = Settings(steps=1000, lr=2.0)
    rates = [learning_rate(settings, step) for step in range(1000)]
    assert rates[0] == pytest.approx(2 / 200)
    assert rates.index(max(rates)) == 199
    assert rates[500] == pytest.approx(2 * 0.505)
    assert rates[999] == pytest.approx(0.02, rel=1e-3)


def test_seeded_unet_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (seeded_unet(seed).stem.weight for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape[0] == 32
    assert seeded_unet(1, 8).stem.weight.shape[0] == 8


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_lowers_the_loss(images, precision):
    run = tiny_run(steps=150, lr=0.03, precision=precision)
    before, _ = held_out_loss(run.ema, SCHEDULE, images)
    steps = list(train(run, SCHEDULE, images))
    after, _ = held_out_loss(run.ema, SCHEDULE, images)
    assert [step for step, _ in steps] == list(range(1, 151))
    assert before == pytest.approx(0.28, abs=0.02)  # a fresh network guesses β̄x
    assert after < 0.75 * before


def test_ema_is_the_weighted_mean_of_the_past(images):
    """At first it forgets fast, keeping 1/10 and 2/11 of the past; in the end it keeps 0.999."""
    run = tiny_run()
    bias, average = run.model.head[2].bias, torch.zeros(4)  # the only weights that move at once
    for _, share in zip(train(run, SCHEDULE, images), (1 / 10, 2 / 11), strict=False):
        average = share * average + (1 - share) * bias.detach()
        torch.testing.assert_close(run.ema.head[2].bias, average)
    assert average.abs().min() > 0


def test_ema_keeps_a_thousand_steps_in_the_end(images):
    run = tiny_run(steps=20_001)
    run.step = 20_000
    with torch.no_grad():
        run.ema.head[2].bias.fill_(1.0)
    next(train(run, SCHEDULE, images))
    expected = 0.999 + 0.001 * run.model.head[2].bias
    torch.testing.assert_close(run.ema.head[2].bias, expected, rtol=0, atol=1e-6)


def test_ema_keeps_what_it_is_told_to(images):
    run = tiny_run(steps=20_001, ema=0.75)
    run.step = 20_000
    with torch.no_grad():
        run.ema.head[2].bias.fill_(1.0)
    next(train(run, SCHEDULE, images))
    expected = 0.75 + 0.25 * run.model.head[2].bias
    torch.testing.assert_close(run.ema.head[2].bias, expected, rtol=0, atol=1e-6)


class Scaled(nn.Module):
    """A model with one weight, whose gradient can be made as large as one likes."""

    def __init__(self, weight=1e4):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x, t):
        return self.weight * x


def test_gradients_are_clipped(images):
    run = start(Settings(precision="float32"), Scaled())
    next(train(run, SCHEDULE, images))
    assert run.model.weight.grad.abs().item() == pytest.approx(1, abs=1e-4)


def test_held_out_loss_is_fixed_and_has_its_standard_error(images):
    zero = lambda x, _: torch.zeros_like(x)
    many = images.repeat(10, 1, 1, 1)
    mean, error = held_out_loss(zero, SCHEDULE, many)
    assert (mean, error) == held_out_loss(zero, SCHEDULE, many)
    assert mean == pytest.approx(1, abs=5 * error)
    # the mean of 784 squared normals has variance 2/784; 640 images
    assert error == pytest.approx(math.sqrt(2 / 784 / 640), rel=0.1)


def test_held_out_loss_covers_all_times(images):
    seen = []
    held_out_loss(lambda x, t: seen.append(t) or x, SCHEDULE, images[:10])
    assert torch.cat(seen).tolist() == [1, 101, 201, 301, 401, 501, 601, 701, 801, 901]


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"steps": 0}, "need steps >= 1, batch >= 1 and seed >= 0, got steps=0, batch=64, seed=0"),
        ({"batch": 0}, "got steps=4000, batch=0, seed=0"),
        ({"seed": -1}, "got steps=4000, batch=64, seed=-1"),
        ({"lr": 0.0}, "need lr > 0, got lr=0.0"),
        ({"lr": math.nan}, "need lr > 0, got lr=nan"),
        ({"channels": 0}, "need channels a multiple of 8, got 0"),
        ({"channels": 20}, "need channels a multiple of 8, got 20"),
        ({"ema": 1.0}, "need 0 <= ema < 1, got ema=1.0"),
        ({"ema": math.nan}, "need 0 <= ema < 1, got ema=nan"),
        ({"device": "tpu"}, "need device cpu or cuda, got 'tpu'"),
        ({"weighting": "late"}, "need weighting uniform or v, got 'late'"),
        ({"times": "late"}, "need times uniform or middle, got 'late'"),
    ],
)
def test_settings_errors(knobs, message):
    with pytest.raises(ValueError, match=message):
        Settings(**knobs)


# --- interrupted and continued ------------------------------------------------------------------


def test_a_continued_run_is_bitwise_the_uninterrupted_one(images, tmp_path):
    whole = tiny_run()
    list(train(whole, SCHEDULE, images))

    first = tiny_run()
    list(itertools.islice(train(first, SCHEDULE, images), 13))
    save_state(first, tmp_path / "run.state")
    second = tiny_run()
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


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="need a CUDA device for device cuda, got none"):
        Settings(device="cuda")


class Recorded:
    """Count the calls of torch's functions by the device that they name."""

    def __init__(self, monkeypatch, *names):
        self.devices = {name: [] for name in names}
        for name in names:
            monkeypatch.setattr(torch, name, self.wrap(name, getattr(torch, name)))

    def wrap(self, name, function):
        def call(*args, **kwargs):
            self.devices[name].append(kwargs.get("device"))
            return function(*args, **kwargs)

        return call


def test_batches_are_drawn_on_the_device_of_the_run(images, monkeypatch):
    """On a machine without a GPU one can only see that each draw asks for the run's device."""
    run = tiny_run()
    recorded = Recorded(monkeypatch, "randint", "rand", "randn")
    next(train(run, SCHEDULE, images))
    devices = {name: [str(d) for d in found] for name, found in recorded.devices.items()}
    assert devices == {"randint": ["cpu"], "rand": ["cpu"], "randn": ["cpu"]}


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


def test_no_image_is_both_trained_on_and_held_out():
    training, test = command.load_images(None)
    assert (len(training), len(test)) == (9000, 1000)
    assert torch.equal(torch.cat([training, test]), load_digits().images)


def test_mnist_is_tested_on_its_test_split(monkeypatch):
    splits = {
        name: Digits(torch.full((3000, 1), i), None) for i, name in enumerate(("train", "test"))
    }
    monkeypatch.setattr(command, "load_mnist", lambda folder, split: splits[split])
    training, test = command.load_images("folder")
    assert (len(training), training.unique().tolist()) == (3000, [0])
    assert (len(test), test.unique().tolist()) == (2000, [1])


# --- the command --------------------------------------------------------------------------------

SHORT = ["digits", "--steps", "20", "--batch", "2", "--threads", "1"]


@pytest.fixture
def launch(tmp_path):
    """Start the command as a user does; whatever still runs after the test is ended."""
    processes = []

    def start_command(*more):
        processes.append(
            subprocess.Popen(
                [sys.executable, "-u", "-m", "ddim_lib.train", *SHORT, *more],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": os.getcwd()},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return processes[-1]

    yield start_command
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(path, process, seconds=300):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_interrupt_and_resume(launch, tmp_path, monkeypatch, capsys):
    """A real Ctrl-C, then --resume: bit for bit the weights of a run that nobody interrupted."""
    process = launch("--out", "cut.safetensors")
    wait_for(tmp_path / "cut.state", process)  # the state is there from the start
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 128 + signal.SIGINT, err
    assert "add --resume to the command to go on" in out
    assert not (tmp_path / "cut.safetensors").exists()
    stopped = torch.load(tmp_path / "cut.state", weights_only=True)["step"]
    assert f"stopped after step {stopped} of 20" in out
    assert stopped < 20

    monkeypatch.chdir(tmp_path)
    training, test = command.load_images(None)
    monkeypatch.setattr(command, "load_images", lambda _: (training, test[:50]))  # saves seconds
    threads = torch.get_num_threads()
    assert command.main([*SHORT, "--out", "cut.safetensors", "--resume"]) == 0
    assert command.main([*SHORT, "--out", "whole.safetensors"]) == 0
    torch.set_num_threads(threads)
    assert "stored whole.safetensors: EMA loss on test images" in capsys.readouterr().out
    cut, whole = load_file("cut.safetensors"), load_file("whole.safetensors")
    assert all(torch.equal(cut[name], whole[name]) for name in whole)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "cut.safetensors",
        "cut_loss.csv",
        "whole.safetensors",
        "whole_loss.csv",
    ]
    check_result(tmp_path / "whole.safetensors", tmp_path / "whole_loss.csv", test[:50])


def check_result(weights, curve, test):
    mean, error = held_out_loss(load_denoiser(weights), SCHEDULE, test)
    with safe_open(weights, framework="pt") as file:
        stored = json.loads(file.metadata()["ddim_lib"])
    assert stored["settings"]["steps"] == 20
    assert stored["settings"]["data"] == "shipped"
    assert stored["ema_test_loss"] == pytest.approx([mean, error], rel=1e-5)
    rows = list(csv.DictReader(curve.open()))
    assert [row["step"] for row in rows] == ["20"]
    assert float(rows[0]["ema_test_loss"]) == pytest.approx(mean, abs=1e-5)
    assert 0 < float(rows[0]["train_loss"]) < 1.1


def refused(capsys, *arguments):
    """The one line on stderr of a command that must end with code 2 before any training."""
    assert command.main([*SHORT, *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_command_refuses_to_overwrite(tmp_path, capsys):
    out = tmp_path / "digits.safetensors"
    out.write_text("precious")
    assert f"need --force to replace {out}, which exists" in refused(capsys, "--out", str(out))
    assert out.read_text() == "precious"


def test_command_refuses_to_forget_a_run(tmp_path, capsys):
    (tmp_path / "digits.state").write_text("precious")
    error = refused(capsys, "--out", str(tmp_path / "digits.safetensors"))
    assert "need --resume to go on with" in error
    assert "or --force to start anew" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "weights.pt"], "need --out as a .safetensors file in an existing folder"),
        (["--out", "absent/d.safetensors"], "need --out as a .safetensors file in an existing"),
        (["--resume"], "need the state of an interrupted run, got no file digits.state"),
        (["--data", "absent"], "need the file absent/train-images-idx3-ubyte.gz, which does not"),
        (["--steps", "0"], "need steps >= 1"),
        (["--threads", "0"], "need threads >= 1, got 0"),
        (["--channels", "12"], "need channels a multiple of 8, got 12"),
        (["--ema", "1"], "need 0 <= ema < 1, got ema=1.0"),
        (["--device", "gpu"], "need device cpu or cuda, got 'gpu'"),
    ],
)
def test_command_errors(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, *arguments)


def test_command_trains_the_width_and_average_that_it_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    training, test = command.load_images(None)
    monkeypatch.setattr(command, "load_images", lambda _: (training, test[:50]))  # saves seconds
    threads = torch.get_num_threads()
    knobs = ["--channels", "8", "--ema", "0.5", "--device", "cpu", "--weighting", "uniform"]
    knobs += ["--out", "narrow.safetensors"]
    assert command.main([*SHORT, *knobs]) == 0
    torch.set_num_threads(threads)
    assert load_denoiser(tmp_path / "narrow.safetensors").config["channels"] == 8
    with safe_open(tmp_path / "narrow.safetensors", framework="pt") as file:
        stored = json.loads(file.metadata()["ddim_lib"])["settings"]
    assert (stored["channels"], stored["ema"], stored["device"]) == (8, 0.5, "cpu")
    assert stored["weighting"] == "uniform"


def test_command_tries_to_write_before_it_trains(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits.state.part").mkdir()
    assert "Is a directory: 'digits.state.part'" in refused(capsys)


def test_command_with_a_corrupt_data_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"not gzip")
    assert "as a whole gzip file" in refused(capsys, "--data", str(tmp_path))


def test_command_line_errors_have_code_2(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["letters"])
    assert stop.value.code == 2
    assert "invalid choice" in capsys.readouterr().err
