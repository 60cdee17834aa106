"""The book's own name as something to sample from."""

import math
from itertools import pairwise

import torch
from torch import Tensor

from ddim_lib.data import MixtureParameters, along

HALF_HEIGHT = 0.9
Corners = list[tuple[float, float]]
STEM: Corners = [(0, -1), (0, 1)]
BOWL = [(0.1 + 0.95 * math.sin(a), math.cos(a)) for a in torch.linspace(0, math.pi, 8).tolist()]
LEFT: Corners = [(0, -1), (0.12, 1)]
VALLEY: Corners = [(0.12, 1), (0.78, -0.7), (1.44, 1)]
RIGHT: Corners = [(1.44, 1), (1.56, -1)]
STROKES: list[
    tuple[float, Corners, int]
] = [  # of each letter: where it starts, its corners, and into how many pieces a side is cut
    *[(0.0, STEM, 4), (0.0, BOWL, 1)],
    *[(1.65, STEM, 4), (1.65, BOWL, 1)],
    *[(3.3, STEM, 4)],
    *[(3.85, LEFT, 4), (3.85, VALLEY, 3), (3.85, RIGHT, 4)],
]
MIDDLE = (3.85 + 1.56) / 2


def letters(width: float = 0.055) -> MixtureParameters:
    """DDIM, written with strokes of this width: one Gaussian along each piece of each stroke."""
    strokes = [along(_pieces(*stroke), width) for stroke in STROKES]
    sizes = torch.cat([2 * s.covariances.diagonal(dim1=1, dim2=2).sum(1).sqrt() for s in strokes])
    means, covariances = (torch.cat([s[i] for s in strokes]) for i in range(2))
    return MixtureParameters(means, covariances, sizes / sizes.sum())


def _pieces(start: float, corners: Corners, count: int) -> Tensor:
    """Cut each side into `count` pieces; (sides·count + 1, 2)."""
    shift = torch.tensor([start - MIDDLE, 0.0])
    points = HALF_HEIGHT * (torch.tensor(corners, dtype=torch.float64) + shift)
    shares = torch.arange(count, dtype=torch.float64)[:, None] / count
    sides = [a + shares * (b - a) for a, b in pairwise(points)]
    return torch.cat([*sides, points[-1:]])
