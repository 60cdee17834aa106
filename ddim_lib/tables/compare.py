"""Is one setting better than another? Differences of measured cells, each with its uncertainty."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy.special import stdtrit

from ddim_lib.tables.store import Row

LEVEL = 0.95


class Difference(NamedTuple):
    """Mean of paired differences and half the width of its 95 % interval, NaN for one pair."""

    mean: float
    margin: float
    pairs: int

    @property
    def verdict(self) -> str:
        """Return "less" or "more" if 0 lies outside the interval, "tie" inside, else "open"."""
        if not self.pairs or math.isnan(self.margin):
            return "open"
        if abs(self.mean) <= self.margin:
            return "tie"
        return "less" if self.mean < 0 else "more"


def difference(values: Sequence[float]) -> Difference:
    """Mean of differences ± t · sd / √count, t the 0.975 quantile of Student with count − 1.

    values: one difference for each pair, of two settings that share their noise. Few pairs are
    paid for: t is 12.7 for two, 4.3 for three and 2.0 for sixty. No values: NaN, "open".
    Source: Student 1908.
    """
    values = [float(value) for value in values]
    count = len(values)
    if count < 2:
        return Difference(values[0] if values else math.nan, math.nan, count)
    t = float(stdtrit(count - 1, (1 + LEVEL) / 2))
    margin = t * statistics.stdev(values) / math.sqrt(count)
    return Difference(statistics.fmean(values), margin, count)


def paired(
    rows: Sequence[Row], value: str, first: Mapping[str, str], second: Mapping[str, str]
) -> Difference:
    """Difference of one column, `first` minus `second`, seed by seed, of a table of `load_table`.

    first, second: what the columns of a cell hold, {"steps": "10", "eta": "0"}. Only rows of one
    seed and one n are compared; of several n the largest that both have counts.
    """
    of_first, of_second = _by_draw(rows, value, first), _by_draw(rows, value, second)
    common = of_first.keys() & of_second.keys()
    largest = max((n for n, _ in common), default=0)
    draws = sorted(draw for draw in common if draw[0] == largest)
    return difference([of_first[draw] - of_second[draw] for draw in draws])


def _by_draw(
    rows: Sequence[Row], value: str, cell: Mapping[str, str]
) -> dict[tuple[int, str], float]:
    return {
        (int(row["n"]), row["seed"]): float(row[value])
        for row in rows
        if all(row[name] == text for name, text in cell.items())
    }
