"""Put the explorers' present source into the notebooks that store an older one, running nothing.

    python -m tools.notebooks.widget_sources chapters/*.ipynb

A notebook's widget state holds each explorer's module and style: what a change of page/*.js or
page/*.css leaves stale. All else of the file stays as it is, byte for byte.
"""

import runpy
import sys
from pathlib import Path

from nbformat import NotebookNode

from tools.notebooks.files import STATE, read, write

PARTS = Path(__file__).parents[2] / "ddim_lib" / "widgets" / "parts.py"
bundle = runpy.run_path(str(PARTS))["bundle"]  # as a file: `import ddim_lib` takes seconds


def sources(state: dict) -> dict[str, str]:
    """Return the present module and style of a stored widget; nothing where it is no explorer."""
    package, _, name = state.get("_anywidget_id", "").rpartition(".")[0].rpartition(".")
    if package != "ddim_lib.widgets":
        return {}
    return {"_esm": bundle(f"{name}.js"), "_css": bundle(f"{name}.css")}


def stale(nb: NotebookNode) -> list[tuple[dict, dict[str, str]]]:
    """Return each stored state whose source is not the present one, and that one."""
    models = nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {}).values()
    found = [(model["state"], sources(model["state"])) for model in models]
    return [(state, now) for state, now in found if state | now != state]


def main(names: list[str]) -> None:
    """Renew each named notebook, and say how many explorers were stale."""
    for path in map(Path, names):
        nb = read(path)
        found = stale(nb)
        for state, now in found:
            state.update(now)
        if found:
            write(nb, path)
        print(f"{path}: {len(found)} renewed")


if __name__ == "__main__":
    main(sys.argv[1:])
