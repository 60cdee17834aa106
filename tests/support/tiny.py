"""A tiny network, tiny pictures, and a tiny run of training."""

import torch

from ddim_lib.nets import UNet
from ddim_lib.schedule import Schedule
from ddim_lib.train.run import Settings, start

SCHEDULE = Schedule.linear()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def tiny_run(**knobs):
    torch.manual_seed(3)
    settings = Settings(**{"steps": 20, "batch": 8, "lr": 0.01, **knobs})
    return start(settings, UNet(channels=8, embedding=16))


def bright_squares():
    """Bright squares on black: data that a tiny network learns within a few steps."""
    x = -torch.ones(64, 1, 28, 28)
    for i in range(64):
        x[i, 0, i % 8 : i % 8 + 16, i // 8 : i // 8 + 16] = 1
    return x


def noise_images():
    return torch.randn(3, 1, 28, 28, generator=generator())


def moved_unet():
    """A small network whose zero-initialised outputs were moved, so that everything matters."""
    torch.manual_seed(0)
    net = UNet(channels=8, embedding=16)
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.1 * torch.randn(weight.shape))
    return net.eval().requires_grad_(False)
