"""Which digits a picture shows, and the files with which a page samples them by itself."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from ddim_lib.checks import check_count
from ddim_lib.files import locate
from ddim_lib.schedule import Spacing
from ddim_lib.widgets.parts import script

SIDE = 28
MOST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Digits:
    """Digits that the shipped network samples on the linear schedule, for a page to do the same.

    seed: of x_T = torch.randn(count, 1, 28, 28), in float32 on the CPU. draws: of the steps' noise.
    spacings: of the times; for each, `count` digits in rows of `columns`, laid as by plots.sheet.
    Raises ValueError or TypeError: counts or seeds out of range, rows that are not whole.
    """

    seed: int
    count: int
    columns: int = 8
    draws: int = 0
    spacings: Sequence[Spacing] = ("uniform",)

    def __post_init__(self) -> None:
        for name in ("seed", "draws"):
            check_count(name, getattr(self, name), 0, MOST_SEED)
        for name in ("count", "columns"):
            check_count(name, getattr(self, name), 1, 1000)
        if self.count % self.columns:
            raise ValueError(f"need whole rows of {self.columns} digits, got {self.count}")
        for spacing in self.spacings:
            if spacing not in get_args(Spacing):
                raise ValueError(f"need spacing {', '.join(get_args(Spacing))}, got {spacing!r}")

    @property
    def tile(self) -> list[int]:
        """Height and width of their picture."""
        rows = len(self.spacings) * self.count // self.columns
        return [rows * SIDE, self.columns * SIDE]

    def trait(self) -> dict[str, object]:
        """Return what the page is told."""
        return {**asdict(self), "spacings": list(self.spacings)}


def network_files() -> list[bytes]:
    """Return the source of the page's Worker and the weights it reads."""
    return [script("worker.js").encode(), locate("digits").read_bytes()]


def answered(widget: Any, content: dict, *, runs: bool = True) -> bool:
    """Answer a page that asks whether a kernel is there, or for the network; False if it does not.

    runs: whether the page has something to run the network for.
    """
    if content.get("type") == "ping":
        weight = sum(map(len, network_files())) if runs else 0
        widget.send({"type": "pong"} | ({"network": weight} if weight else {}))
    elif content.get("type") == "network":
        widget.send({"type": "network"}, network_files())
    else:
        return False
    return True
