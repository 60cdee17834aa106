"""What one stored output can be altered into: texts, formulas, pictures.

tools/mutants/altered.py applies these to whole notebooks.
"""

import base64
import io
import random
import re
from collections.abc import Callable, Iterator

import numpy as np
from nbformat import NotebookNode
from PIL import Image

from tools.notebooks.files import VIEW

COLOURED = 40  # a pixel whose channels differ by more is not grey
LATEX = [  # what may stand for what: a sign, a letter, an exponent
    (" + ", " - "),
    (" - ", " + "),
    (r"\kappa", r"\lambda"),
    (r"\lambda", r"\kappa"),
    (r"\sigma", r"\eta"),
    (r"\alpha", r"\beta"),
    (r"\beta", r"\alpha"),
    (r"\eta", r"\sigma"),
    ("^{2}", "^{3}"),
    (r"\frac", r"\dfrac"),
    ("=", r"\neq"),
    ("x", "y"),
]
Change = Callable[[NotebookNode], None]
Found = Iterator[tuple[str, Change]]


def code_cells(nb: NotebookNode) -> list[NotebookNode]:
    """Return the code cells."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def other_digit(text: str, dice: random.Random) -> str:
    """Change one digit of a text."""
    place = dice.choice([m.start() for m in re.finditer(r"\d", text)])
    return text[:place] + str((int(text[place]) + dice.randint(1, 9)) % 10) + text[place + 1 :]


def other_cell(text: str, dice: random.Random) -> str:
    """Change one digit in one row of a table."""
    lines = text.split("\n")
    row = dice.choice([i for i, line in enumerate(lines) if re.search(r"\d", line)])
    lines[row] = other_digit(lines[row], dice)
    return "\n".join(lines)


def is_table(text: str) -> bool:
    """Whether at least three lines hold two numbers or more each."""
    return sum(len(re.findall(r"\d+(?:\.\d+)?", line)) > 1 for line in text.split("\n")) > 2


def other_symbol(latex: str, dice: random.Random) -> str:
    """Change one sign, letter or exponent of a formula."""
    old, new = dice.choice([pair for pair in LATEX if pair[0] in latex])
    place = dice.choice([m.start() for m in re.finditer(re.escape(old), latex)])
    return latex[:place] + new + latex[place + len(old) :]


def to_array(png: str) -> np.ndarray:
    """Return the pixels of a base64 PNG, (height, width, 3)."""
    return np.array(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


def to_png(array: np.ndarray) -> str:
    """Return pixels as a base64 PNG."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def coloured(array: np.ndarray) -> np.ndarray:
    """Return which pixels are not grey."""
    return np.ptp(array.astype(int), axis=2) > COLOURED


def shifted(png: str) -> str:
    """Move what is coloured in a picture, or all of a grey one, right by two pixels."""
    old = to_array(png)
    mask = coloured(old)
    mask = mask if mask.sum() > 50 else np.ones_like(mask)
    new = np.where(mask[..., None], 255, old)
    new[:, 2:][mask[:, :-2]] = old[:, :-2][mask[:, :-2]]
    return to_png(new.astype(np.uint8))


def recoloured(png: str) -> str:
    """Exchange red and blue in the commonest colour of a picture."""
    array = to_array(png)
    shades = array[coloured(array)] // 32
    values, counts = np.unique(shades, axis=0, return_counts=True)
    mask = coloured(array) & (array // 32 == values[counts.argmax()]).all(2)
    array[mask] = array[mask][:, ::-1]
    return to_png(array)


def setter(cell: int, output: int, mime: str, value: str) -> Change:
    """Return a change that puts value into an output's data, or a stream's text."""

    def change(nb: NotebookNode) -> None:
        target = code_cells(nb)[cell].outputs[output]
        if mime == "text":
            target.text = value
        else:
            target.data[mime] = value

    return change


def in_text(i: int, j: int, output: NotebookNode, dice: random.Random) -> Found:
    """Altered numbers, table cells, words and formulas."""
    for mime in ("text", "text/plain", "text/html", "text/latex"):
        text = output.get("text", "") if mime == "text" else output.get("data", {}).get(mime, "")
        kind = "formula" if mime == "text/latex" else "number"
        if re.search(r"\d", text):
            yield f"{kind}: a digit", setter(i, j, mime, other_digit(text, dice))
        if mime in ("text", "text/html") and is_table(text):
            yield "table: a cell", setter(i, j, mime, other_cell(text, dice))
        if mime == "text/latex" and any(old in text for old, _ in LATEX):
            yield "formula: a symbol", setter(i, j, mime, other_symbol(text, dice))
        if letters := [m.start() for m in re.finditer(r"[a-z]", text)]:
            place = dice.choice(letters)
            yield "text: a letter", setter(i, j, mime, text[:place] + text[place + 1 :])


def in_picture(i: int, j: int, output: NotebookNode, reseeded: str) -> Found:
    """Altered figures; reseeded: the same figure drawn with another seed, "" if there is none."""
    png = output.get("data", {}).get("image/png", "")
    if png:
        kind = "widget's picture" if VIEW in output.data else "figure"
        yield f"{kind}: shifted", setter(i, j, "image/png", shifted(png))
        if coloured(to_array(png)).sum() > 50:
            yield f"{kind}: another colour", setter(i, j, "image/png", recoloured(png))
        if reseeded and reseeded.strip() != png.strip():  # some pictures do not depend on it
            yield f"{kind}: another seed", setter(i, j, "image/png", reseeded)
