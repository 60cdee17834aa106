"""Train the digits' network without one of its parts: `python -m tools.ablations FOLDER`.

    none         the network as it is
    time         the embedding of t is 0: only the formula around the network knows t
    velocity     the network says the noise itself, not v
    attention    no place looks at the others
    scale        t shifts the channels and no longer scales them
    details      the way up gets nothing from the way down
    average      "none", its weights as they are instead of their moving average

Each is trained on the shipped digits by the recipe of `python -m ddim_lib.train digits`, for
--steps steps, and kept as a state in FOLDER. Then, for each of --seeds draws of noise, one row of
--out: the loss on held-out digits in five bands of t, and the scores of --n samples (20 steps,
η = 0); of "none" and "average" halfway, too. --pictures FILE.npz stores eight samples of each, as
bytes. The same command goes on where it was stopped.
"""

import argparse
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Generator, Tensor, nn

from ddim_lib import Schedule, nets
from ddim_lib.classifier import JUDGE
from ddim_lib.files import checksum
from ddim_lib.nets import ResBlock, UNet
from ddim_lib.tables.measure import digits_cell, draw_digits
from ddim_lib.tables.store import Store, commit
from ddim_lib.train.__main__ import load_images
from ddim_lib.train.loss import loss
from ddim_lib.train.run import Run, Settings, seeded_unet, start, train
from ddim_lib.train.store import load_state, save_state

SCHEDULE = Schedule.linear()
BANDS = (1, 101, 301, 501, 701, 1001)  # low <= t < high
EACH = 200  # held-out digits of a draw
EVERY = 100  # training steps between two states
WALK = 20  # steps of the samples
RESULTS = [f"loss_{low}" for low in BANDS[:-1]] + ["frechet", "energy", "confident"]


# --- networks without a part --------------------------------------------------------------------


class Noise(UNet):
    """The same layers, whose result is ε̂ itself: with ᾱ = 1 nothing is added to it."""

    def forward(self, x: Tensor, t: float | Tensor) -> Tensor:
        """Return ε̂ shaped like x."""
        with patch.object(nets, "signal", torch.ones_like):
            return super().forward(x, t)


def without_attention(net: UNet) -> UNet:
    """Let each place see its neighbours only."""
    for name in ("attention1", "attention2"):
        setattr(net, name, nn.Identity())
    return net


def without_time(net: UNet) -> UNet:
    """Tell the blocks nothing about t."""
    net.time.register_forward_hook(lambda _, __, e: torch.zeros_like(e))
    return net


def without_scale(net: UNet) -> UNet:
    """Add the embedding only, as the first DDPM did."""
    for block in net.modules():
        if isinstance(block, ResBlock):
            block.scale_shift.register_forward_hook(_shift_alone)
    return net


def without_details(net: UNet) -> UNet:
    """Replace by 0 what the way up gets from the way down, the second half of its input."""
    for block in (net.up7, net.up14):
        block.register_forward_pre_hook(_upper_half_alone)
    return net


def as_noise(net: UNet) -> UNet:
    """Predict ε without the shortcut around the network."""
    net.__class__ = Noise
    return net


def _shift_alone(_: nn.Module, __: object, out: Tensor) -> Tensor:
    scale, shift = out.chunk(2, dim=1)
    return torch.cat([torch.zeros_like(scale), shift], dim=1)


