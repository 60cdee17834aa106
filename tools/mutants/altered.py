"""Altered versions of a notebook's stored outputs: each must turn the notebook check red."""

import base64
import copy
import random
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from nbformat import NotebookNode

from tools.mutants.alterations import Found, code_cells, in_picture, in_text, shifted
from tools.notebooks.files import STATE, VIEW


class Altered(NamedTuple):
    """One altered notebook, the kind of what was done to it, and the code cell where."""

    kind: str
    cell: str
    notebook: NotebookNode


def in_cell(nb: NotebookNode, i: int) -> Found:
    """Outputs of a cell removed, exchanged, or never made."""
    outputs = code_cells(nb)[i].outputs

    def forget(nb: NotebookNode) -> None:
        code_cells(nb)[i].outputs, code_cells(nb)[i].execution_count = [], None

    if outputs:
        yield "cell: never run", forget
    for j in range(len(outputs)):
        yield "output: removed", lambda nb, j=j: code_cells(nb)[i].outputs.pop(j)
    for j in range(1, len(outputs)):
        if outputs[j] != outputs[j - 1]:
            yield "output: exchanged in a cell", lambda nb, j=j: exchange(nb, i, j)


def exchange(nb: NotebookNode, i: int, j: int) -> None:
    """Let outputs j - 1 and j of code cell i change places."""
    outputs = code_cells(nb)[i].outputs
    outputs[j - 1 : j + 1] = outputs[j], outputs[j - 1]


def between_cells(nb: NotebookNode, i: int) -> Found:
    """Code cell i and the one before it: their outputs exchanged, or the cells themselves."""
    first, second = code_cells(nb)[i - 1 : i + 1]

    def exchange_outputs(nb: NotebookNode) -> None:
        first, second = code_cells(nb)[i - 1 : i + 1]
        first.outputs, second.outputs = second.outputs, first.outputs

    def exchange_cells(nb: NotebookNode) -> None:
        places = [k for k, cell in enumerate(nb.cells) if cell.cell_type == "code"]
        a, b = places[i - 1], places[i]
        nb.cells[a], nb.cells[b] = nb.cells[b], nb.cells[a]

    if first.outputs != second.outputs:
        yield "cells: outputs exchanged", exchange_outputs
    yield "cells: in another order", exchange_cells


def in_widgets(nb: NotebookNode) -> Found:
    """Altered states of widgets."""
    models = nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    for key, model in models.items():
        yield "widget: removed", lambda nb, key=key: widgets(nb).pop(key)
        for name, value in model["state"].items():
            if not name.startswith("_") and (new := other_value(value)) is not None:
                yield "widget: a trait", lambda nb, k=key, n=name, v=new: put(nb, k, n, v)
        for j, buffer in enumerate(model.get("buffers", [])):
            new = other_buffer(buffer["data"])
            yield "widget: a buffer", lambda nb, k=key, j=j, v=new: put_buffer(nb, k, j, v)
    for i, cell in enumerate(code_cells(nb)):
        for j, output in enumerate(cell.outputs):
            if VIEW in output.get("data", {}) and len(models) > 1:
                shown = output.data[VIEW]["model_id"]
                other = next(key for key in models if key != shown)
                yield "widget: another one shown", lambda nb, i=i, j=j, k=other: show(nb, i, j, k)


def widgets(nb: NotebookNode) -> dict:
    """Return the stored models of a notebook."""
    return nb.metadata.widgets[STATE].state


def other_value(value: object) -> object:
    """Return another value like a trait's, None where there is none."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        if value.startswith("iVBOR"):
            return shifted(value)
        return value + "x"
    if isinstance(value, list) and value:
        return value[:-1]
    return None


def other_buffer(data: str) -> str:
    """Return another content of a buffer: a picture moved, or a byte changed."""
    if data.startswith("iVBOR"):
        return shifted(data)
    raw = bytearray(base64.b64decode(data))
    raw[len(raw) // 2] ^= 0x40
    return base64.b64encode(bytes(raw)).decode()


def put(nb: NotebookNode, key: str, name: str, value: object) -> None:
    """Set a trait in a stored state."""
    widgets(nb)[key].state[name] = value


def put_buffer(nb: NotebookNode, key: str, j: int, data: str) -> None:
    """Set a buffer in a stored state."""
    widgets(nb)[key].buffers[j].data = data


def show(nb: NotebookNode, i: int, j: int, key: str) -> None:
    """Let an output show another widget."""
    code_cells(nb)[i].outputs[j].data[VIEW]["model_id"] = key


def changes(nb: NotebookNode, reseeded: dict[str, list[str]]) -> Iterator[tuple[str, str, object]]:
    """List kind, cell and change of all alterations of a notebook."""
    cells = code_cells(nb)
    for i, cell in enumerate(cells):
        dice, seeds = random.Random(cell.source), iter(reseeded.get(cell.source, []))
        found = list(in_cell(nb, i)) + (list(between_cells(nb, i)) if i else [])
        for j, output in enumerate(cell.outputs):
            drawn = "image/png" in output.get("data", {})
            other = next(seeds, "") if drawn else ""
            found += [*in_text(i, j, output, dice), *in_picture(i, j, output, other)]
        yield from ((kind, cell.get("id", str(i)), change) for kind, change in found)
    yield from ((kind, "widgets", change) for kind, change in in_widgets(nb))


def alterations(nb: NotebookNode, reseeded: dict[str, list[str]], limit: int) -> Iterator[Altered]:
    """Alter a notebook in every way, at most `limit` times in each, the same ones every time."""
    kinds = defaultdict(list)
    for kind, cell, change in changes(nb, reseeded):
        kinds[kind].append((cell, change))
    for kind, found in sorted(kinds.items()):
        for cell, change in random.Random(kind).sample(found, min(limit, len(found))):
            altered = copy.deepcopy(nb)
            change(altered)
            yield Altered(kind, cell, altered)
