"""The toys against their geometry, the digits and MNIST against bytes made here."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
import torch

from ddim_lib import data
from tools import assets

TOYS = [data.two_spikes, data.ring, data.grid, data.moons, data.spiral]


def moments(mixture):
    means, covariances, weights = (part.numpy() for part in mixture)
    mean = np.einsum("k,ki->i", weights, means)
    second = covariances + means[:, :, None] * means[:, None, :]
    return mean, np.einsum("k,kij->ij", weights, second) - np.outer(mean, mean)


@pytest.mark.parametrize("toy", TOYS)
def test_toys_are_proper_mixtures_of_about_unit_variance(toy):
    means, covariances, weights = toy()
    assert {part.dtype for part in toy()} == {torch.float64}
    count, dim = means.shape
    assert covariances.shape == (count, dim, dim)
    assert (torch.linalg.eigvalsh(covariances) > 0).all()
    assert weights.shape == (count,)
    assert weights.sum().item() == pytest.approx(1, abs=1e-14)
    assert means.abs().max() < 2
    mean, covariance = moments(toy())
    assert np.abs(mean).max() < 0.4
    assert np.diag(covariance).min() > 0.3
    assert np.diag(covariance).max() < 1.3


def test_ring_lies_on_its_circle_evenly():
    means, covariances, _ = data.ring(components=5, radius=1.5, std=0.2)
    np.testing.assert_allclose(np.hypot(*means.numpy().T), 1.5)
    gaps = np.diff(np.unwrap(np.arctan2(*means.numpy().T[::-1])))
    np.testing.assert_allclose(gaps, 2 * np.pi / 5)
    np.testing.assert_allclose(covariances[3], 0.04 * np.eye(2))


def test_grid_has_its_side_and_spacing():
    means = data.grid(side=2, spacing=1.0).means.tolist()
    assert sorted(means) == [[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]]


def test_two_spikes_are_one_dimensional():
    assert data.two_spikes(distance=3.0).means.tolist() == [[-1.5], [1.5]]


def test_moons_are_point_symmetric():
    means = data.moons().means
    assert torch.equal(means[:8], -means[8:])


def test_spiral_winds_outwards():
    radius = data.spiral().means.norm(dim=1)
    assert (radius.diff() > 0).all()


def test_along_puts_each_gaussian_on_its_piece():
    corner = torch.tensor([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0]]).double()
    means, covariances, weights = data.along(corner, width=0.1)
    np.testing.assert_allclose(means, [[1.5, 0], [3, 0.5]])
    np.testing.assert_allclose(covariances[0], np.diag([1.5**2, 0.01]), atol=1e-15)
    np.testing.assert_allclose(covariances[1], np.diag([0.01, 0.5**2]), atol=1e-15)
    np.testing.assert_allclose(weights, [0.75, 0.25])


def test_digits_are_balanced_and_scaled():
    images, labels = data.load_digits()
    assert images.shape == (10_000, 1, 28, 28)
    assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)
    assert (images.min(), images.max()) == (-1, 1)
    assert torch.equal(labels, torch.arange(10_000) % 10)
    np.testing.assert_allclose((images + 1) * 127.5, ((images + 1) * 127.5).round(), atol=1e-4)
    # MNIST's published mean and standard deviation, 0.1307 and 0.3081 of [0, 1]
    grey = (images.double() + 1) / 2
    assert grey.mean().item() == pytest.approx(0.1307, abs=2e-3)
    assert grey.std().item() == pytest.approx(0.3081, abs=2e-3)


def test_digits_with_one_byte_changed(tmp_path, monkeypatch):
    content = bytearray((data.ASSETS / "digits.npz").read_bytes())
    content[800_000] ^= 1
    (tmp_path / "digits.npz").write_bytes(content)
    monkeypatch.setattr(data, "ASSETS", tmp_path)
    with pytest.raises(
        ValueError, match=r"need .*digits\.npz with SHA-256 6224.*, got .*"
    ) as error:
        data.load_digits()
    assert hashlib.sha256(content).hexdigest() in str(error.value)
    assert "install ddim_lib again" in str(error.value)


def test_digits_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "ASSETS", tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"need the file .*digits\.npz, which does not exist"
    ):
        data.load_digits()


@pytest.fixture
def mnist(tmp_path, monkeypatch):
    """A folder with five tiny images per split, under the names and digests of MNIST."""
    for prefix in ("train", "t10k"):
        pixels = bytes(range(5)) + bytes(5 * 784 - 6) + b"\xff"
        images = struct.pack(">IIII", 0x803, 5, 28, 28) + pixels
        labels = struct.pack(">II", 0x801, 5) + bytes([7, 2, 1, 0, 4])
        for name, content in (("images-idx3", images), ("labels-idx1", labels)):
            file = f"{prefix}-{name}-ubyte"
            (tmp_path / f"{file}.gz").write_bytes(gzip.compress(content))
            monkeypatch.setitem(data.MNIST_SHA256, file, hashlib.sha256(content).hexdigest())
    return tmp_path


@pytest.mark.parametrize("split", ["train", "test"])
def test_mnist(mnist, split):
    images, labels = data.load_mnist(mnist, split)
    assert images.shape == (5, 1, 28, 28)
    assert labels.tolist() == [7, 2, 1, 0, 4]
    np.testing.assert_allclose(images[0, 0, 0, :5], np.arange(5) / 127.5 - 1, atol=1e-7)
    assert images[-1, 0, -1, -1] == 1


def test_mnist_split(mnist):
    with pytest.raises(ValueError, match="need split train or test, got 'valid'"):
        data.load_mnist(mnist, "valid")


def test_mnist_missing(mnist):
    (mnist / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"need the file .*train-labels-idx1-ubyte\.gz"):
        data.load_mnist(mnist)


def test_mnist_with_one_packed_byte_changed(mnist):
    path = mnist / "train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"need .*images-idx3-ubyte\.gz as a whole gzip file, got"):
        data.load_mnist(mnist)


def test_mnist_cut_short(mnist):
    path = mnist / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"as a whole gzip file, got .*download MNIST's original"):
        data.load_mnist(mnist, "test")


def test_mnist_of_another_data_set(mnist):
    path = mnist / "train-images-idx3-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[1000] ^= 1
    path.write_bytes(gzip.compress(content))
    found = hashlib.sha256(content).hexdigest()
    with pytest.raises(ValueError, match=f"need .* with SHA-256 .*, got {found}: download MNIST's"):
        data.load_mnist(mnist)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            struct.pack(">II", 0x801, 2) + b"ab",
            "need the magic number 00000803 of IDX, got 00000801",
        ),
        (struct.pack(">IIII", 0x803, 1, 2, 2) + b"abc", "need 4 bytes of data, got 3"),
        (struct.pack(">IIII", 0x803, 1, 2, 2) + b"abcde", "need 4 bytes of data, got 5"),
        (struct.pack(">II", 0x803, 1), "need a header of 16 bytes, got 8"),
        (b"", "need the magic number 00000803 of IDX, got nothing"),
    ],
)
def test_idx_errors(content, message):
    with pytest.raises(ValueError, match=message):
        data.parse_idx(content, ndim=3)


def test_idx_reads_sizes_big_endian():
    array = data.parse_idx(struct.pack(">IIII", 0x803, 1, 2, 3) + bytes(range(6)), ndim=3)
    assert array.tolist() == [[[0, 1, 2], [3, 4, 5]]]


def test_the_tool_selects_the_first_of_each_class_in_turn(monkeypatch):
    labels = np.tile(np.arange(9, -1, -1), 4)
    monkeypatch.setattr(assets, "EACH", 2)
    index = assets.select(labels)
    assert index.tolist() == [9 - k for k in range(10)] + [19 - k for k in range(10)]
