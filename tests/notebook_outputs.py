"""A pytest plugin that makes nbval strict: figures and widget states count, unrun cells fail.

Used as  pytest -p tests.notebook_outputs --nbval chapters.  nbval skips PNGs, cannot see widgets,
and passes a cell that was never run. Here a stored figure equals a new one when their pixels
differ by at most RMS of 255 (root mean square over pixels and channels); the state of every
widget is compared in one more item at the end of a notebook.
"""

import base64
import io
import json

import numpy as np
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile
from PIL import Image

from tools.execute import STATE, widget_id

RMS = 2.0


class Png(str):
    """A base64 PNG that equals another when their pixels nearly do."""

    def pixels(self) -> np.ndarray:
        """Return (height, width, 4) in 0 … 255."""
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(self))).convert("RGBA"), float)

    def __eq__(self, other: object) -> bool:
        a, b = self.pixels(), Png(other).pixels()
        return a.shape == b.shape and float(np.sqrt(((a - b) ** 2).mean())) <= RMS

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


def record(message: dict, states: dict[str, dict]) -> None:
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


class WidgetStates(pytest.Item):
    """The last item of a notebook: its widgets' stored states against the live ones."""

    def runtest(self) -> None:
        """Fail naming each widget and trait that differs."""
        notebook = self.parent
        stored, live = stored_states(notebook.nb), notebook.live_states
        rename = {model_id: widget_id(self.path.stem, i) for i, model_id in enumerate(live)}
        assert set(stored) == set(rename.values()), (
            f"{len(stored)} widgets stored, {len(live)} now; `make execute` stores them"
        )
        bad = [
            f"{now.get('_model_name')}: {', '.join(names)}"
            for model_id, now in live.items()
            if (names := differences(stored[rename[model_id]], now, rename))
        ]
        assert not bad, "stored widget state differs: " + "; ".join(bad)

    def reportinfo(self):
        """Name the item as nbval names cells."""
        return self.path, 0, f"{self.path.name}::widgets"


def make_strict(notebook: IPyNbFile) -> None:
    """Let one collected notebook compare figures and remember its widgets."""
    notebook.skip_compare = tuple(k for k in notebook.skip_compare if k != "image/png")
    notebook.live_states = {}
    receive = notebook.get_kernel_message

    def get_kernel_message(timeout=None, stream="iopub"):
        message = receive(timeout, stream)
        record(message, notebook.live_states)
        return message

    notebook.get_kernel_message = get_kernel_message


def check_stored(item: IPyNbCell) -> None:
    """Make stored figures comparable; fail on a cell that was never run or ended in an error."""
    cell = item.cell
    if cell.source.strip() and cell.execution_count is None:
        raise pytest.UsageError(f"{item.nodeid}: never run; `make execute` stores its outputs")
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            data["image/png"] = Png(data["image/png"].strip())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Prepare every notebook that nbval collected, and append its widget item."""
    notebooks: dict[IPyNbFile, int] = {}
    for i, item in enumerate(items):
        if isinstance(item, IPyNbCell):
            if item.parent not in notebooks:
                make_strict(item.parent)
            check_stored(item)
            notebooks[item.parent] = i
    for notebook, last in sorted(notebooks.items(), key=lambda pair: -pair[1]):
        items.insert(last + 1, WidgetStates.from_parent(notebook, name="widgets"))
