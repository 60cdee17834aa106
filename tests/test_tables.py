"""The tables: cells against exact answers, a store that loses nothing, and the command itself."""

import csv
import math
import os
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from ddim_lib import cells, metrics, plans, results, tables
from ddim_lib.cells import DATA, SCHEDULE, SIGMA_HAT
from ddim_lib.classifier import JUDGE
from ddim_lib.data import ASSETS, load_digits
from ddim_lib.ddim import ddpm_large_steps, sample
from ddim_lib.metrics import score_digits, sliced_w1
from ddim_lib.nets import UNet, save_denoiser
from ddim_lib.results import Mean, Store, checksum, commit, load_table, over_seeds

ETAS = ["0", "0.2", "0.5", "1", SIGMA_HAT]


class Silent(nn.Module):
    """Predict no noise, and remember what it was asked."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))
        self.seen = []

    def forward(self, x, t):
        self.seen.append((t, x.detach().clone()))
        return self.scale * x


# --- cells --------------------------------------------------------------------------------------


def test_all_settings_of_a_seed_start_from_the_same_noise():
    starts = []
    for steps, eta in [(1, "0"), (3, "0"), (3, "1"), (2, SIGMA_HAT)]:
        model = Silent()
        cells.draw_digits(model, steps, eta, 4, 5)
        starts.append(model.seen[0][1])
    assert all(torch.equal(start, starts[0]) for start in starts)
    assert starts[0].shape == (5, 1, 28, 28)
    other = Silent()
    cells.draw_digits(other, 1, "0", 5, 5)
    assert not torch.equal(other.seen[0][1], starts[0])


def test_more_samples_begin_with_the_same_ones():
    few, many = (cells.starting_noise((n, 1, 28, 28), 2, torch.float32) for n in (10, 300))
    assert torch.equal(many[:10], few)


@pytest.mark.parametrize("eta", ETAS)
def test_a_walk_is_the_librarys(eta):
    mixture = cells.mixture_of("ring")
    model = lambda x, t: mixture.eps(SCHEDULE, x, t)
    x_T = cells.starting_noise((50, 2), 1, torch.float64)
    first, second = (torch.Generator().manual_seed(3) for _ in range(2))
    if eta == SIGMA_HAT:
        *_, last = ddpm_large_steps(model, SCHEDULE, x_T, SCHEDULE.times(7), second)
        expected = last.x
    else:
        expected = sample(model, SCHEDULE, x_T, 7, float(eta), second)
    assert torch.equal(cells.walk(model, x_T, 7, eta, first), expected)


def test_digits_are_drawn_batch_by_batch_with_fresh_noise(monkeypatch):
    """No prediction of noise and η = 1: no two batches get the same noise."""
    monkeypatch.setattr(cells, "BATCH", 2)
    images = cells.draw_digits(Silent(), 3, "1", 0, 6)
    assert images.shape == (6, 1, 28, 28)
    x_T = cells.starting_noise((6, 1, 28, 28), 0, torch.float32)
    added = images - x_T / float(SCHEDULE.alpha_bar[-1])
    assert torch.unique(added[:, 0, 0, 0]).numel() == 6


def test_digits_cell_scores_what_was_drawn():
    torch.manual_seed(0)
    model = UNet(channels=8, embedding=16)
    cell = cells.digits_cell(model, 2, "0.5", 1, 5)
    assert cell == score_digits(cells.draw_digits(model, 2, "0.5", 1, 5))._asdict()


def test_floor_draws_each_image_once():
    images = load_digits().images[:20]
    whole = cells.floor_cell(images, 3, 20)
    assert whole == pytest.approx(cells.floor_cell(images, 4, 20), rel=1e-5)
    assert whole == pytest.approx(score_digits(images)._asdict(), rel=1e-5)
    assert cells.floor_cell(images, 3, 10) != cells.floor_cell(images, 4, 10)
    with pytest.raises(ValueError, match="need at least 21 images, got 20"):
        cells.floor_cell(images, 0, 21)


def test_encoding_with_a_predictor_that_is_the_same_both_ways():
    """Without predicted noise the ODE only scales: x_T = ᾱ_T x_0, and back without error."""
    images = load_digits().images[:30]
    cell = cells.encoding_cell(Silent(), images, 5, 0, 30)
    assert cell["mse"] < 1e-12
    assert cell["std"] == pytest.approx(
        float(SCHEDULE.alpha_bar[-1]) * images.std().item(), rel=1e-5
    )
    x = images.double() - images.double().mean()
    correlation = (x[..., 1:] * x[..., :-1]).mean() / x.square().mean()
    assert cell["neighbours"] == pytest.approx(correlation.item(), rel=1e-4)
    assert cell["neighbours"] > 0.5


def test_encoding_error_is_of_pixels_from_0_to_1():
    """One step there from t = 1 and one back from t = T: with ε̂ = c it returns x_0 + shift."""

    class Constant(Silent):
        def forward(self, x, t):
            return torch.full_like(x, 0.2 if t == 1 else 0.5)

    cell = cells.encoding_cell(Constant(), load_digits().images[:4], 1, 0, 4)
    shift = float(SCHEDULE.noise_level[-1]) * (0.2 - 0.5)
    assert cell["mse"] == pytest.approx(shift**2 / 4, rel=1e-4)


def test_exact_cell_approaches_the_floor():
    floor = cells.exact_cell("ring", 0, DATA, 0, 4000)["sliced_w1"]
    few, many = (cells.exact_cell("ring", steps, "1", 0, 4000)["sliced_w1"] for steps in (3, 100))
    assert few > 5 * floor
    assert many < 2.5 * floor


def test_exact_cell_measures_against_the_mixture():
    mixture = cells.mixture_of("moons")
    cell = cells.exact_cell("moons", 4, "0", 2, 300)
    x_T = cells.starting_noise((300, 2), 2, torch.float64)
    x_0 = sample(lambda x, t: mixture.eps(SCHEDULE, x, t), SCHEDULE, x_T, 4)
    truth = mixture.sample(300, torch.Generator().manual_seed(cells.TRUTH + 2))
    assert cell == {"sliced_w1": sliced_w1(x_0, truth)}


def test_the_error_field_has_its_size_in_its_window():
    mixture = cells.mixture_of("ring")
    x = cells.starting_noise((20_000, 2), 0, torch.float64)
    for where, inside in (("high", (501, 1000)), ("low", (1, 100)), ("none", ())):
        model = cells.perturbed(mixture, 0.3, where)
        for t in (1, 100, 101, 500, 501, 1000):
            field = model(x, t) - mixture.eps(SCHEDULE, x, t)
            size = field.square().mean().sqrt().item()
            wrong = inside and inside[0] <= t <= inside[1]
            assert size == (pytest.approx(0.3, rel=0.01) if wrong else 0), (where, t)


def test_no_error_is_the_exact_cell():
    exact = cells.exact_cell("ring", 20, "0.5", 1, 100)
    assert cells.perturbed_cell("ring", "none", 0.3, 20, "0.5", 1, 100) == exact
    assert cells.perturbed_cell("ring", "low", 0.3, 20, "0.5", 1, 100) != exact


# --- the store ----------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    return Store(
        tmp_path / "t.csv", ("steps", "seed"), ("score",), {"weights": "abc"}, {"torch": "2"}
    )


def test_a_cell_is_stored_with_all_that_it_came_from(store):
    assert store.rows() == []
    store.add(("5", "0"), {"score": 1 / 3, "more": 7.0})
    store.add(("5", "1"), {"score": 2e-7})
    assert store.path.read_text().splitlines() == [
        "steps,seed,score,weights,torch",
        "5,0,0.333333,abc,2",
        "5,1,2e-07,abc,2",
    ]
    assert store.done() == {("5", "0"), ("5", "1")}
    assert [file.name for file in store.path.parent.iterdir()] == ["t.csv"]


def test_rows_of_other_weights_are_refused(store):
    store.add(("5", "0"), {"score": 1})
    before = store.path.read_bytes()
    other = Store(store.path, store.keys, store.results, {"weights": "xyz"}, {"torch": "2"})
    message = r"need weights=abc as in .*t\.csv, got weights=xyz: name another file with --out"
    for action in (other.rows, other.done, lambda: other.add(("5", "1"), {"score": 2})):
        with pytest.raises(ValueError, match=message):
            action()
    assert store.path.read_bytes() == before


def test_another_version_of_torch_is_not_refused(store):
    store.add(("5", "0"), {"score": 1})
    newer = Store(store.path, store.keys, store.results, store.identity, {"torch": "3"})
    newer.add(("5", "1"), {"score": 2})
    assert [row["torch"] for row in newer.rows()] == ["2", "3"]


@pytest.mark.parametrize(
    "content",
    [
        b"steps,seed,score,weights\n5,0,1,abc\n",
        b"steps,seed,score,weights,torch,more\n5,0,1,abc,2,3\n",
        b"steps,seed,score,weights,torch\n5,0,1\n",
        b"steps,seed,score,weights,torch\n5,0,1,abc,2,3\n",
    ],
)
def test_a_foreign_or_torn_file_is_refused(store, content):
    store.path.write_bytes(content)
    with pytest.raises(ValueError, match="need the columns steps, seed, score, weights, torch in"):
        store.add(("5", "1"), {"score": 2})
    assert store.path.read_bytes() == content


def test_a_binary_file_is_refused(store):
    store.path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="need a table in"):
        store.rows()


def test_a_write_that_fails_leaves_the_old_file(store, monkeypatch):
    store.add(("5", "0"), {"score": 1})
    before = store.path.read_bytes()

    def fail(part, columns, rows):
        part.write_text("half a")
        raise OSError("disk full")

    monkeypatch.setattr(results, "write_rows", fail)
    with pytest.raises(OSError, match="disk full"):
        store.add(("5", "1"), {"score": 2})
    assert store.path.read_bytes() == before


def test_over_seeds_takes_the_largest_n():
    numbers = [("5", 100, 9.0), ("5", 200, 1.0), ("5", 200, 2.0), ("5", 200, 6.0), ("10", 100, 4.0)]
    rows = [{"steps": steps, "n": str(n), "score": str(x)} for steps, n, x in numbers]
    found = over_seeds(rows, "score", ["steps"])
    assert found[("5",)] == Mean(3.0, pytest.approx(math.sqrt(7)), 3, 200)
    assert found[("10",)][::2] == (4.0, 1)
    assert math.isnan(found[("10",)].sd)


def test_load_table_by_path_and_by_name(store):
    store.add(("5", "0"), {"score": 1})
    assert load_table(store.path) == load_table(str(store.path)) == store.rows()
    assert load_table("floors")[0]["judge"] == checksum(JUDGE)
    with pytest.raises(
        FileNotFoundError, match=r"need a table, got .*table_cats\.csv, which is no"
    ):
        load_table("cats")


def test_checksum_is_the_files(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert checksum(tmp_path / "x") == "ba7816bf8f01cfea"  # FIPS 180-2, appendix B.1


def test_commit_of_a_repository_and_of_none(tmp_path, monkeypatch):
    package = tmp_path / "ddim_lib"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.setattr(results, "__file__", str(package / "results.py"))
    assert commit() == "unknown"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert commit() == "unknown"  # a repository that does not hold the library
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert commit() == head.stdout[:12]
    (package / "__init__.py").write_text("changed")
    assert commit() == head.stdout[:12] + "-dirty"
    monkeypatch.setenv("PATH", "")
    assert commit() == "unknown"


# --- the command --------------------------------------------------------------------------------


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
    command = [
        sys.executable,
        "-m",
        "ddim_lib.tables",
        *SMALL,
        "--threads",
        "1",
        "--out",
        "cut.csv",
    ]
    env = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(tables.__file__))}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    cut, deadline = folder / "cut.csv", time.monotonic() + 300
    while not (cut.exists() and len(load_table(cut)) >= 2):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
    process.kill()
    process.communicate()
    kept = measured(cut)
    assert 2 <= len(kept) < 10

    assert tables.main([*SMALL, "--threads", "1", "--out", "cut.csv"]) == 0
    assert tables.main([*SMALL, "--threads", "1", "--out", "whole.csv"]) == 0
    assert len(measured(cut)) == 10
    assert set(kept) <= set(measured(cut))
    assert measured(cut) == measured(folder / "whole.csv")


def test_finished_cells_are_not_measured_again(folder, capsys, monkeypatch):
    small = ["exact", "--n", "20", "--seeds", "1", "--steps", "0", "5"]
    assert tables.main(small) == 0
    assert "table_exact.csv: 6 cells, 6 of them new" in capsys.readouterr().out
    monkeypatch.setattr(cells, "exact_cell", None)  # whoever calls it fails
    assert tables.main(small) == 0
    assert "table_exact.csv: 6 cells, 0 of them new" in capsys.readouterr().out


def test_interrupted_it_keeps_finished_cells(folder, capsys, monkeypatch):
    exact, left = cells.exact_cell, [1, 1]

    def interrupted(*cell):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return exact(*cell)

    monkeypatch.setattr(cells, "exact_cell", interrupted)
    assert tables.main(SMALL) == 130
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
    assert tables.main([*small, "--weights", weights[0]]) == 0
    rows = load_table(folder / "table_digits.csv")
    assert [(row["steps"], row["eta"], row["seed"], row["n"]) for row in rows] == [
        ("5", "0", "0", "4"),
        ("5", SIGMA_HAT, "0", "4"),
    ]
    assert {row["weights"] for row in rows} == {checksum(folder / "net1.safetensors")}
    assert {row["judge"] for row in rows} == {checksum(JUDGE)}
    assert {(row["torch"], row["device"]) for row in rows} == {(torch.__version__, "cpu")}
    capsys.readouterr()
    assert tables.main([*small, "--weights", weights[1]]) == 2
    assert "as in table_digits.csv, got weights=" in capsys.readouterr().err
    assert load_table(folder / "table_digits.csv") == rows


def test_table_of_encodings(weights, folder):
    small = ["encoding", "--n", "3", "--steps", "10", "20", "--weights", weights[0]]
    assert tables.main(small) == 0
    rows = load_table(folder / "table_encoding.csv")
    assert [(row["steps"], row["images"]) for row in rows] == [("10", "shipped"), ("20", "shipped")]


def test_table_of_the_experiment(folder):
    assert tables.main(["perturbed", "--n", "10", "--seeds", "1", "--eta", "0", "1"]) == 0
    rows = load_table(folder / "table_perturbed.csv")
    found = {(row["where"], row["size"]) for row in rows}
    assert found == {("none", "0"), *((w, s) for w in ("high", "low") for s in ("0.1", "0.3"))}
    assert len(rows) == 10


def test_table_of_floors(folder, monkeypatch):
    monkeypatch.setattr(plans, "load_mnist", lambda folder, split: load_digits())
    assert tables.main(["floors", "--data", "x", "--n", "30", "--seeds", "2"]) == 0
    assert len(load_table(folder / "table_floors.csv")) == 2


def test_plans_are_the_tables_of_the_book():
    """Without a GPU the long walks are few; with one the table is whole."""
    for plan, count in (("short", 3 * 25 + 3), ("full", 3 * 30)):
        job = plans.digits(tables.parse(["digits", "--plan", plan]))
        assert len(set(job.cells)) == len(job.cells) == count
        long = {(eta, n) for steps, eta, _, n in job.cells if steps == "1000"}
        assert long == (
            {(eta, "5000") for eta in ETAS}
            if plan == "full"
            else {(eta, "500") for eta in ("0", "1", SIGMA_HAT)}
        )
        assert {n for steps, _, _, n in job.cells if steps != "1000"} == (
            {"5000"} if plan == "full" else {"2000"}
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "--threads", "0"], "need threads >= 1, got 0"),
        (["digits", "--n", "1"], "need --n >= 2, got 1"),
        (["digits", "--device", "tpu"], "need device cpu or cuda, got 'tpu'"),
        (["digits", "--weights", "cats"], "need a path or the name of a shipped network (digits)"),
        (["digits", "--steps", "7"], "need a selection that leaves cells of this table, got none"),
        (["encoding", "--eta", "0"], "need a selection that leaves cells of this table, got none"),
        (["floors"], "need --data FOLDER with MNIST's four original files"),
        (["floors", "--data", "absent"], "need the file absent/train-images-idx3-ubyte.gz"),
        (["exact", "--out", "absent/t.csv"], "need --out in an existing folder, got absent/t.csv"),
    ],
)
def test_command_errors(folder, capsys, arguments, message):
    assert tables.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_gpu_that_is_not_there(folder, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert tables.main(["digits", "--device", "cuda"]) == 2
    assert "need a CUDA device for device cuda, got none" in capsys.readouterr().err


# --- the shipped tables -------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["exact", "perturbed"])
def test_shipped_tables_are_complete(what):
    job = plans.TABLES[what](tables.parse([what]))
    found = {tuple(row[key] for key in job.keys) for row in load_table(what)}
    assert found >= set(job.cells)


def test_shipped_digits_are_of_the_shipped_network_and_classifier():
    rows = load_table("digits")
    assert {row["weights"] for row in rows} == {checksum(ASSETS / "digits.safetensors")}
    assert {row["judge"] for row in rows} == {checksum(JUDGE)}
    sizes = {(row["steps"], row["n"]) for row in rows}
    assert {("10", "100"), ("50", "5000"), ("50", "2000")} <= sizes


def test_shipped_floors_are_of_the_shipped_classifier():
    rows = load_table("floors")
    assert {row["judge"] for row in rows} == {checksum(JUDGE)}
    sizes = [row["n"] for row in rows]
    assert all(sizes.count(n) == 10 for n in ("500", "1000", "2000", "5000"))
    floors = over_seeds(rows, "frechet", ["n"])
    assert floors[("5000",)].mean < floors[("2000",)].mean < floors[("1000",)].mean


@pytest.mark.parametrize("n", ["1000", "2000", "5000"])
def test_documented_floors_are_the_tables(n):
    mean = {name: over_seeds(load_table("floors"), name, ["n"])[(n,)] for name in plans.SCORES}
    digits = {"frechet": 2, "energy": 3, "confident": 3}
    words = [f"{mean[name].mean:.{d}f} ± {mean[name].sd:.{d}f}" for name, d in digits.items()]
    readme = (ASSETS / "README.md").read_text(encoding="utf-8")
    assert " ".join(words) in " ".join(metrics.__doc__.split())
    assert f"| {n} | {' | '.join(words)} |" in readme


def test_shipped_cells_repeat():
    row = next(
        r for r in load_table("exact") if (r["steps"], r["eta"], r["seed"]) == ("5", "0.5", "1")
    )
    again = cells.exact_cell(row["mixture"], 5, "0.5", 1, int(row["n"]))
    assert again["sliced_w1"] == pytest.approx(float(row["sliced_w1"]), rel=1e-4)
