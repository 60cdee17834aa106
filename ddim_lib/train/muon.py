"""Muon for a network with convolutions: torch's own takes matrices only."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def inner_weights(model: nn.Module) -> list[Tensor]:
    """Every weight of two or more dimensions that a hidden layer turns its input with.

    Not the layers that read the image (`stem`) and write it (`head`), nor what is a vector:
    Jordan et al. 2024 leave those to AdamW.
    """
    outer = ("stem.", "head.")
    named = model.named_parameters()
    return [weight for name, weight in named if weight.ndim > 1 and not name.startswith(outer)]


class Muon(torch.optim.Muon):
    """Momentum whose singular values are all made nearly one, then a step of AdamW's usual size.

    weights: matrices or convolutions; (out, in, h, w) is moved as the matrix (out, in·h·w).
    Raises ValueError: a weight that does not lie in one piece, so that no matrix can share it.
    Source: Jordan et al. 2024 (Muon); Liu et al. 2025 for the size of a step.
    """

    def __init__(self, weights: Iterable[Tensor], lr: float) -> None:
        self.whole = list(weights)
        if split := [tuple(w.shape) for w in self.whole if not w.is_contiguous()]:
            raise ValueError(f"need contiguous weights, got one of shape {split[0]} that is not")
        self.flat = [weight.detach().flatten(1).requires_grad_() for weight in self.whole]
        super().__init__(self.flat, lr, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")

    def step(self) -> None:  # type: ignore[override]  # no closure, which nobody here has
        """Move the weights along their gradients."""
        for whole, flat in zip(self.whole, self.flat, strict=True):
            flat.grad = None if whole.grad is None else whole.grad.flatten(1)
        super().step()
