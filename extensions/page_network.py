"""Sphinx extension: the network that a page runs where its reader asks for it.

_static/network/ gets the weights as the library ships them, the source of the Worker that reads
them, and, for pages opened from a disk, which may fetch nothing, one script that holds both. A page
with a grid explorer or the lab says in its head where they lie and what they weigh; it loads none
of them.
"""

import base64
import hashlib
import json
import runpy
from collections.abc import Callable
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

LIBRARY = Path(__file__).parent.parent / "ddim_lib"  # read as files: building needs no PyTorch
WEIGHTS = LIBRARY / "assets" / "digits.safetensors"
RUNS = ("gridexplorer", "labexplorer")  # the explorers that run it
FOLDER = "network"
NAMES = {"weights": "digits.safetensors", "worker": "worker.js", "script": "digits.js"}


@cache
def files() -> dict[str, bytes]:
    """Return the files by their use."""
    weights = WEIGHTS.read_bytes()
    parts = runpy.run_path(str(LIBRARY / "widgets" / "parts.py"))
    worker = parts["script"]("worker.js")
    both = json.dumps({"worker": worker, "weights": base64.b64encode(weights).decode()})
    whole = f"globalThis.ddimNetworkFiles = {both};\n"
    return {"weights": weights, "worker": worker.encode(), "script": whole.encode()}


@cache
def version(use: str) -> str:
    """Return what changes with a file, so that a browser keeps it as long as it is the same."""
    return hashlib.sha256(files()[use]).hexdigest()[:8]


def meta(pathto: Callable[[str, int], str]) -> str:
    """Return the tag that says where the files lie and what they weigh; pathto: from a page."""
    weight = len(files()["weights"]) + len(files()["worker"])
    places = (
        f'data-{use}="{pathto(f"_static/{FOLDER}/{name}", 1)}?v={version(use)}"'
        for use, name in NAMES.items()
    )
    return f'<meta name="ddim-network" content="" data-bytes="{weight}" {" ".join(places)}>'


def announce(
    app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None
) -> None:
    """Put the tag into the head of a page with an explorer that runs the network."""
    if any(kind in context.get("body", "") for kind in RUNS):
        context["metatags"] = context.get("metatags", "") + meta(context["pathto"])


def write(app: Sphinx, exception: Exception | None) -> None:
    """Put the files into the site."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for use, name in NAMES.items():
        (folder / name).write_bytes(files()[use])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("html-page-context", announce)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
