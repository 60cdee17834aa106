"""Pictures as an explorer stores them: 16 shades of grey, small, the same bytes each time."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

SHADE = 17  # 16 shades, 0, 17, … 255
SHOWN_WIDTH = 448  # pixels; what a still picture is enlarged to, at least halfway


def to_grey(picture: object) -> np.ndarray:
    """Return a picture as uint8 (height, width), 0 black … 255 white.

    picture: a float array or tensor in [0, 1], a uint8 one, or a PIL image.
    Raises ValueError on another shape or range, on NaN; TypeError on another kind of number.
    """
    if isinstance(picture, Image.Image):
        picture = picture.convert("L")
    elif hasattr(picture, "detach"):
        picture = picture.detach().cpu()
    array = np.asarray(picture)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"need a picture of shape (height, width), got {array.shape}")
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise TypeError(f"need a picture of floats or uint8, got {array.dtype}")
    if not np.isfinite(array).all():
        bad = np.count_nonzero(~np.isfinite(array))
        raise ValueError(f"need finite values, got {bad} of {array.size} NaN or infinite")
    if array.min() < 0 or array.max() > 1:
        raise ValueError(f"need values in [0, 1], got {array.min():.4g} … {array.max():.4g}")
    return np.rint(array * 255).astype(np.uint8)


def to_png(grey: np.ndarray) -> bytes:
    """Encode uint8 (height, width) as a PNG, each value moved to the nearest of 16 shades."""
    shades = Image.fromarray(np.rint(grey / SHADE).astype(np.uint8)).convert("P")
    shades.putpalette([SHADE * level for level in range(16) for _ in range(3)])
    buffer = io.BytesIO()
    shades.save(buffer, "PNG", bits=4, optimize=True)
    return buffer.getvalue()


def to_sheet(rows: Sequence[Sequence[np.ndarray]]) -> bytes:
    """Encode a table of pictures of one shape as one PNG."""
    return to_png(np.block([list(row) for row in rows]))


def tile_of(sheet: bytes, row: int, column: int, tile: Sequence[int]) -> np.ndarray:
    """Return one picture of a sheet, uint8; tile: its height and width."""
    height, width = tile
    image = Image.open(io.BytesIO(sheet)).convert("L")
    left, top = column * width, row * height
    return np.asarray(image.crop((left, top, left + width, top + height)))


def enlarged(grey: np.ndarray) -> np.ndarray:
    """Repeat every pixel, so that a small picture can be seen where nothing scales it."""
    times = max(1, round(SHOWN_WIDTH / grey.shape[1]))
    return grey.repeat(times, axis=0).repeat(times, axis=1)
