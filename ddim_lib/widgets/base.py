"""What every explorer is: settings within bounds, a module and a style of page/, and a picture."""

import base64
import io
from numbers import Real
from typing import Any, cast

import anywidget
import matplotlib.style
import numpy as np
import traitlets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from ddim_lib.checks import check_count
from ddim_lib.plots import STYLE


def check_between(name: str, value: float, low: float, high: float) -> float:
    """Return value as a float; raise unless it is a number in low … high."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and low <= value <= high):
        got = value if number else repr(value)
        raise ValueError(f"need {low:g} <= {name} <= {high:g}, got {name}={got}")
    return float(value)


class Number(traitlets.TraitType):
    """A number in low … high, shared with the page."""

    def __init__(self, default: float, low: float, high: float) -> None:
        super().__init__(default)
        self.low, self.high = low, high
        self.tag(sync=True)

    def validate(self, obj: traitlets.HasTraits, value: float) -> float:
        """Return the number, or say what is needed."""
        return check_between(self.name or "", value, self.low, self.high)


class Count(traitlets.TraitType):
    """A whole number in low … high, shared with the page."""

    def __init__(self, default: int, low: int, high: int) -> None:
        super().__init__(default)
        self.low, self.high = low, high
        self.tag(sync=True)

    def validate(self, obj: traitlets.HasTraits, value: int) -> int:
        """Return the number, or say what is needed."""
        return check_count(self.name or "", value, self.low, self.high)


class Choice(traitlets.TraitType):
    """One of some names, the first unless another is chosen, shared with the page."""

    def __init__(self, *names: str) -> None:
        super().__init__(names[0])
        self.names = names
        self.tag(sync=True)

    def validate(self, obj: traitlets.HasTraits, value: str) -> str:
        """Return the name, or say what is needed."""
        if not isinstance(value, str) or value not in self.names:
            known = ", ".join(self.names)
            raise ValueError(f"need {self.name} among {known}, got {value!r}")
        return value


class Switch(traitlets.TraitType):
    """On or off, shared with the page; off by default."""

    default_value = False

    def __init__(self) -> None:
        super().__init__()
        self.tag(sync=True)

    def validate(self, obj: traitlets.HasTraits, value: bool) -> bool:
        """Return it, or say what is needed."""
        if not isinstance(value, bool):
            raise ValueError(f"need {self.name} True or False, got {value!r}")
        return value


class Explorer(anywidget.AnyWidget):
    """A widget that lives in the page; beside it, in every output, its picture and alt text.

    A subclass gives _esm and _css, its traits, _setting (in words) and figure().
    """

    _ipython_display_ = None  # ipywidgets 7 prefers it to the mime bundle, which has the picture
    _shades = 64  # of a still picture: a notebook stores it as text

    alt = traitlets.Unicode().tag(sync=True)

    @property
    def _setting(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._setting})"

    def figure(self) -> Figure:
        """Draw the setting by `ddim_lib` itself."""
        raise NotImplementedError

    def still(self) -> bytes:
        """Return the setting's picture as a PNG: for places where nothing moves."""
        with matplotlib.style.context(STYLE):
            figure = self.figure()
            canvas = cast(FigureCanvasAgg, figure.canvas)
            canvas.draw()
        pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        buffer = io.BytesIO()
        pixels.quantize(self._shades).save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict]:
        bundle, metadata = cast(tuple[dict, dict], super()._repr_mimebundle_(**kwargs))
        bundle["image/png"] = base64.b64encode(self.still()).decode()
        return bundle, {**metadata, "image/png": {"alt": self.alt}}
