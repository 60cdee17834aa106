"""The command that measures tables, killed and continued, and what it refuses."""

import csv
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from ddim_lib.checks import SIGMA_HAT
from ddim_lib.classifier import JUDGE
from ddim_lib.data import load_digits
from ddim_lib.files import SHIPPED, checksum
from ddim_lib.nets import UNet, load_denoiser, save_denoiser
from ddim_lib.tables import __main__ as command
from ddim_lib.tables import measure, plans
from ddim_lib.tables.store import load_table, write_rows

ETAS = ["0", "0.2", "0.5", "1", SIGMA_HAT]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Run in an empty folder; the number of threads is the test's own afterwards."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


SMALL = ["exact", "--plan", "full", "--n", "20", "--seeds", "1", "--steps", "5", "1000"]


def measured(path):
    """Rows without what may differ between two runs of the same cells."""
    return sorted(
        tuple(value for name, value in row.items() if name != "commit")
        for row in csv.DictReader(path.open())
    )


def test_killed_in_the_middle_it_goes_on_and_loses_nothing(folder):
    """SIGKILL, which no program can prepare for, as soon as some cells are finished."""
    run = [sys.executable, "-m", "ddim_lib.tables", *SMALL, "--threads", "1", "--out", "cut.csv"]
    env = {**os.environ, "PYTHONPATH": str(Path(command.__file__).parents[2])}
    process = subprocess.Popen(run, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    cut, deadline = folder / "cut.csv", time.monotonic() + 300
    while not (cut.exists() and len(load_table(cut)) >= 2):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
    process.kill()
    process.communicate()
    kept = measured(cut)
    assert 2 <= len(kept) < 10

    assert command.main([*SMALL, "--threads", "1", "--out", "cut.csv"]) == 0
    assert command.main([*SMALL, "--threads", "1", "--out", "whole.csv"]) == 0
    assert len(measured(cut)) == 10
    assert set(kept) <= set(measured(cut))
    assert measured(cut) == measured(folder / "whole.csv")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], [0, 1, 2]),
        (["--seeds", "2"], [0, 1]),
        (["--seeds", "5"], [0, 1, 2, 3, 4]),
        (["--first-seed", "7"], [7, 8, 9]),
        (["--first-seed", "3", "--seeds", "2"], [3, 4]),
        (["--first-seed", "3", "--seeds", "4"], [3, 4, 5, 6]),
    ],
)
def test_seeds_are_as_many_as_asked_for_also_beyond_the_plan_and_fresh_ones(asked, found):
    args = command.parse(["exact", "--steps", "20", "--eta", "1", *asked])
    cells = command.chosen(plans.exact(args), args)
    assert cells == [("20", "1", str(seed), "50000", "uniform") for seed in found]


def test_finished_cells_are_not_measured_again(folder, capsys, monkeypatch):
    small = ["exact", "--n", "20", "--seeds", "1", "--steps", "0", "5"]
    assert command.main(small) == 0
    assert "table_exact.csv: 6 cells, 6 of them new" in capsys.readouterr().out
    monkeypatch.setattr(measure, "exact_cell", None)  # whoever calls it fails
    assert command.main(small) == 0
    assert "table_exact.csv: 6 cells, 0 of them new" in capsys.readouterr().out


def test_interrupted_it_keeps_finished_cells(folder, capsys, monkeypatch):
    exact, left = measure.exact_cell, [1, 1]

    def interrupted(*cell):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return exact(*cell)

    monkeypatch.setattr(measure, "exact_cell", interrupted)
    assert command.main(SMALL) == 130
    assert "has all finished cells: the same command goes on" in capsys.readouterr().out
    assert len(load_table(folder / "table_exact.csv")) == 2


@pytest.fixture
def weights(folder):
    for seed in (1, 2):
        torch.manual_seed(seed)
        save_denoiser(
            UNet(channels=8, embedding=16), folder / f"net{seed}.safetensors", {"seed": seed}
        )
    return [str(folder / f"net{seed}.safetensors") for seed in (1, 2)]


def test_table_of_a_network_and_of_another(weights, folder, capsys):
    small = ["digits", "--n", "4", "--seeds", "1", "--steps", "5", "--eta", "0", SIGMA_HAT]
    assert command.main([*small, "--weights", weights[0]]) == 0
    rows = load_table(folder / "table_digits.csv")
    assert [(row["steps"], row["eta"], row["seed"], row["n"]) for row in rows] == [
        ("5", "0", "0", "4"),
        ("5", SIGMA_HAT, "0", "4"),
    ]
    assert {row["weights"] for row in rows} == {checksum(folder / "net1.safetensors")}
    assert {row["judge"] for row in rows} == {checksum(JUDGE)}
    assert {(row["torch"], row["device"]) for row in rows} == {(torch.__version__, "cpu")}
    capsys.readouterr()
    assert command.main([*small, "--weights", weights[1]]) == 2
    assert "as in table_digits.csv, got weights=" in capsys.readouterr().err
    assert load_table(folder / "table_digits.csv") == rows


