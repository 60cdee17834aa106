"""The pipeline of diffusers that "Your own model" shows as text: run with one that is made here."""

import re

import nbformat
import pytest
import torch
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel

from ddim_lib import Schedule, plots, sample, seeded
from ddim_lib.widgets import GridExplorer, explore
from tests.support.built_site import ROOT

NOTEBOOK = nbformat.read(ROOT / "chapters" / "at_hand_own_model.ipynb", as_version=4)
[SHOWN] = re.findall(
    r"```python\n(from diffusers .*?)```", "".join(c.source for c in NOTEBOOK.cells), re.DOTALL
)


@pytest.fixture(scope="module", params=[1, 3], ids=["grey", "rgb"])
def folder(request, tmp_path_factory) -> str:
    """A saved pipeline: a small network with arbitrary weights."""
    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=8,
        in_channels=request.param,
        out_channels=request.param,
        layers_per_block=1,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
    )
    path = tmp_path_factory.mktemp("pipeline")
    DDPMPipeline(unet, DDPMScheduler(num_train_timesteps=1000)).save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module")
def made(folder) -> dict:
    """What the shown code defines."""
    names = {"folder": folder, "torch": torch, "Schedule": Schedule, "plots": plots}
    names |= {"sample": sample, "seeded": seeded, "explore": explore}
    exec(SHOWN, names)
    return names


def test_the_table_is_the_pipelines(made):
    assert (made["table"].alpha_bar - Schedule.linear().alpha_bar).abs().max() < 1e-6


def test_it_samples_as_diffusers_does(made):
    scheduler = DDIMScheduler.from_config(
        made["pipe"].scheduler.config, clip_sample=False, timestep_spacing="trailing"
    )
    scheduler.set_timesteps(10)
    x = made["start"]
    with torch.no_grad():
        for t in scheduler.timesteps:
            x = scheduler.step(made["unet"](x, t).sample, t, x).prev_sample
    ours = sample(made["model"], made["table"], made["start"], 10)
    assert (ours - x).abs().max() < 1e-3 * x.abs().max()


def test_the_explorer_shows_it(made):
    explorer = made["explorer"]
    assert isinstance(explorer, GridExplorer)
    assert (explorer.etas, explorer.step_counts) == ([0.0, 1.0], [2, 5])
    assert explorer.picture().shape == (8, 32)
