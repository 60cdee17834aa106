"""The pictures that a chapter's explorer has stored are what the chapter's own `draw` gives now."""

import ast
import base64
import dis
import json
from pathlib import Path
from types import CodeType

import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from ddim_lib.widgets.sheet import SHADE, tile_of, to_grey
from tools.notebooks.check import STATE

CHAPTERS = Path(__file__).resolve().parents[2] / "chapters"
QUICK = 10  # steps at most of the pictures that are drawn again
READS = ("LOAD_NAME", "LOAD_GLOBAL")
EXPLORER = "ddim_lib.widgets.grid.GridExplorer"


def stored(notebook: dict) -> list[dict]:
    """Return the states of a notebook's grid explorers, their sheets decoded."""
    models = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {}).values()
    found = [model for model in models if model["state"].get("_anywidget_id") == EXPLORER]
    for model in found:
        model["state"]["sheet"] = base64.b64decode(model["buffers"][0]["data"])
    return [model["state"] for model in found]


def explorers() -> list:
    """Return each stored explorer of the book and the statements of its notebook."""
    found = []
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
        code = "".join(TransformerManager().transform_cell(cell) for cell in cells)
        states = stored(notebook)
        found += [pytest.param(s, ast.parse(code).body, id=path.stem) for s in states]
    return found


def draw_argument(statement: ast.stmt, alt: str) -> ast.expr | None:
    """Return what a statement hands to explore(…, alt=alt) first, None if it does not."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "explore":
            words = [ast.literal_eval(k.value) for k in node.keywords if k.arg == "alt"]
            if alt in words:
                return node.args[0]
    return None


def code_of(node: ast.AST) -> CodeType:
    """Compile one statement, or one expression."""
    if isinstance(node, ast.expr):
        return compile(ast.Expression(node), "chapter", "eval")
    return compile(ast.Module([node], []), "chapter", "exec")


def used(code: CodeType) -> set[str]:
    """Global names that code reads, in the functions that it defines too."""
    names = {i.argval for i in dis.get_instructions(code) if i.opname.startswith(READS)}
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return names.union(*map(used, inner))


def bound(code: CodeType) -> set[str]:
    """Global names that code gives a value."""
    return {i.argval for i in dis.get_instructions(code) if i.opname == "STORE_NAME"}


def needed(code: CodeType, statements: list[CodeType]) -> list[CodeType]:
    """Return the statements that must run before code can, in their order."""
    last = {name: i for i, statement in enumerate(statements) for name in bound(statement)}
    kept: set[int] = set()
    waiting = [code]
    while waiting:
        new = {last[name] for name in used(waiting.pop()) & set(last)} - kept
        kept |= new
        waiting += [statements[i] for i in new]
    return [statements[i] for i in sorted(kept)]


def draw_of(statements: list[ast.stmt], alt: str):
    """Run what the chapter's `draw` stands on, and return it."""
    arguments = [draw_argument(statement, alt) for statement in statements]
    (place,) = [i for i, argument in enumerate(arguments) if argument is not None]
    draw, before = code_of(arguments[place]), [code_of(s) for s in statements[:place]]
    names: dict = {}
    for statement in needed(draw, before):
        exec(statement, names)
    return eval(draw, names)


@pytest.mark.parametrize(("state", "statements"), explorers())
def test_stored_pictures_are_what_draw_gives(state, statements):
    draw, etas, counts = draw_of(statements, state["alt"]), state["etas"], state["step_counts"]
    corners = {(eta, steps) for eta in (etas[0], etas[-1]) for steps in counts if steps <= QUICK}
    assert len(corners) >= 2
    for eta, steps in corners:
        place = etas.index(eta), counts.index(steps)
        picture = tile_of(state["sheet"], *place, state["tile"]).astype(float)
        now = to_grey(draw(eta, steps))
        assert np.abs(picture - now).max() <= SHADE / 2 + 1, (eta, steps)


def test_there_is_something_to_compare():
    assert explorers()
