"""Fill the book's tables of measured numbers: `python -m ddim_lib.tables digits`.

    digits      quality of the network's samples against steps and η (the paper's Table 1)
    exact       the same for an exact mixture in two dimensions: no network, so no network's error
    perturbed   the exact predictor with an error at high or at low t: which η suffers?
    encoding    image → noise → image against steps (the paper's Table 2)
    floors      what real digits score, which no sampler can beat; needs --data FOLDER
    length      quality against training: --weights with the files that a run kept (--keep)

Each finished cell is stored at once; the same command goes on where it was stopped or killed.
`--plan full --device cuda` is the whole of Table 1, n = 5000 and three seeds; the default is what
one processor core can do in a night. --steps, --eta, --seeds and --n measure something smaller
(several n of digits score the first ones of the same pictures), --first-seed other noise, --spacing
quadratic the paper's other choice of steps, --precision bfloat16 draws the digits with a network
that multiplies so, --compile with a compiled one (both together twice as fast where the processor
knows bfloat16); the column `device` says it.
"""

import argparse
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from ddim_lib.checks import check_device
from ddim_lib.files import printable
from ddim_lib.tables.measure import DATA
from ddim_lib.tables.plans import ETAS, TABLES, Cells, Job
from ddim_lib.tables.store import Store, commit


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ddim_lib.tables",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=list(TABLES))
    parser.add_argument("--out", type=Path, help="CSV file; default: table_<what>.csv")
    parser.add_argument("--plan", choices=["short", "full"], default="short")
    which = "a shipped network or a file"
    parser.add_argument("--weights", nargs="+", default=["digits"], help=which)
    parser.add_argument("--spacing", choices=["uniform", "quadratic"], default="uniform")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--compile", action="store_true", help="the digits' network, by torch")
    parser.add_argument("--mixture", choices=["ring", "grid", "moons", "spiral"], default="ring")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="MNIST's four original files")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, nargs="+", help="only these")
    parser.add_argument("--eta", choices=[*ETAS, DATA], nargs="+", help="only these")
    parser.add_argument("--seeds", type=int, help="so many; the plan has its own number")
    parser.add_argument("--first-seed", type=int, default=0, help="where the seeds begin")
    parser.add_argument("--n", type=int, nargs="+", help="other numbers of samples")
    return parser.parse_args(argv)


def chosen(job: Job, args: argparse.Namespace) -> Cells:
    """Cells that the command line asks for, each once."""
    keep: dict[tuple[str, ...], None] = {}
    for cell in job.cells:
        row = dict(zip(job.keys, cell, strict=True))
        wanted = (
            (args.steps is None or int(row.get("steps", -1)) in args.steps)
            and (args.eta is None or row.get("eta") in args.eta)
            and (args.seeds is None or int(row["seed"]) < args.first_seed + args.seeds)
        )
        for n in (args.n or [row["n"]]) if wanted else []:
            keep[tuple((row | {"n": str(n)}).values())] = None
    if not keep:
        raise ValueError("need a selection that leaves cells of this table, got none")
    return list(keep)


def prepare(args: argparse.Namespace) -> tuple[Job, Store, Cells]:
    """Do everything that can go wrong before the first cell."""
    if args.threads < 1:
        raise ValueError(f"need threads >= 1, got {args.threads}")
    if min(args.n or [2]) < 2:
        raise ValueError(f"need --n >= 2, got {min(args.n)}")
    if args.first_seed < 0:
        raise ValueError(f"need --first-seed >= 0, got {args.first_seed}")
    if args.spacing != "uniform" and args.what not in ("digits", "encoding", "exact"):
        raise ValueError(f"need --spacing uniform for this table, got {args.spacing}")
    if args.what != "digits" and (args.compile or args.precision != "float32"):
        got = f"{args.precision}{', --compile' if args.compile else ''}"
        raise ValueError(f"need float32 and no --compile for this table, got {got}")
    check_device(args.device)
    job = TABLES[args.what](args)
    out = args.out or Path(f"table_{args.what}.csv")
    if not out.parent.is_dir():
        raise ValueError(f"need --out in an existing folder, got {out}")
    where = torch.cuda.get_device_name() if args.device == "cuda" else "cpu"
    where += "" if args.precision == "float32" else f" in {args.precision}"
    where += ", compiled" if args.compile else ""
    provenance = {"torch": torch.__version__, "device": where, "commit": commit()}
    store = Store(out, job.keys, job.results, job.identity, provenance)
    done = store.done()
    return job, store, [cell for cell in chosen(job, args) if cell not in done]


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    printable()
    args = parse(argv)
    try:
        job, store, todo = prepare(args)
    except (OSError, ValueError) as error:
        print(f"ddim_lib.tables: {error}", file=sys.stderr)
        return 2
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.allow_tf32 = False  # a GPU would round the factors to 10 bits unasked
    try:
        fill(job, store, todo)
    except KeyboardInterrupt:
        print(f"stopped; {store.path} has all finished cells: the same command goes on")
        return 130
    print(f"{store.path}: {len(store.rows())} cells, {len(todo)} of them new")
    return 0


def fill(job: Job, store: Store, todo: Cells) -> None:
    """Compute and store cell after cell."""
    for cell in tqdm(todo, disable=None):
        values = job.compute(dict(zip(job.keys, cell, strict=True)) | job.identity)
        store.add(cell, values)
        shown = " ".join(f"{name} {values[name]:.4g}" for name in job.results)
        tqdm.write(f"{' '.join(cell)}: {shown}")


if __name__ == "__main__":
    sys.exit(main())
