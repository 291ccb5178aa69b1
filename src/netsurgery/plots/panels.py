"""Plots with several panels side by side that share their rows, for the surgery studies."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsurgery.plots.layout import EDGE, canvas, text_width
from netsurgery.plots.style import DARK, PALE

ROW = 0.42  # inches
GAP = 0.3  # between panels


def panels(
    heading: tuple[str, str],
    rows: Sequence[str],
    titles: Sequence[str],
    width: float,
    xlabel: str,
) -> tuple[Figure, list[Axes]]:
    """Panels side by side with one row per label; the first row is at 0, at the top.

    Args:
        heading: title and subtitle.
        rows: label of each row.
        titles: of the panels.
        width: of a panel in inches.
        xlabel: of the horizontal axes.
    """
    left = max(text_width(row, 10) for row in rows) + EDGE + 0.15
    total = len(titles) * width + (len(titles) - 1) * GAP
    size = (total, len(rows) * ROW)
    figure, whole = canvas(heading, size, (left, 2 * EDGE, 0.95, 0.35))
    box = whole.get_position()
    whole.remove()
    panel_axes = []
    for i, title in enumerate(titles):
        start = box.x0 + i * (width + GAP) / total * box.width
        axes = figure.add_axes((start, box.y0, width / total * box.width, box.height))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), rows if i == 0 else [""] * len(rows))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(False, axis="y")
        axes.grid(True, axis="x")
        for edge in range(1, len(rows)):
            axes.axhline(edge - 0.5, color=PALE, linewidth=0.5, zorder=0)
        axes.set_title(title, loc="left", size=10, color=DARK)
        axes.set_xlabel(xlabel, size=9)
        panel_axes.append(axes)
    return figure, panel_axes
