"""Files: what the library ships, weights as they lie on disk, and writing without half a file."""

import hashlib
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

ASSETS = Path(__file__).parent / "assets"
SHIPPED = ("digits", "digits_small", "digits_muon")


def locate(source: str | Path) -> Path:
    """Path of a shipped network's file by its name, or the path given; errors: load_denoiser's."""
    path = Path(source)
    if isinstance(source, str) and path.name == source and not path.suffix:
        if source not in SHIPPED:
            names = ", ".join(SHIPPED)
            raise ValueError(
                f"need a path or the name of a shipped network ({names}), got {source!r}"
            )
        path = ASSETS / f"{source}.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"need a weight file, got {path}, which is no file")
    return path


def read_weights(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Header and tensors of a safetensors file; raises ValueError: truncated or of another kind."""
    try:
        with safe_open(path, framework="pt") as file:
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return file.metadata() or {}, weights
    except SafetensorError as error:
        raise ValueError(f"need a whole safetensors file, got {path}: {error}") from error


def read_denoiser(path: Path) -> tuple[dict[str, int], object, dict[str, Tensor]]:
    """Sizes of the network in a file of `save_denoiser`, the schedule it names (None in older
    files), and its tensors; raises ValueError: truncated, foreign, of another kind of network.
    """
    header, weights = read_weights(path)
    try:
        told = json.loads(header["ddim_lib"])
        config = told["config"]
        sizes = {key: int(config[key]) for key in ("channels", "embedding")}
        sizes |= {key: int(config[key]) for key in ("inner", "blocks") if key in config}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"need a file written by save_denoiser, got {path} without our metadata"
        ) from error
    if config.get("predicts") != "v":  # older files hold a network whose output is ε̂ itself
        got = f"{path}, which predicts {config.get('predicts', 'eps')}"
        raise ValueError(f"need weights of a network that predicts v, got {got}")
    return sizes, told.get("schedule"), weights


def trained(path: Path) -> tuple[int, int]:
    """After how many training steps a file's weights were stored, and of how many planned.

    Raises ValueError: a file that does not say.
    """
    header, _ = read_weights(path)
    try:
        told = json.loads(header["ddim_lib"])
        planned = int(told["settings"]["steps"])
        return int(told.get("step", planned)), planned  # older files are all of finished runs
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"need weights that say how long they were trained, got {path}") from error


def check_fit(weights: dict[str, Tensor], expected: dict[str, Tensor], path: Path) -> None:
    """Raise unless names, shapes and dtypes agree, naming the first that does not."""
    for key in expected | weights:
        want, got = (
            f"{t.dtype} {tuple(t.shape)}" if t is not None else "nothing"
            for t in (expected.get(key), weights.get(key))
        )
        if want != got:
            raise ValueError(f"need {want} as {key} for this architecture, got {got} in {path}")


def checksum(path: Path) -> str:
    """Return the first 16 digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let write fill a file beside path and move it there whole, so that no half file is seen."""
    part = path.with_name(path.name + ".part")
    write(part)
    os.replace(part, path)


def printable() -> None:
    """Let a command print what its terminal has no letter for as a code, and not end of it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what replaces it in a notebook takes any letter
            stream.reconfigure(errors="backslashreplace")
