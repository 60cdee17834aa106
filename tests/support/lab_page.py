"""A page with the digit lab: a hand that draws, and what is seen in it."""

from functools import cache

import torch
from playwright.sync_api import Page

from ddim_lib.widgets import LabExplorer, lab

THREE = [  # the strokes of a three, in shares of the pad
    [(0.3, 0.22), (0.5, 0.15), (0.68, 0.25), (0.62, 0.42), (0.45, 0.5)],
    [(0.45, 0.5), (0.68, 0.58), (0.7, 0.75), (0.5, 0.86), (0.28, 0.78)],
]
TILES = """() => [...document.querySelectorAll(".ddim-lab figure")].map((figure) =>
  [...figure.querySelectorAll("canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return Array.from({ length: 784 }, (_, i) => (data[4 * i + 3] ? data[4 * i] : -1));
  }))"""
ENDS = "(end) => document.querySelector('.ddim-lab').dataset.shown?.endsWith(end)"


@cache
def explorer() -> LabExplorer:
    """The lab as a page of the book has it."""
    return lab()


def draw(page: Page, strokes: list[list[tuple[float, float]]], pad: int = 0) -> None:
    """Draw with the mouse on a pad, a place after another; places: shares of the pad."""
    box = page.locator(".ddim-lab .pad canvas").nth(pad).bounding_box()

    def place(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    for stroke in strokes:
        page.mouse.move(*place(*stroke[0]))
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*place(*point), steps=6)
        page.mouse.up()


def choose(page: Page, task: str) -> None:
    """Choose a task by its words."""
    page.get_by_role("radio", name=task).check(force=True)


def settled(page: Page, state: str = "computed here") -> list[list[list[int]]]:
    """Wait until the line ends so; return the greys of each column's pictures, -1: nothing."""
    page.wait_for_function(ENDS, arg=state)
    return page.evaluate(TILES)


def numbers(greys: list[int]) -> torch.Tensor:
    """Return a picture as the network takes it, (1, 1, 28, 28)."""
    return (torch.tensor(greys) / 127.5 - 1).reshape(1, 1, 28, 28)


def away(greys: list[int], x: torch.Tensor) -> float:
    """Return the largest difference of a picture from numbers, in greys of 255."""
    expected = 127.5 * (x.clamp(-1, 1).flatten() + 1)
    return (torch.tensor(greys) - expected).abs().max().item()
