"""Train the digits' network: `python -m ddim_lib.train digits` (10 000 shipped images, 6 minutes).

The shipped weights, ddim_lib/assets/digits.safetensors, were made from the whole of MNIST by

    python -m ddim_lib.train digits --data FOLDER --channels 64 --inner 64 --blocks 2 \\
        --optimizer muon --lr 4e-3 --steps 32000 --threads 2

in an hour and a quarter; FOLDER has MNIST's four original files. Ctrl-C or SIGTERM stores
everything beside --out, and --resume goes on exactly from there. --keep 1000 2000 also stores the
averaged weights as they are after so many steps, in files like digits_1000.safetensors.

A run on the processor repeats bit for bit on the same machine with the same version of torch and
number of threads. With --device cuda the network, the images and all random numbers live on the
GPU; the numbers are others than the processor's, so a run is resumed on the device where it was
begun.
"""

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ddim_lib.data import load_digits, load_mnist
from ddim_lib.files import printable
from ddim_lib.schedule import Schedule
from ddim_lib.train.loss import TIMES, WEIGHTINGS, held_out_loss
from ddim_lib.train.run import OPTIMIZERS, Run, Settings, seeded_unet, start, train
from ddim_lib.train.store import Keeper, load_state, save_state

EVERY = 500  # steps between two rows of the loss curve, each with a copy of the state


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ddim_lib.train", description="Train the noise predictor of the digits."
    )
    parser.add_argument("what", choices=["digits"])
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="MNIST's four original files")
    add_recipe(parser)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("digits.safetensors"))
    moments = "also store the averaged weights after these steps, beside --out"
    parser.add_argument("--keep", type=int, nargs="+", default=[], metavar="STEP", help=moments)
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    again.add_argument("--force", action="store_true", help="replace what --out has")
    return parser.parse_args(argv)


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add the options that decide the result of a run."""
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--batch", type=int, default=Settings.batch)
    parser.add_argument("--lr", type=float, default=Settings.lr)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    precisions = ["bfloat16", "float32"]  # bfloat16 is quick only where the processor knows it
    parser.add_argument("--precision", choices=precisions, default=Settings.precision)
    width = "channels at 14×14, a multiple of 8"
    parser.add_argument("--channels", type=int, default=Settings.channels, help=width)
    width = "channels at 7×7, a multiple of 8; 0, as it is: twice those at 14×14"
    parser.add_argument("--inner", type=int, default=Settings.inner, help=width)
    depth = "at 14×14, on the way down and on the way up"
    parser.add_argument("--blocks", type=int, choices=(1, 2), default=Settings.blocks, help=depth)
    memory = "share of the averaged weights kept at each step"
    parser.add_argument("--ema", type=float, default=Settings.ema, help=memory)
    worth = "how much the loss at each time counts"
    parser.add_argument("--weighting", choices=WEIGHTINGS, default=Settings.weighting, help=worth)
    which = "which times are drawn most often"
    parser.add_argument("--times", choices=TIMES, default=Settings.times, help=which)
    how = "muon: hidden layers by Muon, the rest by AdamW"
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default=Settings.optimizer, help=how)
    parser.add_argument("--device", default=Settings.device, help="cpu or cuda")


def load_images(folder: Path | None) -> tuple[Tensor, Tensor]:
    """Images to train on and held-out ones, from the shipped digits or MNIST's folder."""
    if folder is None:
        images = load_digits().images
        return images[:-1000], images[-1000:]
    return load_mnist(folder, "train").images, load_mnist(folder, "test").images[:2000]


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM in a list instead of dying in the middle of a step."""
    received: list[int] = []
    stops = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda n, _: received.append(n)) for number in stops]
    try:
        yield received
    finally:
        for number, handler in zip(stops, before, strict=True):
            signal.signal(number, handler)


def follow(run: Run, images: Tensor, test: Tensor, keeper: Keeper, received: list[int]) -> None:
    """Train with a progress bar until the end or a signal, storing curve, state and weights."""
    schedule, steps = Schedule.linear(), run.settings.steps
    bar = tqdm(train(run, schedule, images), initial=run.step, total=steps, disable=None)
    for step, _ in bar:
        if step in keeper.keep:
            keeper.save_kept(run, held_out_loss(run.ema, schedule, test))
        if step % EVERY == 0 or step == steps:
            row = sum(run.recent) / len(run.recent), *held_out_loss(run.ema, schedule, test)
            run.curve.append([step, *row])
            run.recent.clear()
            bar.write(report(step, *row))
            save_state(run, keeper.state)
        if received:
            break


def report(step: int, training: float, mean: float, error: float) -> str:
    """One row of the loss curve in words."""
    return f"step {step:6d}  loss: training {training:.4f}, EMA on test {mean:.4f} ± {error:.4f}"


def prepare(args: argparse.Namespace, keeper: Keeper) -> tuple[Run, Tensor, Tensor]:
    """Do everything that can go wrong before the first step, storing the state included."""
    data = "shipped" if args.data is None else "mnist"
    knobs = {f.name: getattr(args, f.name) for f in fields(Settings) if f.name != "data"}
    settings = Settings(data, **knobs)
    if args.threads < 1:
        raise ValueError(f"need threads >= 1, got {args.threads}")
    keeper.check(settings.steps, args.resume, args.force)
    run = start(
        settings, seeded_unet(settings.seed, settings.channels, settings.inner, settings.blocks)
    )
    if args.resume:
        load_state(run, keeper.state)
        keeper.check_passed(run.step)
    images, test = (part.to(settings.device) for part in load_images(args.data))
    save_state(run, keeper.state)
    return run, images, test


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    printable()
    args = parse(argv)
    keeper = Keeper(args.out, tuple(args.keep))
    with stop_signals() as received:
        try:
            run, images, test = prepare(args, keeper)
        except (OSError, ValueError) as error:
            print(f"ddim_lib.train: {error}", file=sys.stderr)
            return 2
        torch.set_num_threads(args.threads)
        follow(run, images, test, keeper, received)
    if run.step < run.settings.steps:
        save_state(run, keeper.state)
        done = f"stopped after step {run.step} of {run.settings.steps}, stored {keeper.state}"
        print(f"{done}: add --resume to the command to go on")
        return 128 + received[0]
    mean, doubt = keeper.finish(run)
    print(f"stored {args.out}: EMA loss on test images {mean:.5f} ± {doubt:.5f} (standard error)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
