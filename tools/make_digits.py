"""Make ddim_lib/assets/digits.npz from MNIST's original files: python tools/make_digits.py FOLDER

The first 1000 training images of each class, classes in turn (0, 1, …, 9, 0, 1, …), as bytes.
The same folder gives the same arrays; the same zlib gives the same file.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np

from ddim_lib.data import ASSETS, load_mnist

EACH = 1000


def select(labels: np.ndarray) -> np.ndarray:
    """Indices of the first 1000 images of each class, classes in turn, (10000,)."""
    of_class = [np.flatnonzero(labels == digit)[:EACH] for digit in range(10)]
    return np.stack(of_class, axis=1).ravel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="with train-images-idx3-ubyte.gz and the others")
    mnist = load_mnist(parser.parse_args().folder, "train")
    index = select(mnist.labels.numpy())
    pixels = ((mnist.images[index, 0] + 1) * 127.5).round().byte().numpy()
    path = ASSETS / "digits.npz"
    np.savez_compressed(path, images=pixels, labels=mnist.labels[index].byte().numpy())
    print(f"{path}: {path.stat().st_size} bytes")
    print(f'DIGITS_SHA256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}"')


if __name__ == "__main__":
    main()
