"""A pytest plugin that runs a notebook's kernel once, and plays it back as often as wanted.

    pytest -p tools.notebooks.check -p tools.mutants.replay --nbval --record TAPE page.ipynb
    pytest -p tools.notebooks.check -p tools.mutants.replay --nbval --replay TAPE page.ipynb

The second line compares whatever page.ipynb then holds with the outputs of the first run, through
all of nbval and of the strict plugin, without a kernel. So thousands of altered versions of a
notebook can be tried at the price of one execution. With --record, cells that name a seed and draw
a picture are run once more at the end with another seed; the tape keeps those pictures too.
"""

import pickle
import re
from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty

import nbval.plugin
from nbval.kernel import RunningKernel

SEED = re.compile(r"((?:seeded|manual_seed|default_rng)\(|\bseed=)(\d+)")


@dataclass
class Execution:
    """One cell's run: the messages of each channel in their order."""

    source: str
    msg_id: str
    messages: dict[str, list[dict]] = field(default_factory=lambda: {"shell": [], "iopub": []})

    def pictures(self) -> list[str]:
        """Return the PNGs that the cell put out."""
        contents = (message["content"].get("data", {}) for message in self.messages["iopub"])
        return [data["image/png"] for data in contents if "image/png" in data]


@dataclass
class Tape:
    """All runs of a notebook's cells, and the pictures of some with another seed."""

    executions: list[Execution] = field(default_factory=list)
    reseeded: dict[str, list[str]] = field(default_factory=dict)


def load(path: Path | str) -> Tape:
    """Read a tape."""
    return pickle.loads(Path(path).read_bytes())


class Recorder(RunningKernel):
    """A kernel whose messages are written down."""

    def __init__(self, path: str, *args, **kwargs) -> None:
        self.path, self.tape = Path(path), Tape()
        super().__init__(*args, **kwargs)

    def execute_cell_input(self, cell_input, allow_stdin=None):
        """Open a new entry."""
        msg_id = super().execute_cell_input(cell_input, allow_stdin)
        self.tape.executions.append(Execution(cell_input, msg_id))
        return msg_id

    def get_message(self, stream, timeout=None):
        """Write each message down, its buffers as bytes that can be pickled."""
        message = super().get_message(stream, timeout)
        message["buffers"] = [bytes(buffer) for buffer in message["buffers"]]
        if self.tape.executions:
            self.tape.executions[-1].messages[stream].append(message)
        return message

    def stop(self):
        """Draw pictures with other seeds, write the tape, stop."""
        told = list(self.tape.executions)
        for execution in told:
            source, found = SEED.subn(lambda m: f"{m[1]}{int(m[2]) + 100}", execution.source)
            if found and execution.pictures():
                msg_id = self.execute_cell_input(source)
                self.await_idle(msg_id, timeout=600)
                self.tape.reseeded[execution.source] = self.tape.executions[-1].pictures()
        self.tape.executions = told
        self.path.write_bytes(pickle.dumps(self.tape))
        super().stop()


class Player:
    """What nbval takes for a kernel, telling again what is on a tape."""

    def __init__(self, path: str, *args, **kwargs) -> None:
        self.by_source = defaultdict(deque)
        for execution in load(path).executions:
            self.by_source[execution.source].append(execution)

    def execute_cell_input(self, cell_input, allow_stdin=None):
        """Find the cell by its text, wherever in the notebook it now stands."""
        execution = self.by_source[cell_input].popleft()
        self.left = {stream: deque(m) for stream, m in execution.messages.items()}
        return execution.msg_id

    def get_message(self, stream, timeout=None):
        """Return the next message of a channel."""
        if not self.left[stream]:
            raise Empty
        return self.left[stream].popleft()

    def await_reply(self, msg_id, timeout=None):
        """Nothing to wait for."""

    def await_idle(self, parent_id, timeout):
        """Nothing to wait for."""

    def is_alive(self) -> bool:
        """Tapes do not die."""
        return True

    def stop(self) -> None:
        """Nothing runs."""


def pytest_addoption(parser) -> None:
    """Two options, one of which is given."""
    parser.addoption("--record", help="write the kernel's messages to this file")
    parser.addoption("--replay", help="take the kernel's messages from this file")


def pytest_configure(config) -> None:
    """Put another kernel in the place of nbval's."""
    record, replay = config.getoption("record"), config.getoption("replay")
    nbval.plugin.RunningKernel = partial(Recorder, record) if record else partial(Player, replay)
