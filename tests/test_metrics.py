"""Distances against closed forms, brute force and SciPy; the classifier behind them."""

import itertools
import json
import math

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ddim_lib import train_classifier
from ddim_lib.classifier import FEATURES, JUDGE, Classifier, load_classifier
from ddim_lib.data import Digits, load_digits
from ddim_lib.metrics import (
    Moments,
    energy_distance,
    frechet,
    look,
    moments,
    score_digits,
    sliced_w1,
)
from ddim_lib.results import load_table


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.fixture
def cloud():
    return normal(500, 2)


# --- sliced W1 ----------------------------------------------------------------------------------


def test_a_cloud_is_at_distance_zero_from_itself_in_any_order(cloud):
    assert sliced_w1(cloud, cloud.flip(0)) == 0


def test_a_shift_is_seen_at_its_mean_shadow(cloud):
    """The mean of |cos| over all directions is 2/π."""
    shift = torch.tensor([3.0, 4.0], dtype=torch.float64)
    assert sliced_w1(cloud, cloud + shift) == pytest.approx(5 * 2 / math.pi, rel=1e-3)


def test_it_is_symmetric_and_scales(cloud):
    other = cloud.flip(1) * torch.tensor([2.0, 0.5], dtype=torch.float64)
    assert sliced_w1(cloud, other) == pytest.approx(sliced_w1(other, cloud), rel=1e-12)
    assert sliced_w1(3 * cloud, 3 * other) == pytest.approx(3 * sliced_w1(cloud, other), rel=1e-12)


@pytest.mark.parametrize(("a", "b"), [((500, 2), (400, 2)), ((500, 3), (500, 3)), ((500,), (500,))])
def test_clouds_that_do_not_fit_are_refused(a, b):
    with pytest.raises(ValueError, match=r"need two clouds of one shape \(n, 2\), got"):
        sliced_w1(torch.zeros(a), torch.zeros(b))


# --- energy distance ----------------------------------------------------------------------------


def mean_gap(pairs):
    return np.mean([math.dist(x, y) for x, y in pairs])


def test_energy_distance_pair_by_pair():
    a, b = normal(5, 3), normal(7, 3, seed=1) + 0.5
    within = (mean_gap(itertools.permutations(c.tolist(), 2)) for c in (a, b))
    expected = 2 * mean_gap(itertools.product(a.tolist(), b.tolist())) - sum(within)
    assert energy_distance(a, b) == pytest.approx(expected, abs=1e-12)


def test_energy_distance_is_scipys_without_its_bias():
    """SciPy counts each point's distance 0 from itself, and returns the root."""
    a, b = normal(600, 1), 1.5 * normal(1100, 1, seed=1) + 0.3
    biased = scipy.stats.energy_distance(a[:, 0].numpy(), b[:, 0].numpy()) ** 2
    own = (scipy.spatial.distance.pdist(c).mean() / len(c) for c in (a, b))
    assert energy_distance(a, b) == pytest.approx(biased - sum(own), abs=1e-10)


def test_energy_distance_of_one_distribution_is_zero_on_average():
    values = [energy_distance(normal(20, 2, seed=i), normal(20, 2, seed=-i)) for i in range(1, 301)]
    assert min(values) < 0
    assert abs(np.mean(values)) < 4 * scipy.stats.sem(values)
    assert 4 * scipy.stats.sem(values) < 0.03  # the biased one would have 2 E|X − X'| / 20 = 0.18


def test_energy_distance_keeps_precision_in_float32():
    a = (normal(300, 64) + 20).float()
    b = (normal(300, 64, seed=1) + 20.1).float()
    assert energy_distance(a, b) == pytest.approx(energy_distance(a.double(), b.double()), rel=1e-9)


CLOUD_ERRORS = [
    (torch.zeros(1, 2), ValueError, r"of shape \(n, d\), n >= 2, got \(1, 2\)"),
    (torch.zeros(5), ValueError, r"of shape \(n, d\), n >= 2, got \(5,\)"),
    (torch.zeros(2, 2, 2), ValueError, r"n >= 2, got \(2, 2, 2\)"),
    (torch.full((3, 2), math.nan), ValueError, "need finite values in .*, got 6 of 6 NaN"),
    (torch.zeros(3, 2, dtype=torch.int64), TypeError, "in float32 or float64, got torch.int64"),
    ([[0.0, 1.0], [1.0, 0.0]], TypeError, "need a torch tensor as .*, got list"),
]


