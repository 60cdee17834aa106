"""Where a test stands that hangs: calls of Playwright wait in greenlets, which no dump shows."""

import contextlib
import gc
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType

from greenlet import greenlet

OTHERS = ("<", sys.prefix, sys.base_prefix)  # where what is installed lies
EARLIER = 5  # seconds before the test is ended


def told(name: str) -> str:
    """Return the lines that this process is executing or waits in, but for installed code."""
    waiting = [g.gr_frame for g in gc.get_objects() if isinstance(g, greenlet)]
    frames: list[FrameType] = [f for f in (*sys._current_frames().values(), *waiting) if f]
    stacks = [traceback.extract_stack(frame) for frame in frames]
    ours = [step for stack in stacks for step in stack if not step.filename.startswith(OTHERS)]
    lines = {f"   {step.filename}:{step.lineno}: {step.line}" for step in ours}
    return "\n".join([f"\n== hangs: {name}", *sorted(lines), ""])


@contextlib.contextmanager
def told_if_it_hangs(name: str, seconds: float, file: int) -> Iterator[None]:
    """Write into an open file where a test stands when its time is nearly over; 0: no limit."""
    tell = threading.Timer(
        max(seconds - EARLIER, seconds / 2), lambda: os.write(file, told(name).encode())
    )
    tell.daemon = True
    if seconds:
        tell.start()
    try:
        yield
    finally:
        tell.cancel()
