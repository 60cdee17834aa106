"""A figure that becomes a small PNG: what stands where nothing moves."""

import io

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

DPI = 100


def figure_of(width: float, height: float, layout: str = "constrained") -> Figure:
    """Return an empty figure, in inches, that no window knows of."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png_of(figure: Figure, shades: int = 64) -> bytes:
    """Return the figure as a PNG of few colours: a notebook stores it as text."""
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").quantize(shades).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
