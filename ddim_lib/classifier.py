"""A small classifier of digits, whose features tell good samples from bad, and what real ones give.

`python -m ddim_lib.train.classifier` makes both; one file holds them, so that they always match.
"""

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddim_lib.files import ASSETS, check_fit, read_weights

JUDGE = ASSETS / "classifier.safetensors"
FEATURES = 64


class Classifier(nn.Module):
    """Tell the ten digits apart: three convolutions and a layer of 64 features; 60 314 parameters.

    About 99.1 % of MNIST's test images are classified as labelled.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, 16, 3, padding=1)
        self.hidden = nn.Linear(16 * 7 * 7, FEATURES)
        self.out = nn.Linear(FEATURES, 10)

    def features(self, x: Tensor) -> Tensor:
        """Return the last hidden layer, (batch, 64); x: (batch, 1, 28, 28), float32, -1 … 1."""
        if x.ndim != 4 or x.shape[1:] != (1, 28, 28):
            raise ValueError(f"need images of shape (n, 1, 28, 28), got {tuple(x.shape)}")
        x = F.silu(F.max_pool2d(self.conv1(x), 2))
        x = F.silu(F.max_pool2d(self.conv2(x), 2))
        return F.silu(self.hidden(F.silu(self.conv3(x)).flatten(1)))

    def forward(self, x: Tensor) -> Tensor:
        """Return one logit for each digit, (batch, 10)."""
        return self.out(self.features(x))


class Reference(NamedTuple):
    """Features of MNIST's 10 000 test images.

    mean (64,) and covariance (64, 64), float64, are of all of them; features (5000, 64), float16,
    are those of every second one.
    """

    mean: Tensor
    covariance: Tensor
    features: Tensor


def empty_reference() -> Reference:
    """Return a reference of the right shapes and types."""
    mean = torch.zeros(FEATURES, dtype=torch.float64)
    covariance = torch.zeros(FEATURES, FEATURES, dtype=torch.float64)
    return Reference(mean, covariance, torch.zeros(5000, FEATURES, dtype=torch.float16))


def tensors(model: Classifier, reference: Reference) -> dict[str, Tensor]:
    """Everything that the file holds, by the names that it has there."""
    weights = {f"classifier.{name}": weight for name, weight in model.state_dict().items()}
    return weights | {f"reference.{name}": x for name, x in reference._asdict().items()}


def load_classifier(path: Path = JUDGE) -> tuple[Classifier, Reference]:
    """Load the shipped classifier, in eval mode and without gradients, and its reference.

    Raises FileNotFoundError: no such file. Raises ValueError: it is truncated or another's.
    """
    if not path.is_file():
        raise FileNotFoundError(f"need a weight file, got {path}, which is no file")
    _, found = read_weights(path)
    model = Classifier()
    check_fit(found, tensors(model, empty_reference()), path)
    for name, weight in model.state_dict().items():
        weight.copy_(found[f"classifier.{name}"])
    reference = Reference(*(found[f"reference.{name}"] for name in Reference._fields))
    return model.eval().requires_grad_(False), reference
