"""What a reader of a page must pass: words, lines, folds and formulas, by what is shown of them.

Words of prose (a formula is one), of shown code and of shown printed output are visible; what
stands in <details>, or in a folded cell, is folded.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools.address import ROOT, notebooks
from tools.notebooks import colab
from tools.notebooks.files import VIEW, read
from tools.notebooks.folds import CHECK, title

CELL = 12  # lines that a shown cell may have
DETAILS = re.compile(r"<details>.*?</details>", re.DOTALL)
DISPLAYED = re.compile(r"\$\$.*?\$\$", re.DOTALL)
INLINE = re.compile(r"\$[^$]+\$")
TARGET = re.compile(r"\]\([^)]*\)")
HTML = re.compile(r"<[^>]+>")
RICH = {"image/png", "text/latex", VIEW}  # what is seen in the place of an output's text
UNCOUNTED = {"text/html", "text/markdown"}


def words(text: str) -> int:
    """Count what stands between white space."""
    return len(text.split())


def count_prose(text: str) -> Counter[str]:
    """Count a Markdown cell."""
    shown = DISPLAYED.sub(" M ", DETAILS.sub(" ", text))
    shown = HTML.sub(" ", TARGET.sub("]", INLINE.sub("M", shown)))
    return Counter(
        visible=words(shown),
        prose=words(shown),
        folded=sum(map(words, DETAILS.findall(text))),
        folds=text.count("<details>"),
        formulas=text.count(r"\tag{"),
    )


def printed(cell: NotebookNode) -> int:
    """Count the words of a cell's output that are read as text."""
    total = 0
    for output in cell.outputs:
        data = output.get("data", {})
        plain = "" if RICH & set(data) else data.get("text/plain", "")
        total += words(output.get("text") or plain)
    return total


def uncounted_rules(cell: NotebookNode) -> Iterator[str]:
    """Complaints about outputs whose words nobody counts."""
    for output in cell.outputs:
        data = output.get("data", {})
        if VIEW not in data and (found := UNCOUNTED & set(data)):
            yield f"stored {', '.join(sorted(found))}, which no budget counts: print it"


def count_code(cell: NotebookNode) -> Counter[str]:
    """Count a code cell, shown or folded."""
    tags = set(cell.metadata.get("tags", []))
    if cell.get("id") == colab.ID or "remove-cell" in tags:
        return Counter()
    code, out = words(cell.source), printed(cell)
    if "hide-cell" in tags:
        check = title(cell.source).startswith(CHECK)
        return Counter(folds=1, checks=int(check), folded=code + out)
    if "hide-input" in tags:
        return Counter(folds=1, folded=code, visible=out)
    lines = sum(bool(line.strip()) for line in cell.source.split("\n"))
    return Counter({"visible": code + out, "lines": lines, "long cells": int(lines > CELL)})


def count(nb: NotebookNode) -> Counter[str]:
    """Count a page."""
    counts: Counter[str] = Counter()
    for cell in nb.cells:
        counts += count_code(cell) if cell.cell_type == "code" else count_prose(cell.source)
    return counts


def all_counts(root: Path = ROOT) -> dict[str, Counter[str]]:
    """Count every page of the book, by its file's stem."""
    return {path.stem: count(read(path)) for path in notebooks(root)}
