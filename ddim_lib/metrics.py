"""How far samples are from the data."""

import torch
from torch import Tensor


def sliced_w1(a: Tensor, b: Tensor, directions: int = 64) -> float:
    """Distance between two clouds of equal size: mean W1 of their shadows on many directions.

    a, b: (n, 2), data units. Returns data units; not 0 for two draws of one distribution.
    Raises ValueError on other shapes.
    Source: Bonneel et al. 2015 (sliced Wasserstein), with W1.
    """
    if a.ndim != 2 or a.shape[1] != 2 or a.shape != b.shape:
        shapes = f"{tuple(a.shape)} and {tuple(b.shape)}"
        raise ValueError(f"need two clouds of one shape (n, 2), got {shapes}")
    angle = torch.arange(directions, dtype=torch.float64) * torch.pi / directions
    shadow = torch.stack([angle.cos(), angle.sin()])
    gap = (a.double() @ shadow).sort(0).values - (b.double() @ shadow).sort(0).values
    return gap.abs().mean().item()
