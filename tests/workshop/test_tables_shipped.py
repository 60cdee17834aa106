"""The tables that the library ships."""

import pytest

from ddim_lib import metrics
from ddim_lib.checks import SIGMA_HAT
from ddim_lib.classifier import JUDGE
from ddim_lib.files import ASSETS, checksum, locate
from ddim_lib.tables import __main__ as command
from ddim_lib.tables import measure, plans
from ddim_lib.tables.store import UNSAID, load_table, over_seeds


def unmeasured(row):
    """The shipped network's dearest cells, which README says are left out."""
    steps, between = int(row["steps"]), row["eta"] in ("0.2", "0.5")
    return (steps > 20 and between) or (steps == 1000 and row["eta"] != "0")


@pytest.mark.parametrize("what", ["exact", "perturbed", "digits", "encoding"])
def test_shipped_tables_are_complete(what):
    job = plans.TABLES[what](command.parse([what]))
    found = {tuple((UNSAID | row)[key] for key in job.keys) for row in load_table(what)}
    planned = [dict(zip(job.keys, cell, strict=True)) for cell in job.cells]
    wanted = [row for row in planned if what != "digits" or not unmeasured(row)]
    assert len(wanted) >= 0.8 * len(planned)
    assert found >= {tuple(row.values()) for row in wanted}


def test_the_papers_stops_are_measured_beside_ours():
    found = {
        tuple(row[key] for key in ("steps", "eta", "seed"))
        for row in load_table("digits", "quadratic")
    }
    assert found >= set(plans.crossed((10, 20, 50, 100), ("0", "1", SIGMA_HAT), range(3)))


@pytest.mark.parametrize("what", ["digits", "encoding"])
def test_shipped_tables_are_of_the_shipped_network(what):
    assert {row["weights"] for row in load_table(what)} == {checksum(locate("digits"))}


def test_the_small_network_has_a_table_of_its_own():
    """The same cells, by the same judge: before and after."""
    small, rows = load_table("digits_small"), load_table("digits")
    assert {row["weights"] for row in small} == {checksum(locate("digits_small"))}
    assert {row["judge"] for row in small} == {checksum(JUDGE)}
    before, after = (over_seeds(table, "frechet", ["steps", "eta", "n"]) for table in (small, rows))
    for steps, eta in (("50", "0"), ("50", "1"), ("20", "0"), ("10", "0")):
        assert after[steps, eta, "2000"].mean < before[steps, eta, "2000"].mean


def test_shipped_digits_are_of_the_shipped_classifier():
    rows = load_table("digits")
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
    again = measure.exact_cell(row["mixture"], 5, "0.5", 1, int(row["n"]))
    assert again["sliced_w1"] == pytest.approx(float(row["sliced_w1"]), rel=1e-4)
