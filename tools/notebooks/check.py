"""A pytest plugin that makes nbval strict.

Used as  pytest -p tools.notebooks.check --nbval chapters.  By itself nbval skips PNGs, widgets
and the order of unlike outputs, and passes a cell that was never run or that asks to be skipped.
Here a stored figure equals a new one when their pixels nearly do; the outputs of a cell come in
the stored order, each of the stored kind; every cell counts. Two more items stand at the end of a
notebook: "form" (all cells run, in order, none exempt) and "widgets" (the state of each widget).
"""

import base64
import copy
import functools
import io
import json

import nbval.kernel
import numpy as np
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile
from PIL import Image

from tools.notebooks.files import STATE, VIEW, widget_id
from tools.notebooks.kernels import QuietKernel

RMS = 2.0  # of 255, over all pixels and channels: another picture
LEVEL, SPECKS = 32, 8  # so many pixels off by more than so much: a mark moved in the same picture
PICTURES = ("image/png", "image/jpeg")
STREAMED = ("stream", "display_data", "execute_result", "update_display_data", "clear_output")


@functools.lru_cache(maxsize=64)
def pixels(png: str) -> np.ndarray:
    """Return the pixels of a base64 PNG, (height, width, 4) in 0 … 255."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"), float)


class Png(str):
    """A base64 PNG that equals another when their pixels nearly do."""

    def __eq__(self, other: object) -> bool:
        if str.__eq__(self, other) is True:
            return True
        a, b = pixels(str(self)), pixels(str(other))
        if a.shape != b.shape:
            return False
        off = np.abs(a - b)
        return np.sqrt((off**2).mean()) <= RMS and (off.max(2) > LEVEL).sum() < SPECKS

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def looks_like_png(value: object) -> bool:
    """Whether a value of a widget's state is a base64 PNG."""
    return isinstance(value, str) and value.startswith("iVBORw0KGgo")


def stored_states(nb) -> dict[str, dict]:
    """Return the state of each widget in the notebook by its id, buffers inlined."""
    models = nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    states = {}
    for model_id, model in models.items():
        states[model_id] = json.loads(json.dumps(model["state"]))
        for buffer in model.get("buffers", []):
            put(states[model_id], buffer["path"], buffer["data"])
    return states


def put(state: dict, path: list, value: str) -> None:
    """Set state[path[0]][path[1]]… = value."""
    for key in path[:-1]:
        state = state[key]
    state[path[-1]] = value


def record_state(message: dict, states: dict[str, dict]) -> None:
    """Follow the kernel's comm messages, so that `states` holds what a front end would."""
    content, data = message["content"], message["content"].get("data", {})
    if message["msg_type"] not in ("comm_open", "comm_msg") or "state" not in data:
        return
    state = dict(data["state"])
    for path, buffer in zip(data.get("buffer_paths", []), message["buffers"], strict=True):
        put(state, path, base64.b64encode(bytes(buffer)).decode())
    states.setdefault(content["comm_id"], {}).update(state)


def differences(stored: dict, live: dict, rename: dict[str, str]) -> list[str]:
    """Names of the traits in which two states of a widget differ; rename: live ids to stored."""
    text = json.dumps(live)
    for old, new in rename.items():
        text = text.replace(old, new)
    live = json.loads(text)
    return [key for key in sorted(stored | live) if not equal(stored.get(key), live.get(key))]


def equal(a: object, b: object) -> bool:
    """Whether two values of a trait agree, pictures by their pixels."""
    return Png(a) == b if looks_like_png(a) and looks_like_png(b) else a == b


def outline(outputs: list[dict], rename: dict[str, str]) -> list[tuple]:
    """What nbval does not look at: the order of the outputs, their kinds, the widgets shown."""
    found: list[tuple] = []
    for output in outputs:
        if output["output_type"] == "stream":
            before = found.pop() if found and found[-1][:2] == ("stream", output["name"]) else None
            text = (before[2] if before else "") + output["text"]
            found.append(("stream", output["name"], text))
        else:
            data = output.get("data", {})
            view = data.get(VIEW, {}).get("model_id")
            shown = rename.get(view, view)
            found.append((output["output_type"], sorted(data), output.get("metadata"), shown))
    return found


