"""Write what the landing page's explorer starts from: web/landing/flow.json and flow.png."""

import json
from pathlib import Path

from ddim_lib.widgets.flow import FlowExplorer, flow

FOLDER = Path(__file__).parent.parent / "web" / "landing"
SETTING = ("eta", "steps", "sigma_hat", "solver", "exact_path", "spacing", "data", "seed")
TRAITS = (*SETTING, "points", "mixtures")


def opening() -> FlowExplorer:
    """Return the explorer that the landing page opens with."""
    return flow(steps=50)


def state() -> dict[str, object]:
    """Return its traits, as the page needs them."""
    return opening().get_state(TRAITS)


if __name__ == "__main__":
    (FOLDER / "flow.json").write_text(json.dumps(state(), separators=(",", ":")) + "\n")
    (FOLDER / "flow.png").write_bytes(opening().still())
