"""Train the classifier behind the metrics: `python -m ddim_lib.train.classifier --data FOLDER`.

FOLDER has MNIST's four original files. About a minute on one core. Writes --out with the weights
and, of all 10 000 test images, the mean and covariance of the features. A run repeats bit for bit
on the same machine with the same version of torch and one thread.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Generator, Tensor
from tqdm import tqdm

from ddim_lib.classifier import Classifier, Reference, tensors
from ddim_lib.data import Digits, load_mnist
from ddim_lib.files import atomically, printable
from ddim_lib.metrics import CHUNK, SURE, moments

EPOCHS, BATCH, RATE, SEED = 4, 128, 3e-3, 0


def fit(digits: Digits, epochs: int = EPOCHS) -> Classifier:
    """Train a classifier from scratch; the same images give the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = Classifier()
    order = Generator().manual_seed(SEED)
    steps = epochs * -(-len(digits.labels) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.2)
    with tqdm(total=steps, disable=None) as bar:
        for _ in range(epochs):
            for index in torch.randperm(len(digits.labels), generator=order).split(BATCH):
                loss = F.cross_entropy(model(digits.images[index]), digits.labels[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                rate.step()
                bar.update()
    return model.eval().requires_grad_(False)


def measure(model: Classifier, digits: Digits) -> tuple[Reference, dict[str, float]]:
    """Return the reference of the test images, their share classified as labelled, and surely."""
    features = torch.cat([model.features(part) for part in digits.images.split(CHUNK)])
    logits = model.out(features)
    right = (logits.argmax(1) == digits.labels).double().mean().item()
    sure = (logits.softmax(1).max(1).values >= SURE).double().mean().item()
    few: Tensor = features[::2].half().contiguous()  # enough for the energy distance, and smaller
    return Reference(*moments(features), few), {"accuracy": right, "confident": sure}


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ddim_lib.train.classifier", description=__doc__.splitlines()[0]
    )
    what = "MNIST's four original files"
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help=what)
    parser.add_argument("--out", type=Path, default=Path("classifier.safetensors"))
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    printable()
    args = parse(argv)
    try:
        training, test = load_mnist(args.data, "train"), load_mnist(args.data, "test")
        if not args.out.parent.is_dir():
            raise ValueError(f"need --out in an existing folder, got {args.out}")
    except (OSError, ValueError) as error:
        print(f"ddim_lib.train.classifier: {error}", file=sys.stderr)
        return 2
    torch.set_num_threads(1)  # sums over threads differ in their last bits
    model = fit(training)
    reference, result = measure(model, test)
    recipe = {"epochs": EPOCHS, "batch": BATCH, "lr": RATE, "seed": SEED, "data": "mnist"}
    header = {"ddim_lib": json.dumps(recipe | result | {"torch": torch.__version__})}
    content = save(tensors(model, reference), metadata=header)
    atomically(args.out, lambda part: part.write_bytes(content))
    share = f"{100 * result['accuracy']:.2f} %"
    print(f"stored {args.out}: {share} of the test images classified right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
