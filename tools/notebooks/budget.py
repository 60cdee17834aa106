"""What each page of the book may show, in words, lines, folds and formulas: see CONTRIBUTING.md.

    python -m tools.notebooks.budget            what each page shows; a star: over its limit
    python -m tools.notebooks.budget --lower    take down the ceilings of pages that shrank

A page over a limit has a ceiling, its last count, in chapters/budget.toml: it may only fall.
"""

import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tools.address import ROOT
from tools.notebooks.count import all_counts

Tops = dict[str, dict[str, int]]  # by page and measure
CEILINGS = ROOT / "chapters" / "budget.toml"
COMMAND = "python -m tools.notebooks.budget --lower"
BOOK = 64_000  # visible words of all pages together
LINE = {
    "visible": 5500,
    "prose": 3300,
    "lines": 200,
    "long cells": 0,
    "folds": 24,
    "checks": 8,
    "folded": 3000,
    "formulas": 20,
}
LIMITS = (  # by the first pattern that a page's name begins with
    (r"\d\d_", LINE),
    (r"trip_[bds]_", {"visible": 4000}),
    (r"trip_|lab$", {"visible": 3000}),
    (r"at_hand_", {"visible": 2000}),
)
HEAD = "# What pages over their limits show, and may at most. Only `make budget` changes it.\n"


def limits(name: str) -> dict[str, int]:
    """Return the limits of a page; name: its file's stem."""
    return next((limit for pattern, limit in LIMITS if re.match(pattern, name)), {})


def ceilings(path: Path = CEILINGS) -> Tops:
    """Return the ceilings of the pages that are over their limits."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def lowered(counts: dict[str, Counter[str]], tops: Tops) -> Tops:
    """Return the ceilings, each at its page's count; without those that a limit now holds."""
    new: Tops = {}
    for name, page in counts.items():
        for key, top in tops.get(name, {}).items():
            if page[key] > limits(name)[key]:
                new.setdefault(name, {})[key] = min(top, page[key])
    return new


def faults(counts: dict[str, Counter[str]], tops: Tops) -> Iterator[str]:
    """Complaints about pages that show more than they may."""
    for name, page in counts.items():
        if not limits(name):
            yield f"{name}: has no budget: name it like the pages of its kind"
        for key, most in (limits(name) | tops.get(name, {})).items():
            if page[key] > most:
                yield f"{name}: {page[key]} {key}, its budget is {most}"
    if lowered(counts, tops) != tops:
        yield f"{CEILINGS.name}: a page fell below its ceiling: {COMMAND} (make budget) lowers it"
    total = sum(page["visible"] for page in counts.values())
    if total > BOOK:
        yield f"all pages together: {total} visible words, their budget is {BOOK}"


def lower(path: Path = CEILINGS) -> None:
    """Write down the ceilings of pages that shrank."""
    tops = lowered(all_counts(), ceilings(path))
    tables = [
        f"\n[{name}]\n" + "".join(f'"{key}" = {top}\n' for key, top in values.items())
        for name, values in tops.items()
    ]
    path.write_text(HEAD + "".join(tables), encoding="utf-8")


def table(counts: dict[str, Counter[str]]) -> str:
    """Return the counts as a table, a star behind what is over its limit."""
    rows = [" " * 22 + "".join(f"{key:>12}" for key in LINE)]
    for name, page in counts.items():
        over = {key for key, most in limits(name).items() if page[key] > most}
        cells = (f"{page[key]}{'*' if key in over else ' '}" for key in LINE)
        rows.append(f"{name:22}" + "".join(f"{cell:>12}" for cell in cells))
    total = sum(page["visible"] for page in counts.values())
    return "\n".join([*rows, f"{f'all pages, of {BOOK}':22}{total:>11}"])


if __name__ == "__main__":
    if sys.argv[1:] == ["--lower"]:
        lower()
    print(table(all_counts()))
