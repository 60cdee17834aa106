"""The digit lab: a reader's own digit, or one of the book's, and what the network makes of it."""

import base64
import re

import traitlets
from matplotlib.figure import Figure

from ddim_lib.checks import check_count
from ddim_lib.data import load_digits
from ddim_lib.widgets.base import Choice, Count, Explorer, Number
from ddim_lib.widgets.digits import MOST_SEED, answered
from ddim_lib.widgets.lab_tasks import NOISES, TASKS, Setting, all_tasks, to_table
from ddim_lib.widgets.parts import bundle
from ddim_lib.widgets.sheet import to_sheet
from ddim_lib.widgets.stills import lab as stills

FORM = re.compile(r"\d?|([\w-]{2})+(\.([\w-]{2})+)*", re.ASCII)
MOST = 3000  # characters


class Drawing(traitlets.TraitType):
    """A digit of the book's, "0" … "9", or strokes as page/drawing.js writes them, or nothing."""

    def __init__(self, default: str) -> None:
        super().__init__(default)
        self.tag(sync=True)

    def validate(self, obj: traitlets.HasTraits, value: str) -> str:
        """Return it, or say what is needed."""
        if not (isinstance(value, str) and len(value) <= MOST and FORM.fullmatch(value)):
            raise ValueError(f"need a digit or strokes as {self.name}, got {str(value)[:20]!r}")
        return value


class LabExplorer(Explorer):
    """A place to draw a digit and to noise, encode, mix and guess it; `lab` makes one.

    task, a, b, t, steps, eta, seed: the setting shown. What it shows at first is computed by
    `ddim_lib` and stored; the rest is computed in the page, by the network, whose files the page
    asks for by {"type": "network"}.
    """

    _esm = bundle("lab.js")
    _css = bundle("lab.css")

    task = Choice(*TASKS)
    a, b = Drawing("3"), Drawing("8")
    t = Count(500, 1, 1000)
    steps = Count(20, 1, 1000)
    eta = Number(0.5, 0, 1)
    seed = Count(0, 0, MOST_SEED - NOISES)
    originals = traitlets.Unicode().tag(sync=True)
    sheet = traitlets.Bytes().tag(sync=True)
    stored = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: object) -> None:
        super().__init__(**traits)
        digits = ((load_digits().images[:10] + 1) * 127.5).round().byte()
        self.originals = base64.b64encode(digits.numpy().tobytes()).decode()
        names = ("task", "a", "b", "t", "steps", "eta", "seed")
        self.stored = {name: getattr(self, name) for name in names}
        self._columns = all_tasks(self._first)
        self.sheet = to_sheet(to_table(self._columns))
        self.on_msg(LabExplorer._answer)

    @property
    def _first(self) -> Setting:
        """The setting that is stored."""
        told = self.stored
        numbers = {name: told[name] for name in ("t", "steps", "eta", "seed")}
        return Setting(int(told["a"]), int(told["b"]), **numbers)

    @traitlets.default("alt")
    def _in_words(self) -> str:
        return (
            "A place to draw a digit, and five rows of small pictures: the digit is noised and "
            "comes back; what the network guesses behind the noise; its code, and decoded again; "
            "its way from the code down with fresh noise; mixtures with another digit"
        )

    @property
    def _setting(self) -> str:
        return f"task={self.task!r}, t={self.t}, steps={self.steps}, eta={self.eta:g}"

    def figure(self) -> Figure:
        """Draw what is stored, all five tasks."""
        return stills.still(self._columns, self._first)

    def _answer(self, content: dict, buffers: list) -> None:
        """Answer the page, which runs the network itself."""
        answered(self, content)


def lab(
    task: str = "noise",
    digits: tuple[int, int] = (3, 8),
    *,
    t: int = 500,
    steps: int = 20,
    eta: float = 0.5,
    seed: int = 0,
) -> LabExplorer:
    """Make a place to draw a digit, with five things to do with it.

    task: noise (to time t, and back), hidden (the guess x̂_0 at t), code (encode and decode), eta
    (from its code down, with fresh noise), mix (two codes). digits: those of the book that it
    begins with. t, steps: 1 … 1000. eta: 0 … 1. seed: of the noise.
    Raises ValueError on anything else.
    """
    a, b = (str(check_count("digit", digit, 0, 9)) for digit in digits)
    return LabExplorer(task=task, a=a, b=b, t=t, steps=steps, eta=eta, seed=seed)