@pytest.mark.parametrize(("bad", "error", "message"), CLOUD_ERRORS)
def test_bad_clouds_are_refused(bad, error, message, cloud):
    for a, b in ((bad, cloud), (cloud, bad)):
        with pytest.raises(error, match=message):
            energy_distance(a, b)
    with pytest.raises(error, match=message):
        moments(bad)


def test_clouds_of_other_dimensions_are_refused(cloud):
    with pytest.raises(ValueError, match="need clouds in the same dimension, got 2 and 3"):
        energy_distance(cloud, normal(500, 3))


# --- Fréchet distance ---------------------------------------------------------------------------


def gaussian(variances, mean=0.0, axes=None):
    variances = torch.as_tensor(variances, dtype=torch.float64)
    axes = torch.eye(len(variances), dtype=torch.float64) if axes is None else axes
    return Moments(torch.full_like(variances, mean), axes * variances @ axes.T)


def test_moments_are_numpys():
    points = normal(50, 3) @ normal(3, 3, seed=1)
    mean, covariance = moments(points.float())
    exact = points.float().double().numpy()
    np.testing.assert_allclose(mean, exact.mean(0), atol=1e-14)
    np.testing.assert_allclose(covariance, np.cov(exact, rowvar=False), atol=1e-13)
    assert moments(normal(5, 1)).covariance.shape == (1, 1)


def test_frechet_of_covariances_with_common_axes():
    """Along each common axis it is (√a − √b)², whatever the axes; the means add their distance."""
    axes = torch.linalg.qr(normal(4, 4)).Q
    a, b = gaussian([4, 1, 9, 0.25], 1.0, axes), gaussian([1, 1, 25, 4], 1.5, axes)
    assert frechet(a, b) == pytest.approx(1 + 0 + 4 + 2.25 + 4 * 0.25, abs=1e-12)
    assert frechet(b, a) == pytest.approx(frechet(a, b), abs=1e-12)
    assert frechet(a, a) == pytest.approx(0, abs=1e-12)


def test_frechet_of_any_covariances_is_the_root_of_the_product():
    """As it is usually written, tr √(C_a C_b), with SciPy's root of a matrix."""
    a, b = (moments(normal(40, 6, seed=i) @ normal(6, 6, seed=i + 9)) for i in (1, 2))
    overlap = np.trace(scipy.linalg.sqrtm((a.covariance @ b.covariance).numpy())).real
    expected = (a.mean - b.mean).square().sum() + (a.covariance + b.covariance).trace()
    assert frechet(a, b) == pytest.approx(expected.item() - 2 * overlap, rel=1e-10)


def test_frechet_of_fewer_points_than_dimensions():
    """Singular covariances, whose products break the usual root: |√a − √b|² stays exact."""
    a, b = gaussian([3, 0, 0, 0]), gaussian([0, 0, 2, 0])
    assert frechet(a, b) == pytest.approx(5, abs=1e-12)
    few = moments(normal(3, 64))
    assert frechet(few, few) == pytest.approx(0, abs=1e-10)


def test_frechet_of_other_dimensions_is_refused():
    with pytest.raises(ValueError, match="need moments of one shape, got 2 and 3 dimensions"):
        frechet(gaussian([1, 1]), gaussian([1, 1, 1]))


# --- digits -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def test_real_digits_score_as_the_floors_say(digits):
    """Those are of MNIST as it is; here all classes are alike, which adds a little."""
    chosen = torch.randperm(10_000, generator=torch.Generator().manual_seed(0))[:2000]
    scores = score_digits(digits.images[chosen])
    rows = [float(row["frechet"]) for row in load_table("floors") if row["n"] == "2000"]
    assert len(rows) == 10
    assert 0 < scores.frechet - np.mean(rows) < 3
    assert abs(scores.energy) < 0.05
    assert 0.96 < scores.confident < 1


def test_worse_pictures_score_worse(digits):
    real = digits.images[:500]
    noisy = real + 0.5 * normal(500, 1, 28, 28).float()
    upside_down, noise = real.flip(2), normal(500, 1, 28, 28).float()
    for metric in ("frechet", "energy"):
        near, middle, far = (getattr(score_digits(x), metric) for x in (real, noisy, noise))
        assert near < middle < far
        assert near < getattr(score_digits(upside_down), metric)


