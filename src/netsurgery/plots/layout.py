"""Layout in inches: the widths of texts, positions of labels, and a canvas with a heading."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

LABEL, LINE, TITLE = 9.0, 14.0, 12.0  # points: size of labels, line spacing, size of titles
SLANT = math.radians(35)  # of labels above a plot
EDGE = 0.15  # inches of margin


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """The width of a text in inches."""
    font = FontProperties(family="DejaVu Sans", weight=weight, size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72 * 1.04  # fitting letters to pixels widens them by up to 4 %


def spread(positions: Sequence[float], gap: float) -> np.ndarray:
    """The ascending positions closest to the given ones that keep a gap between neighbours."""
    # isotonic regression of the positions without the gaps: pool neighbours in the wrong order
    pools: list[tuple[float, int]] = []
    for i, position in enumerate(positions):
        mean, count = position - i * gap, 1
        while pools and pools[-1][0] >= mean:
            other, n = pools.pop()
            mean, count = (mean * count + other * n) / (count + n), count + n
        pools.append((mean, count))
    means = np.array([mean for mean, count in pools for _ in range(count)])
    return means + gap * np.arange(len(means))


def stack(positions: Sequence[float], lengths: Sequence[float]) -> list[int]:
    """Rows for texts at ascending positions, such that no text crosses a line down from another."""
    rows = [0] * len(positions)
    for i in reversed(range(len(positions))):
        crossed = [
            row
            for position, row in zip(positions[i + 1 :], rows[i + 1 :], strict=True)
            if position < positions[i] + lengths[i]
        ]
        rows[i] = 1 + max(crossed, default=-1)
    return rows


def canvas(
    heading: tuple[str, str], size: tuple[float, float], margins: tuple[float, float, float, float]
) -> tuple[Figure, Axes]:
    """A figure with one pair of axes.

    Args:
        heading: title and subtitle.
        size: width and height of the axes in inches.
        margins: inches left, right, below and above them; the heading is added on top.
    """
    title, subtitle = heading
    left, right, bottom, top = margins
    needed = max(text_width(title, TITLE, "bold"), text_width(subtitle, 10)) + 2 * EDGE
    width = max(left + size[0] + right, needed)
    height = bottom + size[1] + top + 0.65
    figure = Figure(figsize=(width, height))
    for text, font, below in ((title, (TITLE, "bold"), 0.28), (subtitle, (10, "normal"), 0.5)):
        figure.text(
            EDGE / width, 1 - below / height, text, size=font[0], weight=font[1], parse_math=False
        )
    box = (left / width, bottom / height, size[0] / width, size[1] / height)
    return figure, figure.add_axes(box)


def add_legend(figure: Figure, axes: Axes, handles: Sequence[Line2D]) -> None:
    """Add one row of legend entries below the axes."""
    figure.legend(
        handles=list(handles),
        loc="lower left",
        bbox_to_anchor=(axes.get_position().x0, 0.0),
        ncols=len(handles),
        borderaxespad=0.6,
        borderpad=0,
        handlelength=1.6,
        columnspacing=1.8,
    )


def legend_entry(
    label: str, colour: str, line: float = 0, marker: str = "", face: str = ""
) -> Line2D:
    """An entry of a legend."""
    return Line2D(
        [],
        [],
        color=colour,
        linewidth=line,
        marker=marker or "None",
        markersize=7,
        markerfacecolor=face or colour,
        label=label,
    )
