"""A count of what is done, shown only where a person is looking on."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from IPython import get_ipython
from IPython.display import Pretty, display

Item = TypeVar("Item")


def counted(items: Sequence[Item], what: str) -> Iterator[Item]:
    """Yield the items; tell a person at a terminal or in a notebook how many are done.

    A notebook that a program executes gets no output: what is stored must not depend on it.
    """
    show = _in_terminal if sys.stderr.isatty() else _in_notebook() if attended() else None
    for done, item in enumerate(items):
        if show:
            show(f"{done} of {len(items)} {what}")
        yield item
    if show:
        show(f"{len(items)} of {len(items)} {what}\n")


def attended() -> bool:
    """Whether a person runs this cell: a front end offers input(), nbclient and nbval do not."""
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return False
    return bool(kernel.get_parent("shell").get("content", {}).get("allow_stdin"))


def _in_terminal(text: str) -> None:
    print(f"\r{text}", end="", file=sys.stderr, flush=True)


def _in_notebook() -> Callable[[str], None]:
    output = display(Pretty(""), display_id=True)
    return lambda text: output.update(Pretty(text.strip()))
