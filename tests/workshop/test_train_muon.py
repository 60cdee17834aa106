"""Muon: which weights it moves, how far, and that torch's own optimizer does it."""

import pytest
import torch
from torch import nn

from ddim_lib.train.muon import Muon, inner_weights
from ddim_lib.train.run import train
from tests.support.tiny import SCHEDULE, bright_squares, generator, tiny_run

RATE = 0.01


@pytest.fixture(scope="module")
def images():
    return bright_squares()


def kernel(*shape):
    weight = nn.Parameter(torch.zeros(shape, dtype=torch.float64))
    weight.grad = torch.randn(shape, dtype=torch.float64, generator=generator(1))
    return weight


@pytest.mark.parametrize("shape", [(16, 8, 3, 3), (64, 6, 1, 1), (24, 10)])
def test_a_step_turns_the_gradient_into_a_matrix_of_equal_singular_values(shape):
    """Along the gradient's own singular vectors, and each as long as the others, within a half.

    The five iterations in bfloat16 are known to leave them between 0.5 and 1.5 (Jordan et al.);
    a step has the root mean square 0.2 · rate that is usual for AdamW (Liu et al. 2025).
    """
    weight = kernel(*shape)
    Muon([weight], RATE).step()
    left, _, right = torch.linalg.svd(weight.grad.flatten(1), full_matrices=False)
    moved = -weight.detach().flatten(1) / (0.2 * RATE * max(left.shape[0], right.shape[1]) ** 0.5)
    along = left.T @ moved @ right.T
    lengths = along.diagonal()
    assert lengths.min() > 0.5
    assert lengths.max() < 1.5
    assert (along - lengths.diag()).abs().max() < 0.05


def test_the_size_of_the_gradient_does_not_matter_and_its_past_does():
    small, large, turned = (kernel(16, 8, 3, 3) for _ in range(3))
    large.grad *= 1024  # exact in any float
    steps = [Muon([weight], RATE) for weight in (small, large, turned)]
    for optimizer in steps:
        optimizer.step()
    torch.testing.assert_close(small, large, rtol=0, atol=1e-6)
    before = turned.detach().clone()
    turned.grad = torch.randn(16, 8, 3, 3, dtype=torch.float64, generator=generator(2))
    small.grad, past = turned.grad.clone(), small.detach().clone()
    Muon([small], RATE).step()
    steps[2].step()
    assert (turned - before - (small - past)).detach().abs().max() > 1e-4


def test_inner_weights_are_all_matrices_between_the_image_and_the_image():
    run = tiny_run()
    inner = {id(weight) for weight in inner_weights(run.model)}
    for name, weight in run.model.named_parameters():
        outer = name in {"stem.weight", "head.2.weight"} or weight.ndim == 1
        assert (id(weight) in inner) != outer, name


def test_every_weight_is_moved_once_by_one_of_the_two(images):
    run = tiny_run(optimizer="muon")
    adamw, muon = run.optimizers
    held = [p for group in adamw.param_groups for p in group["params"]] + muon.whole
    assert sorted(map(id, held)) == sorted(map(id, run.model.parameters()))
    before = [weight.detach().clone() for weight in run.model.parameters()]
    for _ in zip(train(run, SCHEDULE, images), range(4), strict=False):
        pass  # the zeroed branches let nothing through before the second
    for (name, weight), old in zip(run.model.named_parameters(), before, strict=True):
        assert not torch.equal(weight, old), name


def test_both_follow_the_learning_rate(images):
    run = tiny_run(optimizer="muon")
    next(train(run, SCHEDULE, images))
    rates = [group["lr"] for optimizer in run.optimizers for group in optimizer.param_groups]
    assert rates == pytest.approx([0.01 / 200] * 2)


def test_weights_that_no_matrix_can_share():
    weight = torch.zeros(4, 3, 2, 2).to(memory_format=torch.channels_last)
    with pytest.raises(ValueError, match=r"got one of shape \(4, 3, 2, 2\) that is not"):
        Muon([weight], RATE)
