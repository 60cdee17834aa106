"""The book's tables: which cells each has, on what it is measured and how."""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import cast

from torch import Tensor

from ddim_lib.checks import SIGMA_HAT
from ddim_lib.classifier import JUDGE
from ddim_lib.data import load_digits, load_mnist
from ddim_lib.files import checksum, locate, trained
from ddim_lib.metrics import score_digits
from ddim_lib.spacing import Spacing
from ddim_lib.tables import measure
from ddim_lib.tables.measure import BATCH, DATA
from ddim_lib.tables.store import Row

ETAS = ("0", "0.2", "0.5", "1", SIGMA_HAT)
SCORES = ("frechet", "energy", "confident")
Cells = list[tuple[str, ...]]


@dataclass(frozen=True)
class Job:
    """One table: its columns, what it is measured on, its cells and how one is computed."""

    keys: tuple[str, ...]
    results: tuple[str, ...]
    identity: dict[str, str]
    cells: Cells
    compute: Callable[[Row], dict[str, float]]


def crossed(*columns: Iterable[object]) -> Cells:
    """All combinations, the last column turning fastest, as the texts that the file has."""
    return [tuple(map(str, cell)) for cell in product(*columns)]


def spacing_of(row: Row) -> Spacing:
    """Return a row's spacing; `schedule.times` checks it."""
    return cast(Spacing, row["spacing"])


def seeds(args: argparse.Namespace, planned: int) -> range:
    """Seeds of a table from --first-seed on: as many as planned, or more where more are asked."""
    return range(args.first_seed, args.first_seed + max(planned, args.seeds or 0))


def table_1(args: argparse.Namespace, n: int) -> Cells:
    """(steps, eta, seed, n), cheap cells first; the short plan has few of the longest walks."""
    short = crossed(seeds(args, 3), (5, 10, 20, 50, 100), ETAS, [n])
    long = crossed(seeds(args, 3), (1000,), ETAS, [n])
    if args.plan == "short":
        long = crossed(seeds(args, 1), (1000,), ("0", "1", SIGMA_HAT), [n])
    return [(steps, eta, seed, n) for seed, steps, eta, n in short + long]


def only(args: argparse.Namespace) -> Path:
    """Return the file of the one network that this table is of."""
    if len(args.weights) != 1:
        raise ValueError(f"need one network in --weights, got {len(args.weights)}")
    return locate(args.weights[0])


def digits(args: argparse.Namespace) -> Job:
    """Plan Table 1: n = 5000; in the short plan 2000, and 500 for the longest walks."""
    todo = table_1(args, 5000)
    if args.plan == "short":
        todo = [(S, eta, seed, "500" if S == "1000" else "2000") for S, eta, seed, _ in todo]
    path = only(args)
    model = measure.network(path, args.device)
    if args.compile:
        measure.compile_forward(model)

    @lru_cache(maxsize=1)  # the cells of one walk that differ in n come one after the other
    def drawn(steps: int, eta: str, seed: int, spacing: Spacing, n: int) -> Tensor:
        return measure.draw_digits(model, steps, eta, seed, n, spacing, args.precision)

    def compute(row: Row) -> dict[str, float]:
        n, most = int(row["n"]), max(args.n or [int(row["n"])])
        walk = (int(row["steps"]), row["eta"], int(row["seed"]), spacing_of(row))
        return score_digits(drawn(*walk, n if n % BATCH else most)[:n])._asdict()

    identity = {"weights": checksum(path), "judge": checksum(JUDGE)}
    keys = ("steps", "eta", "seed", "n", "spacing")
    return Job(keys, SCORES, identity, [(*cell, args.spacing) for cell in todo], compute)


