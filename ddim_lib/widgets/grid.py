"""The grid explorer: a picture with two knobs, η and steps, that moves without a kernel."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import traitlets

from ddim_lib.checks import check_count
from ddim_lib.widgets.base import Explorer, check_between
from ddim_lib.widgets.digits import Digits, answered
from ddim_lib.widgets.parts import bundle
from ddim_lib.widgets.progress import counted
from ddim_lib.widgets.sheet import enlarged, tile_of, to_grey, to_png, to_sheet

Draw = Callable[[float, int], object]


class GridExplorer(Explorer):
    """Pictures stored for every η and step count of a grid; `explore` makes one.

    eta, steps: the setting shown; observe, link and jslink them as with any ipywidget. Without a
    kernel the nearest stored picture stands for a setting between two stored ones. With one, the
    page asks for it by a message {"type": "draw", "eta": …, "steps": …}.
    digits: what the page needs to sample the pictures' digits itself, nothing where they are none;
    it asks for the network's files by {"type": "network"}.
    """

    _esm = bundle("grid.js")
    _css = bundle("grid.css")

    eta: traitlets.TraitType = traitlets.TraitType(0.0).tag(sync=True)
    steps: traitlets.TraitType = traitlets.TraitType(1).tag(sync=True)
    etas = traitlets.List(traitlets.Float()).tag(sync=True)
    step_counts = traitlets.List(traitlets.Int()).tag(sync=True)
    sheet = traitlets.Bytes().tag(sync=True)
    tile = traitlets.List(traitlets.Int()).tag(sync=True)
    digits = traitlets.Dict().tag(sync=True)

    def __init__(self, draw: Draw, **traits: object) -> None:
        super().__init__(**traits)
        self._draw = draw
        self.on_msg(GridExplorer._answer)

    @traitlets.validate("eta", "steps")
    def _check_setting(self, proposal: dict) -> float | int:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "eta":
            etas = [0, 1] if self.digits else self.etas  # the page samples at any setting
            return check_between(name, value, etas[0], etas[-1])
        counts = [1, 1000] if self.digits else self.step_counts
        return check_count(name, value, counts[0], counts[-1])

    @property
    def _setting(self) -> str:
        stored = f"{len(self.etas)}×{len(self.step_counts)} pictures stored"
        return f"eta={self.eta:g}, steps={self.steps}; {stored}"

    def picture(self) -> np.ndarray:
        """Return the stored picture nearest to the setting shown, uint8 (height, width)."""
        row = np.abs(np.subtract(self.etas, self.eta)).argmin()
        column = np.abs(np.subtract(self.step_counts, self.steps)).argmin()
        return tile_of(self.sheet, int(row), int(column), self.tile)

    def still(self) -> bytes:
        """Return that picture as a PNG, enlarged: for places where nothing moves."""
        return to_png(enlarged(self.picture()))

    def _answer(self, content: dict, buffers: list) -> None:
        """Answer the page; what goes wrong in `draw` is told there, where the reader looks."""
        if answered(self, content, runs=bool(self.digits)):
            return
        eta, steps = float(content["eta"]), int(content["steps"])
        setting = {"eta": eta, "steps": steps}
        try:
            png = to_png(self._drawn(eta, steps))
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            self.send({"type": "error", "text": text, **setting})
        else:
            self.send({"type": "picture", **setting}, [png])

    def _drawn(self, eta: float, steps: int) -> np.ndarray:
        grey = to_grey(self._draw(eta, steps))
        if list(grey.shape) != self.tile:
            raise ValueError(f"need the shape of the stored pictures {self.tile}, got {grey.shape}")
        return grey


def explore(
    draw: Draw,
    eta: Sequence[float],
    steps: Sequence[int],
    *,
    start: tuple[float, int] | None = None,
    alt: str = "Pictures drawn for a chosen η and number of steps",
    digits: Digits | None = None,
) -> GridExplorer:
    """Draw a picture for every η and step count, store them all, and return sliders over them.

    draw: draw(eta, steps) gives one grey picture, (height, width), the same shape each time:
    floats in [0, 1], uint8, or a PIL image. eta, steps: rising; eta >= 0, steps >= 1.
    start: the setting shown first, a stored one; the first η and the middle step count if None.
    alt: what the picture shows, in words, for a reader who cannot see it.
    digits: which digits draw shows, so that a page samples the same ones by itself, at any η in
    [0, 1] and any number of steps, where its reader asks for that.
    Raises ValueError or TypeError on settings or pictures that are not so.
    """
    etas, step_counts = _rising("eta", eta, 0), _rising("steps", steps, 1)
    if any(count != int(count) for count in step_counts):
        raise ValueError(f"need whole numbers of steps, got {step_counts}")
    first: tuple[float, float] = start or (etas[0], step_counts[len(step_counts) // 2])
    if first[0] not in etas or first[1] not in step_counts:
        raise ValueError(f"need start among the stored settings, got {first}")
    pictures = _all_pictures(draw, etas, [int(count) for count in step_counts])
    tile = list(pictures[0][0].shape)
    if digits and tile != digits.tile:
        raise ValueError(f"need pictures of {digits.tile} for these digits, got {tile}")
    return GridExplorer(
        draw,
        etas=etas,
        step_counts=[int(count) for count in step_counts],
        eta=float(first[0]),
        steps=int(first[1]),
        sheet=to_sheet(pictures),
        tile=tile,
        digits=digits.trait() if digits else {},
        alt=alt,
    )


def _rising(name: str, values: Sequence[float], least: int) -> list[float]:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        raise TypeError(f"need a list of numbers as {name}, got {values!r}") from None
    if not numbers:
        raise ValueError(f"need at least one value of {name}, got none")
    if not all(np.isfinite(numbers)) or any(a >= b for a, b in pairwise(numbers)):
        raise ValueError(f"need {name} rising, got {numbers}")
    if numbers[0] < least:
        raise ValueError(f"need {name} >= {least}, got {numbers[0]:g}")
    return numbers


def _all_pictures(draw: Draw, etas: list[float], counts: list[int]) -> list[list[np.ndarray]]:
    """Return the uint8 pictures, a row for each η; an error says which picture it came from."""
    settings = [(eta, count) for eta in etas for count in counts]
    pictures: list[np.ndarray] = []
    for eta, count in counted(settings, "pictures drawn"):
        try:
            pictures.append(to_grey(draw(eta, count)))
        except Exception as error:
            error.add_note(f"while drawing eta={eta:g}, steps={count}")
            raise
        if pictures[-1].shape != pictures[0].shape:
            shapes = f"{pictures[0].shape} and, at eta={eta:g}, steps={count}, {pictures[-1].shape}"
            raise ValueError(f"need pictures of one shape, got {shapes}")
    return [pictures[i : i + len(counts)] for i in range(0, len(pictures), len(counts))]
