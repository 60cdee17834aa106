"""Things to sample from: mixtures in one and two dimensions, and handwritten digits."""

import gzip
import hashlib
import io
import math
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ddim_lib.files import ASSETS

DIGITS_SHA256 = "6224a6e3cd53409feb900d7d22ab7c5247f68e6b4d67b4caa100c10c692cdc59"
MNIST_SHA256 = {  # of the unpacked content: mirrors pack it differently
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
}


class MixtureParameters(NamedTuple):
    """A Gaussian mixture's means (K, d), covariances (K, d, d) and weights (K,), all float64."""

    means: Tensor
    covariances: Tensor
    weights: Tensor


class Digits(NamedTuple):
    """Images (n, 1, 28, 28), float32 from -1 (paper) to 1 (ink), and labels (n,), int64."""

    images: Tensor
    labels: Tensor


# --- mixtures: all of about unit variance, within about [-2, 2] ----------------------------------


def two_spikes(distance: float = 2.0, std: float = 0.15) -> MixtureParameters:
    """Two equal Gaussians on the line, at ± distance/2: the smallest data set with a choice."""
    return _round(torch.tensor([[-distance / 2], [distance / 2]], dtype=torch.float64), std)


def ring(components: int = 8, radius: float = 1.4, std: float = 0.12) -> MixtureParameters:
    """Equal round Gaussians evenly on a circle."""
    angle = 2 * math.pi * torch.arange(components, dtype=torch.float64) / components
    return _round(radius * torch.stack([angle.cos(), angle.sin()], dim=1), std)


def grid(side: int = 3, spacing: float = 1.2, std: float = 0.12) -> MixtureParameters:
    """Equal round Gaussians on a square lattice around 0, side × side of them."""
    axis = spacing * (torch.arange(side, dtype=torch.float64) - (side - 1) / 2)
    return _round(torch.cartesian_prod(axis, axis), std)


def moons(pieces: int = 8, width: float = 0.1) -> MixtureParameters:
    """Two interleaved half circles, each in `pieces` long Gaussians."""
    angle = torch.linspace(0, math.pi, pieces + 1, dtype=torch.float64)
    upper = 1.2 * torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
    parts = along(upper, width), along(-upper, width)
    means, covariances, weights = (torch.cat(pair) for pair in zip(*parts, strict=True))
    return MixtureParameters(means, covariances, weights / 2)


def spiral(pieces: int = 24, turns: float = 1.75, width: float = 0.08) -> MixtureParameters:
    """One arm that winds outwards from near 0 to radius 1.9."""
    share = torch.linspace(0.04, 1, pieces + 1, dtype=torch.float64).sqrt()  # about equal pieces
    angle = 2 * math.pi * turns * share
    return along(1.9 * share[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1), width)


def along(points: Tensor, width: float) -> MixtureParameters:
    """Lay one Gaussian along each piece of a line through points: data in any shape you can draw.

    points: (K+1, 2) float64, no two neighbours equal. width: standard deviation across the line.
    The standard deviation along a piece is half its length, so that neighbours blend; the weights
    are proportional to the lengths.
    """
    start, end = points[:-1], points[1:]
    length = (end - start).norm(dim=1)
    tangent = (end - start) / length[:, None]
    outer = tangent[:, :, None] * tangent[:, None, :]
    across = width**2 * (torch.eye(2, dtype=torch.float64) - outer)
    covariances = (length / 2)[:, None, None] ** 2 * outer + across
    return MixtureParameters((start + end) / 2, covariances, length / length.sum())


def _round(means: Tensor, std: float) -> MixtureParameters:
    count, dim = means.shape
    covariances = (std**2 * torch.eye(dim, dtype=torch.float64)).repeat(count, 1, 1)
    return MixtureParameters(means, covariances, means.new_full((count,), 1 / count))


# --- digits -------------------------------------------------------------------------------------


def load_digits() -> Digits:
    """Load the book's 10 000 digits, 1000 of each class in turn: labels 0, 1, …, 9, 0, 1, ….

    Raises ValueError if the shipped file was altered. Source: MNIST, LeCun, Cortes & Burges.
    """
    path = ASSETS / "digits.npz"
    remedy = "install ddim_lib again"
    content = _read(path, remedy)
    _check_digest(path, content, DIGITS_SHA256, remedy)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return _digits(arrays["images"], arrays["labels"])


def load_mnist(folder: str | Path, split: Literal["train", "test"] = "train") -> Digits:
    """Load MNIST from a folder with its four original .gz files: 60 000 or 10 000 images.

    Raises FileNotFoundError: a file is missing. Raises ValueError: a file was altered, a split
    that does not exist. Source: LeCun, Cortes & Burges, "The MNIST database".
    """
    if split not in ("train", "test"):
        raise ValueError(f"need split train or test, got {split!r}")
    prefix = "train" if split == "train" else "t10k"
    images = _read_idx(Path(folder) / f"{prefix}-images-idx3-ubyte.gz", ndim=3)
    labels = _read_idx(Path(folder) / f"{prefix}-labels-idx1-ubyte.gz", ndim=1)
    return _digits(images, labels)


def _digits(images: np.ndarray, labels: np.ndarray) -> Digits:
    pixels = torch.from_numpy(images).float()[:, None]
    return Digits(pixels / 127.5 - 1, torch.from_numpy(labels).long())


def _read(path: Path, remedy: str) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"need the file {path}, which does not exist: {remedy}")
    return path.read_bytes()


def _check_digest(path: Path, content: bytes, sha256: str, remedy: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"need {path} with SHA-256 {sha256}, got {found}: {remedy}")


def _read_idx(path: Path, ndim: int) -> np.ndarray:
    remedy = "download MNIST's original file again"
    packed = _read(path, remedy)
    try:
        content = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"need {path} as a whole gzip file, got {error}: {remedy}") from error
    _check_digest(path, content, MNIST_SHA256[path.stem], f"{remedy} (digest of its content)")
    return parse_idx(content, ndim)


def parse_idx(content: bytes, ndim: int) -> np.ndarray:
    """Decode IDX bytes: magic number 0x08 (unsigned bytes) and ndim, big-endian sizes, the data.

    Raises ValueError: another magic number, more or fewer bytes than the sizes say.
    """
    magic, need = content[:4], bytes([0, 0, 8, ndim])
    if magic != need:
        got = magic.hex() or "nothing"
        raise ValueError(f"need the magic number {need.hex()} of IDX, got {got}")
    start = 4 + 4 * ndim
    if len(content) < start:
        raise ValueError(f"need a header of {start} bytes, got {len(content)}")
    shape = [int(size) for size in np.frombuffer(content[4:start], ">u4")]
    if len(content) - start != math.prod(shape):
        raise ValueError(f"need {math.prod(shape)} bytes of data, got {len(content) - start}")
    pixels = bytearray(content[start:])  # torch warns of memory that it may not write to
    return np.frombuffer(pixels, np.uint8).reshape(shape)
