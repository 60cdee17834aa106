"""Let another virtual environment use this one's torch, and what torch needs, without a copy.

python -m tools.share_torch .venv/colab

Torch weighs more than all the rest together. Only what the other environment lacks is linked, so
that its own versions count.
"""

import importlib.metadata
import os
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needed(name: str) -> set[str]:
    """Return a distribution and all that it needs, by their names."""
    names, waiting = set(), [name]
    while waiting:
        name = canonicalize_name(waiting.pop())
        names.add(name)
        listed = map(Requirement, importlib.metadata.distribution(name).requires or [])
        wanted = {
            canonicalize_name(r.name)
            for r in listed
            if r.marker is None or r.marker.evaluate({"extra": ""})
        }
        waiting += wanted - names
    return names


def installed(site: Path) -> set[str]:
    """Return the distributions of a site-packages folder, in their normal spelling."""
    found = importlib.metadata.distributions(path=[str(site)])
    return {canonicalize_name(d.metadata["Name"]) for d in found}


def share(environment: Path, name: str = "torch") -> list[str]:
    """Link a distribution, and what it needs and the environment lacks; return what was linked."""
    (site,) = environment.glob("lib/python*/site-packages")
    linked = sorted(needed(name) - installed(site))
    for distribution in map(importlib.metadata.distribution, linked):
        tops = {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}
        for top in sorted(tops):
            source = Path(distribution.locate_file(top)).resolve()
            if not (site / top).exists():
                os.symlink(source, site / top)
    return linked


if __name__ == "__main__":
    print("== shared, not copied:", *share(Path(sys.argv[1])))