def _upper_half_alone(_: nn.Module, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    h, e = inputs
    below, across = h.chunk(2, dim=1)
    return torch.cat([below, torch.zeros_like(across)], dim=1), e


PARTS: dict[str, Callable[[UNet], UNet]] = {
    "none": lambda net: net,
    "time": without_time,
    "velocity": as_noise,
    "attention": without_attention,
    "details": without_details,
    "scale": without_scale,
}
ROWS = [*PARTS, "average"]


# --- training and measuring ---------------------------------------------------------------------


def state_of(folder: Path, part: str, settings: Settings, step: int) -> Path:
    """Where the state of a run is kept: halfway, and the last one at any time."""
    return folder / f"{part}_{settings.seed}_{step}.state"


def train_whole(folder: Path, part: str, settings: Settings) -> None:
    """Train one of them to its end, from the last state in the folder if there is one."""
    path = state_of(folder, part, settings, settings.steps)
    run = loaded(path, part, settings) if path.exists() else begun(part, settings)
    for step, value in train(run, SCHEDULE, load_images(None)[0]):
        if step == settings.steps // 2:
            save_state(run, state_of(folder, part, settings, step))
        if step % EVERY == 0 or step == settings.steps:
            print(f"without {part}, step {step}: {value:.4f}", flush=True)
            save_state(run, path)


def begun(part: str, settings: Settings) -> Run:
    """Make one of them, untrained."""
    return start(settings, PARTS[part](seeded_unet(settings.seed)))


def loaded(path: Path, part: str, settings: Settings) -> Run:
    """Read one of them as it was after a step."""
    run = begun(part, settings)
    load_state(run, path)
    return run


@torch.no_grad()
def band_losses(model: nn.Module, images: Tensor, seed: int) -> dict[str, float]:
    """Loss in ε of (n, 1, 28, 28) images in each band, at times spread evenly over it."""
    generator, found = Generator().manual_seed(seed), {}
    for low, high in pairwise(BANDS):
        t = low + torch.arange(len(images)) * (high - low) // len(images)
        eps = torch.randn(images.shape, generator=generator)
        found[f"loss_{low}"] = loss(model, SCHEDULE, images, t, eps).mean().item()
    return found


def measured(model: nn.Module, seed: int, n: int) -> dict[str, float]:
    """One row: the losses on the seed's own held-out digits, and the scores of n samples."""
    _, test = load_images(None)
    mine = test[EACH * seed % len(test) :][:EACH]
    return band_losses(model, mine, seed) | digits_cell(model, WALK, "0", seed, n)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.ablations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="where the states are kept")
    parser.add_argument("--out", type=Path, default=Path("table_ablations.csv"))
    parser.add_argument("--pictures", type=Path, help="an .npz file")
    parser.add_argument("--parts", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--training-seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5, help="draws of noise, at most 5")
    parser.add_argument("--n", type=int, default=500, help="samples")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Train what is missing, measure what is missing."""
    args = parse(argv)
    torch.set_num_threads(1)
    settings = Settings(steps=args.steps, seed=args.training_seed, precision="float32")
    told = {"steps": str(args.steps), "walk": str(WALK), "judge": checksum(JUDGE)}
    provenance = {"torch": torch.__version__, "commit": commit()}
    keys = ("without", "after", "training_seed", "seed", "n")
    store = Store(args.out, keys, RESULTS, told, provenance)
    pictures: dict[str, Any] = {}
    for part, after in moments(args.parts, args.steps):
        model = network(args.folder, part, settings, after)
        for seed in range(args.seeds):
            cell = (part, *map(str, (after, settings.seed, seed, args.n)))
            if cell not in store.done():
                store.add(cell, measured(model, seed, args.n))
                print(f"measured {' '.join(cell)}", flush=True)
        if args.pictures and after == args.steps:
            pictures[part] = drawn(model)
    if args.pictures:
        np.savez_compressed(args.pictures, **pictures)
    return 0


def network(folder: Path, part: str, settings: Settings, step: int) -> nn.Module:
    """Return what is measured of a run: the averaged weights, but where the average is left out."""
    whole = "none" if part == "average" else part
    train_whole(folder, whole, settings)
    run = loaded(state_of(folder, whole, settings, step), whole, settings)
    return (run.model if part == "average" else run.ema).eval().requires_grad_(False)


def drawn(model: nn.Module, n: int = 8) -> np.ndarray:
    """Eight samples, uint8 (n, 28, 28), from the same noise for every network."""
    grey = (draw_digits(model, WALK, "0", 0, n)[:, 0].clamp(-1, 1) + 1) * 127.5
    return grey.round().byte().numpy()


def moments(parts: list[str], steps: int) -> list[tuple[str, int]]:
    """Which networks are measured, and after how many steps."""
    halfway = [(part, steps // 2) for part in parts if part in ("none", "average")]
    return [(part, steps) for part in parts] + halfway


if __name__ == "__main__":
    sys.exit(main())
