"""Pictures of several panels beside each other that share their rows, as the studies need them."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsurgery.plots.style import DARK, EDGE, PALE, canvas, text_width

ROW = 0.42  # inches
GAP = 0.3  # between panels


def panels(
    heading: tuple[str, str],
    rows: Sequence[str],
    names: Sequence[str],
    width: float,
    below: str,
) -> tuple[Figure, list[Axes]]:
    """Panels with one row for each of some words, from top to bottom; the first is at 0.

    Args:
        heading: title and subtitle.
        rows: what each row is called.
        names: of the panels.
        width: of a panel in inches.
        below: name of the horizontal axes.
    """
    left = max(text_width(row, 10) for row in rows) + EDGE + 0.15
    total = len(names) * width + (len(names) - 1) * GAP
    size = (total, len(rows) * ROW)
    figure, whole = canvas(heading, size, (left, 2 * EDGE, 0.95, 0.35))
    box = whole.get_position()
    whole.remove()
    found = []
    for i, name in enumerate(names):
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
        axes.set_title(name, loc="left", size=10, color=DARK)
        axes.set_xlabel(below, size=9)
        found.append(axes)
    return figure, found
