"""Tables of measured numbers: one CSV row for each finished cell, with its provenance.

A row has keys (which cell), results (what was measured), the identity of what was measured (equal
in all rows of a file) and what else was at work (torch, device, commit), which may differ.
"""

import csv
import math
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ddim_lib.files import ASSETS, atomically

Row = dict[str, str]

UNSAID = {"spacing": "uniform"}  # what holds in files from before there was such a column


class Mean(NamedTuple):
    """Mean and standard deviation over seeds (NaN for one seed), how many seeds, and their n."""

    mean: float
    sd: float
    seeds: int
    n: int


@dataclass(frozen=True)
class Store:
    """A file of finished cells, which is whole at every moment.

    keys, results: names of columns. identity: what all rows must have been measured on.
    provenance: written into new rows, never compared.
    """

    path: Path
    keys: Sequence[str]
    results: Sequence[str]
    identity: Mapping[str, str]
    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Names of all columns, in their order in the file."""
        return [*self.keys, *self.results, *self.identity, *self.provenance]

    def rows(self) -> list[Row]:
        """Finished rows; raises ValueError if the file is not of this table or of other weights."""
        if not self.path.exists():
            return []
        unsaid = {name: text for name, text in UNSAID.items() if name in self.keys}
        rows = [self._ordered(unsaid | row) for row in read_rows(self.path)]
        for row in rows:
            self._check(row)
        return rows

    def _ordered(self, row: Row) -> Row:
        """Put a row's columns in their order; those that do not belong there come last."""
        return {name: row[name] for name in [*self.columns, *row] if name in row}

    def _check(self, row: Row) -> None:
        if list(row) != self.columns or None in row.values():
            need = ", ".join(self.columns)
            raise ValueError(f"need the columns {need} in {self.path}, got {row}")
        for name, need in self.identity.items():
            if row[name] != need:
                raise ValueError(
                    f"need {name}={row[name]} as in {self.path}, got {name}={need}: "
                    "name another file with --out"
                )

    def done(self) -> set[tuple[str, ...]]:
        """Return the keys of all finished cells, as texts."""
        return {tuple(row[key] for key in self.keys) for row in self.rows()}

    def add(self, cell: Sequence[str], values: Mapping[str, float]) -> None:
        """Add one finished cell; whoever is killed meanwhile leaves the old file or the new one."""
        found = {name: f"{values[name]:.6g}" for name in self.results}
        row = dict(zip(self.keys, cell, strict=True)) | found | dict(self.identity)
        rows = [*self.rows(), row | dict(self.provenance)]
        atomically(self.path, lambda part: write_rows(part, self.columns, rows))


def read_rows(path: Path) -> list[Row]:
    """Rows of a CSV file with a header; raises ValueError if it is not text."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except UnicodeDecodeError as error:
        raise ValueError(f"need a table in {path}, got {error}") from error


def write_rows(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write rows as CSV with a header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def load_table(source: str | Path, spacing: str = "uniform") -> list[Row]:
    """Rows of a shipped table by its name ("exact", "floors", …) or of a file by its path.

    Every value is a text, as in the file. Of a table with several spacings of the steps, only rows
    of one; a table that does not say is uniform. Raises FileNotFoundError: no such table.
    """
    path = Path(source)
    if isinstance(source, str) and path.name == source and not path.suffix:
        path = ASSETS / f"table_{source}.csv"
    if not path.is_file():
        raise FileNotFoundError(f"need a table, got {path}, which is no file")
    return [row for row in read_rows(path) if (UNSAID | row)["spacing"] == spacing]


def over_seeds(rows: Sequence[Row], value: str, by: Sequence[str]) -> dict[tuple[str, ...], Mean]:
    """Mean ± standard deviation over seeds of one column, for each combination of the columns `by`.

    Of cells measured with several n, those of the largest n count. Raises KeyError: no such column.
    """
    cells: dict[tuple[str, ...], dict[int, list[float]]] = {}
    for row in rows:
        sizes = cells.setdefault(tuple(row[name] for name in by), {})
        sizes.setdefault(int(row["n"]), []).append(float(row[value]))
    return {cell: _mean(max(sizes), sizes[max(sizes)]) for cell, sizes in cells.items()}


def _mean(n: int, values: list[float]) -> Mean:
    sd = statistics.stdev(values) if len(values) > 1 else math.nan
    return Mean(statistics.fmean(values), sd, len(values), n)


def commit() -> str:
    """Name the commit that this library is of, "-dirty" if it was changed, or say it is unknown."""
    here = Path(__file__).parent / "__init__.py"
    git = ["git", "-C", str(here.parent)]
    tracked = [*git, "ls-files", "--error-unmatch", here.name]
    name = [*git, "describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*"]
    try:
        # An installed copy may lie within somebody else's repository, which does not track it.
        subprocess.run(tracked, capture_output=True, check=True)
        return subprocess.run(name, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
