"""Do the notebooks still say the same with today's packages? If not: which cell, which package.

    python -m tools.weekly newest REPORT     the newest version of all that the library needs
    python -m tools.weekly colab REPORT      the versions that Colab publishes

Each notebook runs with those versions laid over the pinned ones, and its texts are compared with
the stored ones. Where one differs, one package after another is laid over alone until the same
happens. REPORT gets the result in words and stays away if all is well.
"""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ddim_lib.files import printable
from tools.notebooks import colab
from tools.notebooks.files import read, texts
from tools.notebooks.kernels import AsyncQuietKernel

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
PUBLISHED = "https://raw.githubusercontent.com/googlecolab/backend-info/main/pip-freeze.txt"
APART = {"torch"}  # of Colab's list: its own build, for its GPUs
Pins = dict[str, str]  # package: version
Moved = tuple[str, str] | None  # notebook and cell


def needed() -> list[str]:
    """Name what the library needs, as pyproject.toml lists it."""
    with (ROOT / "pyproject.toml").open("rb") as f:
        listed = tomllib.load(f)["project"]["dependencies"]
    return [canonicalize_name(Requirement(text).name) for text in listed]


def parse(freeze: str) -> Pins:
    """Read name==version lines; other lines (addresses, comments) are left out."""
    pairs = (line.strip().split("==") for line in freeze.splitlines())
    return {canonicalize_name(pair[0]): pair[1] for pair in pairs if len(pair) == 2}


def published() -> Pins:
    """Read Colab's list of packages, of those that the library needs."""
    with urllib.request.urlopen(PUBLISHED, timeout=60) as answer:
        listed = parse(answer.read().decode())
    return {name: listed[name] for name in needed() if name in listed and name not in APART}


def newest() -> Pins:
    """Ask pip for the newest version of each package that the library needs."""
    plan = ["install", "--dry-run", "--quiet", "--ignore-installed", "--report", "-", "--no-deps"]
    said = pip(*plan, *needed())
    items = [item["metadata"] for item in json.loads(said)["install"]]
    return {canonicalize_name(item["name"]): item["version"] for item in items}


def pip(*arguments: str) -> str:
    """Run pip; return what it prints."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def changed(wanted: Pins, present: Callable[[str], str] = version) -> Pins:
    """Keep what is wanted in another version than the present one."""
    return {name: v for name, v in wanted.items() if present(name) != v}


def lay(folder: Path, pins: Pins, *options: str) -> Path:
    """Install packages into a folder that can be laid over the environment."""
    if pins:
        exact = [f"{name}=={v}" for name, v in pins.items()]
        pip("install", "--quiet", "--target", str(folder), *options, *exact)
    return folder


def first_other(notebook: Path, over: Path) -> str:
    """Run a notebook with a folder of packages on top; name its first cell that says another thing.

    Returns "" if all texts are the stored ones.
    """
    stored, now = read(notebook), read(notebook)
    paths = os.pathsep.join(map(str, (over, ROOT)))
    client = NotebookClient(
        now,
        timeout=900,
        kernel_name="python3",
        kernel_manager_class=AsyncQuietKernel,
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    with suppress(CellExecutionError):  # the cell that failed holds the error, as is seen below
        client.execute(env=os.environ | {"PYTHONPATH": paths})
    for old, new in zip(stored.cells, now.cells, strict=True):
        if old.cell_type != "code" or old.id == colab.ID:
            continue
        if texts(old) != texts(new) or any(o.output_type == "error" for o in new.outputs):
            return old.id
    return ""


def first_moved(over: Path, notebooks: list[Path]) -> Moved:
    """Name the first notebook and its first cell that say another thing, None if none does."""
    for notebook in notebooks:
        if cell := first_other(notebook, over):
            return notebook.stem, cell
    return None


def culprits(pins: Pins, moves: Callable[[Pins], bool]) -> list[str]:
    """Name the packages that move the cell by themselves; none if it takes several together."""
    return [name for name, v in pins.items() if moves({name: v})]


def report(what: str, pins: Pins, moved: tuple[str, str], guilty: list[str]) -> str:
    """Say in words what was found."""
    lines = [f"{name} {version(name)} → {v}" for name, v in pins.items()]
    who = ", ".join(guilty) or "no package alone; several together"
    first = f"With {what}, `{moved[0]}` first says something else in cell `{moved[1]}`."
    return "\n\n".join([first, f"It moves with: {who}.", "Laid over the pinned versions:", *lines])


def main(arguments: list[str]) -> int:
    """Run one comparison; 1 if something moved."""
    printable()
    if len(arguments) != 2 or arguments[0] not in ("newest", "colab"):
        print(__doc__, file=sys.stderr)
        return 2
    what, out = arguments[0], Path(arguments[1])
    pins = changed(newest() if what == "newest" else published())
    print(f"{what}: {', '.join(f'{name} {v}' for name, v in pins.items()) or 'nothing is new'}")
    with tempfile.TemporaryDirectory() as name:
        moved = first_moved(lay(Path(name) / "all", pins), NOTEBOOKS)
        if moved is None:
            print("every text is the stored one")
            return 0

        def moves(some: Pins) -> bool:
            over = lay(Path(name) / "-".join(some), some, "--no-deps")
            return bool(first_other(ROOT / "chapters" / f"{moved[0]}.ipynb", over))

        text = report(f"{what} versions", pins, moved, culprits(pins, moves))
    out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
