"""Differences between settings: pairs, their uncertainty, and what may be said of them."""

import math

import pytest
import torch
from scipy import stats

from ddim_lib.tables.compare import Difference, difference, paired

FIRST, SECOND = {"steps": "10", "eta": "0"}, {"steps": "10", "eta": "1"}


def table(*cells):
    """Rows of (steps, eta, seed, n, score), as a file has them."""
    names = ("steps", "eta", "seed", "n", "score")
    return [dict(zip(names, map(str, cell), strict=True)) for cell in cells]


def test_margin_is_students():
    # t(0.975, 2) = 4.303 stands in every table of Student's distribution; sd of 1, 2, 3 is 1
    assert difference([1, 2, 3]) == Difference(2, pytest.approx(4.303 / math.sqrt(3), rel=1e-4), 3)


@pytest.mark.parametrize("shift", [-1.0, -0.2, 0.0, 0.2, 1.0])
@pytest.mark.parametrize("count", [2, 3, 10, 64])
def test_a_verdict_is_a_t_test(shift, count):
    for seed in range(20):
        g = torch.Generator().manual_seed(seed)
        values = (shift + torch.randn(count, generator=g, dtype=torch.float64)).tolist()
        test = stats.ttest_1samp(values, 0)
        expected = "tie" if test.pvalue > 0.05 else "less" if test.statistic < 0 else "more"
        assert difference(values).verdict == expected


def test_equal_settings_are_told_apart_in_one_case_of_twenty():
    g = torch.Generator().manual_seed(0)
    draws = torch.randn(2000, 3, generator=g, dtype=torch.float64)
    wrong = sum(difference(row).verdict != "tie" for row in draws.tolist())
    assert 60 < wrong < 140


def test_one_pair_or_none_leaves_it_open():
    assert difference([0.5]).verdict == difference([]).verdict == "open"
    assert difference([0.5])[::2] == (0.5, 1)
    assert difference([]).pairs == 0


def test_pairs_share_their_seed_and_n():
    rows = table(
        (10, 0, 0, 200, 1.0), (10, 1, 0, 200, 2.0),
        (10, 0, 1, 200, 5.0), (10, 1, 1, 200, 8.0),
        (10, 0, 2, 200, 99.0), (10, 1, 2, 500, -99.0),  # no partner of the same n
        (10, 0, 3, 100, 99.0), (10, 1, 3, 100, -99.0),  # a smaller n
        (20, 0, 0, 200, 99.0),
    )  # fmt: skip
    found = paired(rows, "score", FIRST, SECOND)
    assert (found.mean, found.pairs) == (-2.0, 2)
    assert paired(rows, "score", SECOND, FIRST).mean == 2.0
    assert paired(rows[:2], "score", FIRST, SECOND).verdict == "open"
    assert paired([], "score", FIRST, SECOND).pairs == 0


def test_pairing_sees_what_the_spread_hides():
    rows = table(*((10, eta, seed, 9, 10 * seed + eta) for eta in (0, 1) for seed in range(3)))
    assert paired(rows, "score", FIRST, SECOND) == Difference(-1.0, 0.0, 3)
    assert paired(rows, "score", FIRST, SECOND).verdict == "less"