def test_a_table_says_of_each_row_in_which_precision_it_was_drawn(weights, folder):
    small = ["digits", "--n", "4", "--seeds", "1", "--steps", "5", "--weights", weights[0]]
    assert command.main([*small, "--eta", "0", "--precision", "bfloat16"]) == 0
    assert command.main([*small, "--eta", "0", "1"]) == 0  # only the cell that is not there yet
    rows = load_table(folder / "table_digits.csv")
    assert [(row["eta"], row["device"]) for row in rows] == [("0", "cpu in bfloat16"), ("1", "cpu")]


def test_a_table_of_a_compiled_network(weights, folder, monkeypatch):
    """Compiled by the backend that needs no compiler: what is compiled is the whole forward."""
    seen = []

    def interpreter(graph, examples):
        seen.append(len(graph.graph.nodes))
        return graph.forward

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=interpreter))
    small = ["digits", "--n", "4", "--seeds", "1", "--eta", "0", "--weights", weights[0]]
    assert command.main([*small, "--steps", "5", "--compile"]) == 0
    (row,) = load_table(folder / "table_digits.csv")
    assert row["device"] == "cpu, compiled"
    assert command.main([*small, "--steps", "5", "--out", "plain.csv"]) == 0
    (plain,) = load_table(folder / "plain.csv")
    assert float(row["frechet"]) == pytest.approx(float(plain["frechet"]), rel=1e-3)
    assert max(seen) > 100
    assert len(seen) < 5  # one network for all times


def test_several_n_are_scored_from_one_walk(weights, folder, monkeypatch):
    drawn = []
    draw = measure.draw_digits
    watched = lambda net, *cell: drawn.append(cell[3]) or draw(net, *cell)
    monkeypatch.setattr(measure, "draw_digits", watched)
    small = ["digits", "--seeds", "1", "--steps", "5", "--eta", "0", "1"]
    small += ["--weights", weights[0]]
    assert command.main([*small, "--n", "4", "250", "260"]) == 0
    rows = load_table(folder / "table_digits.csv")
    assert [(row["eta"], row["n"]) for row in rows] == [(e, n) for e in "01" for n in N]
    assert drawn == [4, 260, 4, 260]  # 250 are the first ones of 260; 4 have other noise
    assert command.main([*small, "--n", "250", "--out", "alone.csv"]) == 0
    alone = load_table(folder / "alone.csv")
    assert [row["frechet"] for row in alone] == [r["frechet"] for r in rows if r["n"] == "250"]


N = ("4", "250", "260")


def test_a_table_holds_both_spacings_and_one_from_before_is_uniform(weights, folder):
    small = ["digits", "--n", "4", "--seeds", "1", "--steps", "5", "--eta", "0"]
    small += ["--weights", weights[0]]
    path = folder / "table_digits.csv"
    assert command.main(small) == 0
    (row,) = load_table(path)
    assert row.pop("spacing") == "uniform"
    write_rows(path, list(row), [row])  # as it was before there was another spacing
    assert load_table(path) == [row]
    assert command.main([*small, "--spacing", "quadratic"]) == 0
    assert load_table(path) == [row | {"spacing": "uniform"}]
    (other,) = load_table(path, "quadratic")
    assert other["frechet"] != row["frechet"]
    before = path.read_bytes()
    assert command.main(small) == command.main([*small, "--spacing", "quadratic"]) == 0
    assert path.read_bytes() == before


def test_the_exact_table_holds_both_spacings(folder):
    small = ["exact", "--n", "20", "--seeds", "1", "--steps", "5", "--eta", "0"]
    path = folder / "table_exact.csv"
    assert command.main(small) == command.main([*small, "--spacing", "quadratic"]) == 0
    for spacing in ("uniform", "quadratic"):
        (row,) = load_table(path, spacing)
        again = measure.exact_cell("ring", 5, "0", 0, 20, spacing)["sliced_w1"]
        assert float(row["sliced_w1"]) == pytest.approx(again, rel=1e-5)
    first, second = (load_table(path, name)[0]["sliced_w1"] for name in ("uniform", "quadratic"))
    assert first != second


