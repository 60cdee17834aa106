"""What the stills share: an empty figure, and the two colours that only they use."""

from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DPI = 100
MIDDLE, INK = "#B03E8C", "#222222"  # halfway from noise to data, and of lines


def figure_of(width: float, height: float, layout: Any = "constrained") -> Figure:
    """Return an empty figure, in inches, that no window knows of."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure
