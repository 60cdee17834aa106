"""The command that trains, as a user runs it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from ddim_lib.data import Digits, load_digits
from ddim_lib.nets import load_denoiser
from ddim_lib.train import __main__ as command
from ddim_lib.train.loss import held_out_loss
from tests.support.tiny import SCHEDULE

# --- interrupted and continued ------------------------------------------------------------------


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
    keep = ["--keep", "1", "18"]
    process = launch("--out", "cut.safetensors", *keep)
    wait_for(tmp_path / "cut.state", process)  # the state is there from the start
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 128 + signal.SIGINT, err
    assert "add --resume to the command to go on" in out
    assert not (tmp_path / "cut.safetensors").exists()
    stopped = torch.load(tmp_path / "cut.state", weights_only=True)["step"]
    assert f"stopped after step {stopped} of 20" in out
    assert stopped < 20
    assert (tmp_path / "cut_1.safetensors").exists()  # the step that was begun is ended

    monkeypatch.chdir(tmp_path)
    training, test = command.load_images(None)
    monkeypatch.setattr(command, "load_images", lambda _: (training, test[:50]))  # saves seconds
    threads = torch.get_num_threads()
    assert command.main([*SHORT, *keep, "--out", "cut.safetensors", "--resume"]) == 0
    assert command.main([*SHORT, *keep, "--out", "whole.safetensors"]) == 0
    torch.set_num_threads(threads)
    assert "stored whole.safetensors: EMA loss on test images" in capsys.readouterr().out
    for end in (".safetensors", "_1.safetensors", "_18.safetensors"):
        cut, whole = load_file(f"cut{end}"), load_file(f"whole{end}")
        assert all(torch.equal(cut[name], whole[name]) for name in whole)
    ends = [".safetensors", "_1.safetensors", "_18.safetensors", "_loss.csv"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        name + end for name in ("cut", "whole") for end in ends
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


def test_command_refuses_to_overwrite_kept_weights(tmp_path, capsys):
    kept = tmp_path / "digits_7.safetensors"
    kept.write_text("precious")
    out = ["--out", str(tmp_path / "digits.safetensors")]
    error = refused(capsys, *out, "--keep", "5", "7")
    assert f"need --force to replace {kept}, which exists" in error


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
        (["--keep", "0"], "need --keep with steps from 1 to 20, got 0"),
        (["--keep", "5", "21"], "need --keep with steps from 1 to 20, got 21"),
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
    knobs += ["--inner", "24", "--blocks", "2", "--out", "narrow.safetensors"]
    assert command.main([*SHORT, *knobs]) == 0
    torch.set_num_threads(threads)
    config = load_denoiser(tmp_path / "narrow.safetensors").config
    assert (config["channels"], config["inner"], config["blocks"]) == (8, 24, 2)
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
