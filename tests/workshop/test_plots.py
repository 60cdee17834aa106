"""Where each picture of a sheet ends up, and the colours' contrast."""

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from ddim_lib import plots
from ddim_lib.tables.store import Mean


def test_a_sheet_is_read_row_by_row():
    images = torch.arange(6.0).reshape(6, 1, 1, 1).expand(6, 1, 2, 3) / 5 * 2 - 1
    laid = plots.sheet(images, columns=3)
    assert laid.shape == (4, 9)
    assert laid.dtype == np.float32
    np.testing.assert_allclose(laid[::2, ::3], np.arange(6).reshape(2, 3) / 5, atol=1e-6)


def test_a_sheet_clamps_to_black_and_white():
    images = torch.tensor([-7.0, 7.0]).reshape(2, 1, 1, 1)
    assert plots.sheet(images, columns=2).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("shape", "columns", "message"),
    [
        ((4, 28, 28), 2, r"need images of shape \(n, 1, h, w\), got \(4, 28, 28\)"),
        ((4, 3, 28, 28), 2, r"need images of shape \(n, 1, h, w\), got \(4, 3, 28, 28\)"),
        ((5, 1, 28, 28), 2, r"need whole rows of 2 pictures, got 5"),
    ],
)
def test_what_is_no_sheet_is_refused(shape, columns, message):
    with pytest.raises(ValueError, match=message):
        plots.sheet(torch.zeros(shape), columns)


def test_rows_are_labelled_and_the_axes_come_back():
    fig, axes = plt.subplots(2)
    plots.show_rows(axes, {"first": torch.zeros(3, 1, 4, 4), "second": torch.ones(2, 1, 4, 4)})
    assert [ax.get_ylabel() for ax in axes] == ["first", "second"]
    assert plots.show_sheet(axes[0], torch.zeros(8, 1, 4, 4)) is axes[0]
    plt.close(fig)


def luminance(colour: str) -> float:
    """Relative luminance of a colour, WCAG 2."""
    c = np.array(matplotlib.colors.to_rgb(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("colour", [plots.DATA, plots.NOISE, plots.MODEL, plots.REFERENCE])
def test_colours_stand_out_on_the_paper_of_the_figures(colour):
    """Figures keep their white paper in dark mode; graphics need a contrast of at least 3."""
    assert 1.05 / (luminance(colour) + 0.05) >= 3


def lengths(*cells):
    """Rows of the table "length": trained, planned, seed, frechet."""
    names = ("trained", "planned", "seed", "frechet")
    return [dict(zip(names, map(str, cell), strict=True)) | {"n": "4"} for cell in cells]


def test_quality_against_training_is_a_line_for_each_planned_length():
    """Means over seeds at their steps; the end of a run filled, one that goes on hollow."""
    cells = [(10, 40, 0, 8.0), (10, 40, 1, 6.0), (20, 40, 0, 4.0), (40, 40, 0, 1.5)]
    cells += [(60, 90, 0, 3.0), (20, 90, 0, 5.0), (30, 30, 0, 2.0)]
    ax = plots.show_length(plt.figure().subplots(), lengths(*cells), "frechet", Mean(1, 0, 9, 4))
    runs = {one.get_label(): one.lines[0] for one in ax.containers}
    points = {name: list(zip(*line.get_data(), strict=True)) for name, line in runs.items()}
    assert points == {
        "30 planned": [(30, 2)],
        "40 planned": [(10, 7), (20, 4), (40, 1.5)],
        "90 planned": [(20, 5), (60, 3)],
    }
    assert len({line.get_marker() for line in runs.values()}) == 3
    assert {line.get_markerfacecolor() for line in runs.values()} == {"none"}
    drawn = [line for line in ax.get_lines() if line.get_marker() in {"o", "s", "^", "D"}]
    filled = [line for line in drawn if line.get_markerfacecolor() == plots.MODEL]
    ends = [tuple(map(float, line.get_xydata().flat)) for line in filled]
    assert ends == [(30, 2), (40, 1.5)]
    assert set(ax.get_legend_handles_labels()[1]) == {*runs, "real digits"}
    (real,) = (line for line in ax.get_lines() if line.get_label() == "real digits")
    assert set(real.get_ydata()) == {1}
    assert (ax.get_xscale(), ax.get_ylabel()) == ("log", "frechet")
    ticks = [label.get_text() for label in ax.get_xticklabels()]
    assert ticks == ["0.01", "0.02", "0.04"]


def test_quality_against_training_needs_rows():
    with pytest.raises(ValueError, match="need rows of the table of training lengths, got none"):
        plots.show_length(plt.figure().subplots(), [], "frechet", Mean(1, 0, 9, 4))
