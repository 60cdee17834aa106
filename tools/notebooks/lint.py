"""Find what would make a notebook's output fail, or escape, the check: see CONTRIBUTING.md.

python -m tools.notebooks.lint [chapters/*.ipynb]

Prints a line for each finding, "file: cell: what", and exits with 1 if there is one.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.address import ROOT, notebooks, read_address
from tools.notebooks import budget, colab, count, pages
from tools.notebooks.files import VIEW, canonical
from tools.notebooks.folds import TITLE, TITLE_COLUMNS, fold_rules
from tools.notebooks.widget_sources import stale

LIMIT = 1_500_000  # bytes of a notebook
COLUMNS = 80
EXEMPT = re.compile(r"NBVAL|PYTEST_VALIDATE|nbval-|raises-exception", re.IGNORECASE)
UNSTEADY = re.compile(r"\b(?:tqdm|clear_output)\b|\b(?:Output|interact\w*)\(|%%capture")
OBJECT = re.compile(r"<[^<>\n]*\bat 0x[0-9a-f]+[^<>\n]*>|<torch\._C\.Generator")
CONTROL = re.compile(r"(?:Float|Int)Slider\(")  # without a script there is nothing for it to move
ARTIST = re.compile(r"^(?:\[?<matplotlib\.|\[?<Axes|\[?Text\(|\(array\(\[)")
PLACE = re.compile(r"(?<![\w+/.])/(?:work|tmp|root|home|Users|content)/|[A-Z]:\\|file:/{2}")
TAGGED = re.compile(r"\$\$(.*?)\$\$", re.DOTALL)
Rule = Callable[[NotebookNode], Iterator[str]]


def code_rules(cell: NotebookNode) -> Iterator[str]:
    """Complaints about a code cell's source."""
    source = cell.source
    if not source.strip():
        yield "empty cell"
    if source.rstrip().endswith(";"):
        yield "ends in ';', which hides an output from the check: plt.show() says it"
    if found := EXEMPT.search(f"{source}\n{cell.metadata.get('tags', [])}"):
        yield f"asks for an exemption from the check: {found.group()}"
    if found := UNSTEADY.search(source):
        yield f"its output changes from run to run: {found.group()}"
    for number, line in enumerate(source.split("\n"), start=1):
        fit = TITLE_COLUMNS if line.startswith(TITLE) else COLUMNS
        if len(line) > fit and cell.get("id") != colab.ID:
            yield f"line {number} has {len(line)} columns, {fit} fit"


def output_rules(cell: NotebookNode) -> Iterator[str]:
    """Complaints about what a code cell stored."""
    if cell.execution_count is None:
        yield "never run"
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"stored an error: {output.ename}"
        if output.get("name") == "stderr":
            yield f"stored a warning: {output.text.strip()[:60]}"
        text = output.get("text", "") + output.get("data", {}).get("text/plain", "")
        if "\r" in text or "\b" in text:
            yield "stored a line that overwrites itself"
        for pattern, what in ((OBJECT, "an address"), (ARTIST, "the name of a drawn thing")):
            if found := pattern.search(text):
                yield f"stored {what}: {found.group()[:60]}"
        alone = VIEW in output.get("data", {}) and "image/png" not in output.data
        if alone and not CONTROL.match(text):
            yield "a widget without a picture beside it"


def picture_rules(cell: NotebookNode) -> Iterator[str]:
    """Complaints about figures that some readers could not see."""
    drawn = [o for o in cell.outputs if "image/png" in o.get("data", {}) and VIEW not in o.data]
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    if drawn and len(alt) < 20 and "remove-cell" not in cell.metadata.get("tags", []):
        yield "a figure without alt text: metadata mystnb.image.alt"
    if len(drawn) > 1:
        yield f"{len(drawn)} figures in one cell share one alt text: split it"


def text_rules(cell: NotebookNode) -> Iterator[str]:
    """Complaints about a Markdown cell."""
    for body in TAGGED.findall(cell.source):
        if r"\tag" in body and "\\\\" in body and r"\begin{" not in body:
            yield r"a numbered equation with \\ is not set: use \begin{aligned}"
        if r"\tag" in body and "\n\n" in body.strip("\n"):
            yield "a numbered equation with an empty line in it is not set"


def place_rules(cell: NotebookNode) -> Iterator[str]:
    """Complaints about paths of one machine, in sources and outputs."""
    outputs = [
        o.get("text", "") + str(o.get("data", {}).get("text/plain", ""))
        for o in cell.get("outputs", [])
    ]
    for text in [cell.source, *outputs]:
        if found := PLACE.search(text):
            yield f"a path of one machine: {found.group()}"


def cell_findings(nb: NotebookNode) -> Iterator[str]:
    """Complaints about each cell, named by its id."""
    for i, cell in enumerate(nb.cells):
        code = (code_rules, fold_rules, output_rules, picture_rules, count.uncounted_rules)
        rules: tuple[Rule, ...] = code if cell.cell_type == "code" else (text_rules,)
        for rule in (*rules, place_rules):
            yield from (f"cell {i} ({cell.get('id')}): {what}" for what in rule(cell))


def book_findings(nb: NotebookNode, text: str, name: str, address: str) -> Iterator[str]:
    """Complaints about a notebook as a whole."""
    ids = [cell.get("id") for cell in json.loads(text)["cells"]]
    if None in ids or len(set(ids)) < len(ids):
        yield "a cell without an id, or two cells with the same"
    if len(text.encode()) > LIMIT:
        yield f"has {len(text.encode())} bytes, need {LIMIT} at most"
    counts = [cell.execution_count for cell in nb.cells if cell.cell_type == "code"]
    if None not in counts and counts != list(range(1, len(counts) + 1)):
        yield "its cells were not run from first to last"
    if nbformat.writes(canonical(nb, [], name)).strip() != text.strip():
        yield "not in the form that `make execute` stores"
    if stale(nb):
        yield "stores an explorer's source that is not the present one: `make widgets` renews it"
    if complaint := colab.trouble(nb, address):
        yield f"{complaint}; `make execute` puts it there"


def findings(path: Path, address: str) -> list[str]:
    """Return all complaints about one notebook."""
    text = path.read_text(encoding="utf-8")
    nb = nbformat.reads(text, as_version=4)
    return [*book_findings(nb, text, path.stem, address), *cell_findings(nb)]


def main(names: list[str]) -> int:
    """Print the findings of the named notebooks, or of the whole book."""
    address = read_address()
    paths = [Path(name) for name in names] or notebooks(ROOT)
    found = [f"{path.name}: {what}" for path in paths for what in findings(path, address)]
    if not names:
        tops = budget.ceilings()
        found += [*budget.faults(count.all_counts(), tops), *pages.faults(set(tops))]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
