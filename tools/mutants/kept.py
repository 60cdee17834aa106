"""What was broken on purpose and what was caught, kept for the page that tells of it.

Part of tools.mutants: --keep writes a row for each module and each notebook that was tried whole
into ddim_lib/assets/table_mutants.csv, with the commit at which it was tried.
"""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from ddim_lib.files import ASSETS, atomically
from ddim_lib.tables.store import commit, read_rows, write_rows

TABLE = ASSETS / "table_mutants.csv"
COLUMNS = ("broken", "where", "tried", "caught", "commit")


@cache
def tried_at() -> str:
    """Return the commit that is tried, as it was before this run wrote its first row."""
    return commit()


def keep(
    part: str, found: Mapping[str, Collection[bool]], listed: Collection[str], path: Path = TABLE
) -> None:
    """Put what was found into the table; rows of what is not listed any more go.

    part: "formula" or "output". found: for each module or notebook whether each break was caught.
    """
    rows = {(row["broken"], row["where"]): row for row in read_rows(path)} if path.exists() else {}
    for where, caught in found.items():
        values = (part, where, str(len(caught)), str(sum(caught)), tried_at())
        rows[part, where] = dict(zip(COLUMNS, values, strict=True))
    known = [row for (kind, where), row in sorted(rows.items()) if kind != part or where in listed]
    atomically(path, lambda file: write_rows(file, COLUMNS, known))