def test_a_single_class_is_far_however_sure_the_classifier_is(digits):
    """Why confidence alone misleads."""
    ones = score_digits(digits.images[digits.labels == 1])
    assert ones.confident > 0.96
    assert ones.frechet > 100


def test_pictures_are_clamped(digits):
    few = digits.images[:50]
    beyond = torch.where(few.abs() == 1, 1.7 * few, few)
    assert not torch.equal(beyond, few)
    assert score_digits(beyond.double()) == score_digits(few)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.zeros(1, 1, 28, 28), r"n >= 2, got \(1, 64\)"),
        (torch.zeros(5, 28, 28), r"need images of shape \(n, 1, 28, 28\), got \(5, 28, 28\)"),
        (torch.full((5, 1, 28, 28), math.inf), "need finite values in images"),
    ],
)
def test_bad_pictures_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        score_digits(bad)


# --- the classifier -----------------------------------------------------------------------------


def test_classifier_of_the_design():
    model, _ = load_classifier()
    assert sum(weight.numel() for weight in model.parameters()) == 60_314
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())


def test_classifier_tells_digits_apart(digits):
    features, logits = look(digits.images[:3000])
    assert features.shape == (3000, FEATURES)
    assert (logits.argmax(1) == digits.labels[:3000]).float().mean() > 0.99


def test_header_says_how_it_was_made():
    with safe_open(JUDGE, framework="pt") as file:
        header = json.loads(file.metadata()["ddim_lib"])
    assert header["accuracy"] > 0.99
    assert 0.96 < header["confident"] < 0.99
    assert header["seed"] == 0


def test_reference_is_of_digits_as_this_classifier_sees_them(digits):
    _, reference = load_classifier()
    whole = Moments(reference.mean, reference.covariance)
    half = moments(reference.features.float())
    assert frechet(half, whole) < 1
    assert frechet(moments(look(digits.images)[0]), whole) < 4  # these have all classes alike


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "classifier.safetensors"
    with pytest.raises(FileNotFoundError, match=r"need a weight file, got .*which is no file"):
        load_classifier(path)
    path.write_bytes(JUDGE.read_bytes()[:-1])
    with pytest.raises(ValueError, match="need a whole safetensors file"):
        load_classifier(path)
    found = load_file(JUDGE)
    del found["reference.mean"]
    save_file(found, path)
    with pytest.raises(
        ValueError, match=r"need torch.float64 \(64,\) as reference.mean .* nothing"
    ):
        load_classifier(path)


def test_the_recipe_learns_and_repeats(digits):
    few = Digits(digits.images[:2000], digits.labels[:2000])
    torch.manual_seed(8)
    before = torch.get_rng_state()
    model = train_classifier.fit(few)
    assert torch.equal(torch.get_rng_state(), before)
    guess = model(digits.images[2000:3000]).argmax(1)
    assert (guess == digits.labels[2000:3000]).float().mean() > 0.8
    again = train_classifier.fit(Digits(few.images[:300], few.labels[:300]), epochs=1)
    third = train_classifier.fit(Digits(few.images[:300], few.labels[:300]), epochs=1)
    assert torch.equal(again.out.weight, third.out.weight)


def test_command_writes_what_the_library_loads(digits, tmp_path, monkeypatch, capsys):
    few = Digits(digits.images[:256], digits.labels[:256])
    parts = {"train": few, "test": digits}
    monkeypatch.setattr(train_classifier, "load_mnist", lambda folder, split: parts[split])
    threads, out = torch.get_num_threads(), tmp_path / "c.safetensors"
    assert train_classifier.main(["--data", "folder", "--out", str(out)]) == 0
    torch.set_num_threads(threads)
    assert "% of the test images classified right" in capsys.readouterr().out
    model, reference = load_classifier(out)
    assert [file.name for file in tmp_path.iterdir()] == ["c.safetensors"]
    parts = (model.features(part) for part in digits.images.split(500))
    features = torch.cat(list(parts)).double()
    torch.testing.assert_close(reference.mean, features.mean(0))
    torch.testing.assert_close(reference.covariance, torch.cov(features.T))
    torch.testing.assert_close(reference.features, features[::2].half(), rtol=0.01, atol=0.01)
    assert isinstance(model, Classifier)


def test_command_errors(tmp_path, capsys):
    assert train_classifier.main(["--data", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "need the file" in captured.err
