"""Train the digits' network: `python -m ddim_lib.train digits` (10 000 shipped images, 10 minutes).

The shipped weights, ddim_lib/assets/digits.safetensors, were made from the whole of MNIST by

    python -m ddim_lib.train digits --data FOLDER --steps 26000 --threads 1

in three quarters of an hour; FOLDER has MNIST's four original files. Ctrl-C or SIGTERM stores
everything beside --out, and --resume goes on exactly from there. A run on the processor repeats
bit for bit on the same machine with the same version of torch and number of threads. With --device
cuda the network, the images and all random numbers live on the GPU; the numbers are others than
the processor's, so a run is resumed on the device where it was begun.
"""

import argparse
import csv
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ddim_lib.data import load_digits, load_mnist
from ddim_lib.files import atomically
from ddim_lib.nets import save_denoiser
from ddim_lib.schedule import Schedule
from ddim_lib.train.loss import TIMES, WEIGHTINGS, held_out_loss
from ddim_lib.train.run import Run, Settings, seeded_unet, start, train
from ddim_lib.train.store import load_state, save_state

EVERY = 500  # steps between two rows of the loss curve, each with a copy of the state


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ddim_lib.train", description="Train the noise predictor of the digits."
    )
    parser.add_argument("what", choices=["digits"])
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="MNIST's four original files")
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--batch", type=int, default=Settings.batch)
    parser.add_argument("--lr", type=float, default=Settings.lr)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    precisions = ["bfloat16", "float32"]  # bfloat16 is quick only where the processor knows it
    parser.add_argument("--precision", choices=precisions, default=Settings.precision)
    width = "width of the network, a multiple of 8"
    parser.add_argument("--channels", type=int, default=Settings.channels, help=width)
    memory = "share of the averaged weights kept at each step"
    parser.add_argument("--ema", type=float, default=Settings.ema, help=memory)
    worth = "how much the loss at each time counts"
    parser.add_argument("--weighting", choices=WEIGHTINGS, default=Settings.weighting, help=worth)
    which = "which times are drawn most often"
    parser.add_argument("--times", choices=TIMES, default=Settings.times, help=which)
    parser.add_argument("--device", default=Settings.device, help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("digits.safetensors"))
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    again.add_argument("--force", action="store_true", help="replace what --out has")
    return parser.parse_args(argv)


def check_out(out: Path, resume: bool, force: bool) -> None:
    """Raise, before hours are spent, if the result could not be stored or would replace another."""
    if out.suffix != ".safetensors" or not out.parent.is_dir():
        raise ValueError(f"need --out as a .safetensors file in an existing folder, got {out}")
    if resume or force:
        return
    if out.with_suffix(".state").exists():
        state = out.with_suffix(".state")
        raise FileExistsError(f"need --resume to go on with {state} or --force to start anew")
    if out.exists():
        raise FileExistsError(f"need --force to replace {out}, which exists")


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


def follow(run: Run, images: Tensor, test: Tensor, state: Path, received: list[int]) -> None:
    """Train with a progress bar until the end or a signal, storing the curve and the state."""
    schedule, steps = Schedule.linear(), run.settings.steps
    bar = tqdm(train(run, schedule, images), initial=run.step, total=steps, disable=None)
    for step, _ in bar:
        if step % EVERY == 0 or step == steps:
            row = sum(run.recent) / len(run.recent), *held_out_loss(run.ema, schedule, test)
            run.curve.append([step, *row])
            run.recent.clear()
            bar.write(report(*run.curve[-1]))
            save_state(run, state)
        if received:
            break


def report(step: int, training: float, mean: float, error: float) -> str:
    """One row of the loss curve in words."""
    return f"step {step:6d}  loss: training {training:.4f}, EMA on test {mean:.4f} ± {error:.4f}"


def write_curve(run: Run, path: Path) -> None:
    """Store the loss curve as CSV, one row every EVERY steps and one at the end."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["step", "train_loss", "ema_test_loss", "standard_error"])
        rows.writerows([step, *(f"{value:.5f}" for value in row)] for step, *row in run.curve)


def finish(run: Run, out: Path) -> None:
    """Store the averaged weights and the loss curve; drop the state, which is of no more use."""
    _, _, mean, error = run.curve[-1]
    metadata = {
        "settings": asdict(run.settings),
        "ema_test_loss": [mean, error],
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    atomically(out, lambda part: save_denoiser(run.ema, part, metadata))
    atomically(out.with_name(f"{out.stem}_loss.csv"), lambda part: write_curve(run, part))
    out.with_suffix(".state").unlink()
    print(f"stored {out}: EMA loss on test images {mean:.5f} ± {error:.5f} (standard error)")


def prepare(args: argparse.Namespace, state: Path) -> tuple[Run, Tensor, Tensor]:
    """Do everything that can go wrong before the first step, storing the state included."""
    data = "shipped" if args.data is None else "mnist"
    knobs = {f.name: getattr(args, f.name) for f in fields(Settings) if f.name != "data"}
    settings = Settings(data, **knobs)
    if args.threads < 1:
        raise ValueError(f"need threads >= 1, got {args.threads}")
    check_out(args.out, args.resume, args.force)
    run = start(settings, seeded_unet(settings.seed, settings.channels))
    if args.resume:
        load_state(run, state)
    images, test = (part.to(settings.device) for part in load_images(args.data))
    save_state(run, state)
    return run, images, test


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    state = args.out.with_suffix(".state")
    with stop_signals() as received:
        try:
            run, images, test = prepare(args, state)
        except (OSError, ValueError) as error:
            print(f"ddim_lib.train: {error}", file=sys.stderr)
            return 2
        torch.set_num_threads(args.threads)
        follow(run, images, test, state, received)
    if run.step < run.settings.steps:
        save_state(run, state)
        done = f"stopped after step {run.step} of {run.settings.steps}, stored {state}"
        print(f"{done}: add --resume to the command to go on")
        return 128 + received[0]
    finish(run, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