def test_table_of_training_lengths(weights, folder, monkeypatch):
    """Each file by its own weights: in the middle of a run, and finished."""
    files = []
    for step, seed in ((10, 3), (40, 4)):
        torch.manual_seed(seed)
        files.append(str(folder / f"kept_{step}.safetensors"))
        header = {"settings": {"steps": 40}, "step": step}
        save_denoiser(UNet(channels=8, embedding=16), files[-1], header)
    seen = []
    monkeypatch.setattr(measure, "digits_cell", lambda net, *cell: seen.append((net, cell)) or ZERO)
    assert command.main(["length", "--n", "4", "--seeds", "2", "--weights", *files]) == 0
    rows = load_table(folder / "table_length.csv")
    found = [
        (row["trained"], row["planned"], row["seed"], row["steps"], row["eta"]) for row in rows
    ]
    assert found == [(step, "40", seed, "50", "0") for seed in "01" for step in ("10", "40")]
    assert [row["weights"] for row in rows] == 2 * [checksum(Path(file)) for file in files]
    assert [cell for _, cell in seen] == [(50, "0", s, 4) for s in (0, 0, 1, 1)]
    for (net, _), file in zip(seen, 2 * files, strict=True):
        assert torch.equal(net.stem.weight, load_denoiser(file).stem.weight)


ZERO = {"frechet": 0.0, "energy": 0.0, "confident": 0.0}


def test_weights_that_do_not_say_how_long_they_were_trained(weights, folder, capsys):
    assert command.main(["length", "--weights", weights[0]]) == 2
    assert "need weights that say how long they were trained, got" in capsys.readouterr().err


def test_table_of_encodings(weights, folder):
    small = ["encoding", "--n", "3", "--steps", "10", "20", "--weights", weights[0]]
    assert command.main(small) == 0
    rows = load_table(folder / "table_encoding.csv")
    assert [(row["steps"], row["images"]) for row in rows] == [("10", "shipped"), ("20", "shipped")]


def test_table_of_the_experiment(folder):
    assert command.main(["perturbed", "--n", "10", "--seeds", "1", "--eta", "0", "1"]) == 0
    rows = load_table(folder / "table_perturbed.csv")
    found = {(row["where"], row["size"]) for row in rows}
    assert found == {("none", "0"), *((w, s) for w in ("high", "low") for s in ("0.1", "0.3"))}
    assert len(rows) == 10


def test_table_of_floors(folder, monkeypatch):
    monkeypatch.setattr(plans, "load_mnist", lambda folder, split: load_digits())
    assert command.main(["floors", "--data", "x", "--n", "30", "--seeds", "2"]) == 0
    assert len(load_table(folder / "table_floors.csv")) == 2


def test_plans_are_the_tables_of_the_book():
    """Without a GPU the long walks are few; with one the table is whole."""
    for plan, count in (("short", 3 * 25 + 3), ("full", 3 * 30)):
        job = plans.digits(command.parse(["digits", "--plan", plan]))
        assert len(set(job.cells)) == len(job.cells) == count
        long = {(eta, n) for steps, eta, _, n, _ in job.cells if steps == "1000"}
        assert long == (
            {(eta, "5000") for eta in ETAS}
            if plan == "full"
            else {(eta, "500") for eta in ("0", "1", SIGMA_HAT)}
        )
        assert {n for steps, _, _, n, _ in job.cells if steps != "1000"} == (
            {"5000"} if plan == "full" else {"2000"}
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "--threads", "0"], "need threads >= 1, got 0"),
        (["digits", "--n", "1"], "need --n >= 2, got 1"),
        (["digits", "--first-seed", "-1"], "need --first-seed >= 0, got -1"),
        (["perturbed", "--spacing", "quadratic"], "need --spacing uniform for this table, got q"),
        (
            ["length", "--precision", "bfloat16"],
            "need float32 and no --compile for this table, got bfloat16",
        ),
        (["exact", "--compile"], "this table, got float32, --compile"),
        (["encoding", "--weights", "digits", "digits"], "need one network in --weights, got 2"),
        (["digits", "--device", "tpu"], "need device cpu or cuda, got 'tpu'"),
        (
            ["digits", "--weights", "cats"],
            f"need a path or the name of a shipped network ({', '.join(SHIPPED)})",
        ),
        (["digits", "--steps", "7"], "need a selection that leaves cells of this table, got none"),
        (["encoding", "--eta", "0"], "need a selection that leaves cells of this table, got none"),
        (["floors"], "need --data FOLDER with MNIST's four original files"),
        (["floors", "--data", "absent"], "need the file absent/train-images-idx3-ubyte.gz"),
        (["exact", "--out", "absent/t.csv"], "need --out in an existing folder, got absent/t.csv"),
    ],
)
def test_command_errors(folder, capsys, arguments, message):
    assert command.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_gpu_that_is_not_there(folder, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert command.main(["digits", "--device", "cuda"]) == 2
    assert "need a CUDA device for device cuda, got none" in capsys.readouterr().err