def length(args: argparse.Namespace) -> Job:
    """Plan quality against training: S = 50, η = 0, of each file that a run kept (--weights …).

    A file whose `trained` steps are fewer than the `planned` ones is from the middle of its run,
    where the learning rate had not yet fallen.
    """
    files = {checksum(path): path for path in map(locate, args.weights)}
    told = {name: (*map(str, trained(path)), name) for name, path in files.items()}
    rows = crossed(seeds(args, 3), told, [2000 if args.plan == "short" else 5000])
    load = cache(lambda name: measure.network(files[name], args.device))

    def compute(row: Row) -> dict[str, float]:
        return measure.digits_cell(load(row["weights"]), 50, "0", int(row["seed"]), int(row["n"]))

    identity = {"steps": "50", "eta": "0", "judge": checksum(JUDGE)}
    keys = ("trained", "planned", "weights", "seed", "n")
    return Job(keys, SCORES, identity, [(*told[name], s, n) for s, name, n in rows], compute)


def exact(args: argparse.Namespace) -> Job:
    """Plan the same table without a network; steps = 0 is a draw from the mixture itself."""
    todo = [("0", DATA, str(seed), "50000") for seed in seeds(args, 3)] + table_1(args, 50_000)
    todo = [(*cell, args.spacing) for cell in todo]

    def compute(row: Row) -> dict[str, float]:
        return measure.exact_cell(
            row["mixture"], int(row["steps"]), row["eta"], int(row["seed"]), int(row["n"]),
            spacing_of(row),
        )  # fmt: skip

    keys = ("steps", "eta", "seed", "n", "spacing")
    return Job(keys, ("sliced_w1",), {"mixture": args.mixture}, todo, compute)


def perturbed(args: argparse.Namespace) -> Job:
    """Plan the experiment: no error, one at high t, one at low t, for each η."""
    todo = crossed(["none"], [0], [100], ETAS, seeds(args, 3), [50_000])
    todo += crossed(["high", "low"], [0.1, 0.3], [100], ETAS, seeds(args, 3), [50_000])

    def compute(row: Row) -> dict[str, float]:
        return measure.perturbed_cell(
            row["mixture"], row["where"], float(row["size"]), int(row["steps"]),
            row["eta"], int(row["seed"]), int(row["n"]),
        )  # fmt: skip

    keys = ("where", "size", "steps", "eta", "seed", "n")
    return Job(keys, ("sliced_w1",), {"mixture": args.mixture}, todo, compute)


def encoding(args: argparse.Namespace) -> Job:
    """Plan Table 2, on MNIST's test images where --data is given, else on the shipped digits."""
    planned, n = (3, 2000) if args.plan == "full" else (1, 200)
    grid = crossed(seeds(args, planned), (10, 20, 50, 100, 200, 500, 1000), [n])
    todo: Cells = [(steps, seed, n, args.spacing) for seed, steps, n in grid]
    path = only(args)
    model = measure.network(path, args.device)
    source = load_digits() if args.data is None else load_mnist(args.data, "test")

    def compute(row: Row) -> dict[str, float]:
        steps, seed, n = (int(row[name]) for name in ("steps", "seed", "n"))
        return measure.encoding_cell(model, source.images, steps, seed, n, spacing_of(row))

    images = "shipped" if args.data is None else "mnist test"
    identity = {"weights": checksum(path), "images": images}
    results = ("mse", "std", "neighbours")
    return Job(("steps", "seed", "n", "spacing"), results, identity, todo, compute)


def floors(args: argparse.Namespace) -> Job:
    """Plan the scores of real digits: the training images, as the sampler aims at those."""
    if args.data is None:
        raise ValueError("need --data FOLDER with MNIST's four original files")
    images = load_mnist(args.data, "train").images

    def compute(row: Row) -> dict[str, float]:
        return measure.floor_cell(images, int(row["seed"]), int(row["n"]))

    todo: Cells = [(seed, n) for n, seed in crossed((500, 1000, 2000, 5000), seeds(args, 10))]
    identity = {"judge": checksum(JUDGE), "images": "mnist train"}
    return Job(("seed", "n"), SCORES, identity, todo, compute)


TABLES = {f.__name__: f for f in (digits, exact, perturbed, encoding, floors, length)}