class WidgetStates(pytest.Item):
    """An item of a notebook: its widgets' stored states against the live ones."""

    def runtest(self) -> None:
        """Fail naming each widget and trait that differs."""
        notebook = self.parent
        stored, rename = stored_states(notebook.nb), renamed(notebook)
        assert set(stored) == set(rename.values()), (
            f"{len(stored)} widgets stored, {len(rename)} now; `make execute` stores them"
        )
        bad = [
            f"{now.get('_model_name')}: {', '.join(names)}"
            for model_id, now in notebook.live_states.items()
            if (names := differences(stored[rename[model_id]], now, rename))
        ]
        assert not bad, "stored widget state differs: " + "; ".join(bad)

    def reportinfo(self):
        """Name the item as nbval names cells."""
        return self.path, 0, f"{self.path.name}::{self.name}"


class Form(WidgetStates):
    """An item of a notebook: every cell was run, once, in its order, and none asks for mercy."""

    def runtest(self) -> None:
        """Fail naming the cells."""
        items, bad = self.parent.cells, []
        for i, item in enumerate(items, start=1):
            if item.cell.execution_count != i:
                bad.append(f"{item.name} was run as [{item.cell.execution_count}], not as [{i}]")
            if {name for name, chosen in item.options.items() if chosen} != {"check"}:
                bad.append(f"{item.name} asks nbval for an exemption")
        assert not bad, "; ".join(bad) + "; `make execute` stores outputs"


def renamed(notebook: IPyNbFile) -> dict[str, str]:
    """Stored ids of the widgets by their live ones."""
    return {live: widget_id(notebook.path.stem, i) for i, live in enumerate(notebook.live_states)}


def make_strict(notebook: IPyNbFile) -> None:
    """Let one collected notebook compare figures, and remember its widgets and outputs."""
    notebook.skip_compare = tuple(k for k in notebook.skip_compare if k not in PICTURES)
    notebook.cells, notebook.live_states, notebook.live_outputs = [], {}, []
    receive = notebook.get_kernel_message

    def get_kernel_message(timeout=None, stream="iopub"):
        message = receive(timeout, stream)
        record_state(message, notebook.live_states)
        if message["msg_type"] == "execute_input":
            notebook.live_outputs.clear()
        elif message["msg_type"] in STREAMED:
            notebook.live_outputs.append(
                {"output_type": message["msg_type"]} | copy.deepcopy(message["content"])
            )
        return message

    notebook.get_kernel_message = get_kernel_message


def make_cell_strict(item: IPyNbCell) -> None:
    """Let one cell compare its figures, and the order and kinds of its outputs."""
    item.parent.cells.append(item)
    stored = outline(copy.deepcopy(item.cell.outputs), {})  # nbval merges streams in place
    for output in item.cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            data["image/png"] = Png(data["image/png"].strip())
    compare = item.compare_outputs

    def compare_outputs(test, ref, skip_compare=None):
        if not compare(test, ref, skip_compare):
            return False
        live = outline(item.parent.live_outputs, renamed(item.parent))
        if live != stored:
            item.comparison_traceback.append(f"stored, in order: {stored}\nnow: {live}")
        return live == stored

    item.compare_outputs = compare_outputs


def pytest_configure() -> None:
    """Let nbval's kernels take no ports: two that start together took the same one."""
    nbval.kernel.KernelManager = QuietKernel


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Prepare every notebook that nbval collected, and append its two items."""
    notebooks: dict[IPyNbFile, int] = {}
    for i, item in enumerate(items):
        if isinstance(item, IPyNbCell):
            if item.parent not in notebooks:
                make_strict(item.parent)
            make_cell_strict(item)
            notebooks[item.parent] = i
    for notebook, last in sorted(notebooks.items(), key=lambda pair: -pair[1]):
        items.insert(last + 1, WidgetStates.from_parent(notebook, name="widgets"))
        items.insert(last + 1, Form.from_parent(notebook, name="form"))
