"""The table of what was broken on purpose and caught: it is kept, and says what is true today."""

from collections import Counter

import pytest

from ddim_lib.tables.store import load_table, read_rows
from tools.mutants.formulas import LIST, Mutant, by_module, parse
from tools.mutants.kept import keep

MUTANTS = [Mutant("ddim", "a", "b", "one"), Mutant("ddim", "c", "d", "two")]
OTHER = Mutant("ode", "e", "f", "three")


def counted(path) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what a table holds, without the commits."""
    rows = read_rows(path)
    return {(r["broken"], r["where"]): (r["tried"], r["caught"]) for r in rows}


def test_rows_are_replaced_and_go_with_what_they_are_of(tmp_path):
    path = tmp_path / "table.csv"
    keep("output", {"01_old": [True, False]}, ["01_old"], path)
    keep("formula", {"ddim": [True, False], "ode": [True]}, ["ddim", "ode"], path)
    keep("formula", {"ddim": [True, True]}, ["ddim"], path)
    assert counted(path) == {("output", "01_old"): ("2", "1"), ("formula", "ddim"): ("2", "2")}
    keep("output", {"01_new": [True]}, ["01_new"], path)
    assert counted(path) == {("output", "01_new"): ("1", "1"), ("formula", "ddim"): ("2", "2")}


@pytest.mark.parametrize(
    ("tried", "caught", "found"),
    [
        ([*MUTANTS, OTHER], [True, False, True], {"ddim": [True, False], "ode": [True]}),
        ([MUTANTS[1], OTHER], [True, True], {"ode": [True]}),
    ],
    ids=["all", "a part of ddim"],
)
def test_only_modules_tried_whole_are_kept(tried, caught, found):
    assert by_module(tried, caught, [*MUTANTS, OTHER]) == found


def test_the_shipped_table_counts_the_formulas_of_the_list():
    """Red after a change of formulas.txt: python -m tools.mutants formulas MODULE --keep."""
    listed = Counter(mutant.file for mutant in parse(LIST.read_text(encoding="utf-8")))
    rows = load_table("mutants")
    assert {r["where"]: int(r["tried"]) for r in rows if r["broken"] == "formula"} == listed
    assert all(0 < int(row["caught"]) <= int(row["tried"]) for row in rows)
