"""The step and the walk beside those of diffusers."""

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler

from ddim_lib import Schedule, ddim_coefficients, ddim_step, ddim_steps, ddpm_large_step, sample
from tests.support.cases import LINEAR, network, normal, seeded
from tests.support.oracles import BETA_POWER


def in_float64(scheduler):
    """Their arithmetic on the table of NumPy: the rounding of their float32 table drops out."""
    scheduler.alphas_cumprod = torch.from_numpy(np.cumprod(1 - BETA_POWER))
    if not getattr(scheduler.config, "set_alpha_to_one", True):
        scheduler.final_alpha_cumprod = scheduler.alphas_cumprod[0]
    return scheduler


def diffusers_walk(scheduler, model, x, steps, **options):
    """Their loop on our model: their time index t is our t − 1. Returns x_0 and our times."""
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps.tolist():
        with torch.no_grad():
            x = scheduler.step(model(x, t + 1), t, x, **options).prev_sample
    return x, [t + 1 for t in scheduler.timesteps.tolist()]


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 10, 50, 125])
def test_agrees_with_diffusers(eta, steps):
    model, x = network(torch.float64), normal((2, 6, 6))
    scheduler = in_float64(DDIMScheduler(clip_sample=False, timestep_spacing="trailing"))
    options = {"eta": eta, "generator": seeded(7) if eta else None}
    theirs, times = diffusers_walk(scheduler, model, x, steps, **options)
    assert [*times, 0] == LINEAR.times(steps)
    ours = sample(model, LINEAR, x, steps, eta, seeded(7))
    assert ((ours - theirs).norm() / theirs.norm()).item() < 1e-10


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_agrees_with_diffusers_as_it_comes(eta):
    """In float32 with their own table, which is rounded: 1e-5 of the picture."""
    model, x = network(torch.float32), normal((2, 6, 6), dtype=torch.float32)
    scheduler = DDIMScheduler(clip_sample=False, timestep_spacing="trailing")
    theirs, _ = diffusers_walk(
        scheduler, model, x, 50, eta=eta, generator=seeded(7) if eta else None
    )
    ours = sample(model, LINEAR, x, 50, eta, seeded(7))
    assert ((ours - theirs).norm() / theirs.norm()).item() < 1e-5


@pytest.mark.parametrize(
    ("settings", "times"),
    [
        ({"timestep_spacing": "leading"}, [*range(981, 0, -20), 0]),
        ({"timestep_spacing": "leading", "steps_offset": 1}, [*range(982, 0, -20), 0]),
        ({"timestep_spacing": "trailing", "set_alpha_to_one": False}, [*range(1000, 19, -20), 1]),
    ],
    ids=["leading", "offset", "first-alpha-last"],
)
def test_agrees_with_diffusers_other_times(settings, times):
    model, x = network(torch.float64), normal((2, 6, 6))
    scheduler = in_float64(DDIMScheduler(clip_sample=False, **settings))
    theirs, visited = diffusers_walk(scheduler, model, x, 50, eta=0.3, generator=seeded(7))
    assert visited == times[:-1]
    *_, last = ddim_steps(model, LINEAR, x, times, 0.3, seeded(7))
    assert ((last.x - theirs).norm() / theirs.norm()).item() < 1e-10


@pytest.mark.parametrize(("variance", "large"), [("fixed_small", False), ("fixed_large", True)])
def test_agrees_with_diffusers_ddpm(variance, large):
    """Every single step of η = 1 and of σ̂; their clamped variance at the last step is 1e-20."""
    scheduler = in_float64(DDPMScheduler(clip_sample=False, variance_type=variance))
    x, eps = normal((2, 5)), normal((2, 5), seed=1)
    for t in range(1, 1001):
        noise = torch.randn(x.shape, generator=seeded(t), dtype=x.dtype)
        step = ddpm_large_step if large else ddim_step
        ours = step(LINEAR, x, eps, t, t - 1, *([] if large else [1.0]), noise=noise)
        theirs = scheduler.step(eps, t - 1, x, generator=seeded(t)).prev_sample
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-9)
        if not large and t > 1:
            sigma = ddim_coefficients(LINEAR, t, t - 1, 1.0).sigma
            assert sigma**2 == pytest.approx(scheduler._get_variance(t - 1).item(), rel=1e-10)


def test_the_cosine_table_is_diffusers():
    theirs = DDIMScheduler(beta_schedule="squaredcos_cap_v2").alphas_cumprod.double()
    torch.testing.assert_close(Schedule.cosine().alpha_bar[1:] ** 2, theirs, rtol=2e-4, atol=1e-9)
