"""Axes over epochs.

The operations on the winner's lineage are labelled above the axes and marked on its curve; the last
value of each curve is written to the right of the axes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsurgery.plots.family import Family
from netsurgery.plots.layout import EDGE, LABEL, LINE, SLANT, canvas, spread, stack, text_width
from netsurgery.plots.style import BLACK, PALE, operation_style


def epoch_axes(
    heading: tuple[str, str],
    family: Family,
    labels: Sequence[str],
    end_labels: Iterable[str],
    left: float = 0.85,
) -> tuple[Figure, Axes]:
    """Axes over epochs with the operations on the winner's lineage above them.

    Args:
        heading: title and subtitle.
        family: of the search.
        labels: of the operations.
        end_labels: texts that will be written to the right of the axes.
        left: inches for the ticks and label of the vertical axis.
    """
    births = [family.birth_epochs[record.candidate] for record in family.lineage[1:]]
    lengths = [text_width(label, LABEL) for label in labels]
    slanted_gap = LABEL * 1.35 / math.sin(SLANT) / 72
    width = max(7.5, slanted_gap * len(births))
    end = family.max_epochs * 1.01 or 1.0
    exact = [birth / end * width for birth in births]
    rows = stack(exact, [length + 0.1 for length in lengths])
    if max(rows, default=0) < 3:
        slant, positions = 0.0, np.array(exact)
    else:
        slant, positions, rows = SLANT, spread(exact, slanted_gap), [0] * len(exact)
        positions = np.maximum(positions, slanted_gap * np.arange(len(positions)))
    overhang = [
        position + length * math.cos(slant) - width
        for position, length in zip(positions, lengths, strict=True)
    ]
    right = max([0.3, *overhang, *(text_width(text, 10) + 0.25 for text in end_labels)])
    above = 0.1
    if lengths:
        above = 0.35 + max(lengths) * math.sin(slant) + max(rows) * LINE / 72
    figure, axes = canvas(heading, (width, 3.8), (left, right + EDGE, 0.95, above))
    axes.set_xlim(0, end)
    axes.set_xlabel("epochs of training")
    leader: dict[str, Any] = {"arrowstyle": "-", "color": PALE, "linewidth": 0.8}
    for birth, at, position, row, label in zip(births, exact, positions, rows, labels, strict=True):
        axes.axvline(birth, color=PALE, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate(
            label,
            xy=(birth, 1),
            xycoords=("data", "axes fraction"),
            # the leader line ends at the corner of the bounding box, left of the slanted text
            xytext=((position - at) * 72 + LABEL * math.sin(slant), 9 + row * LINE),
            textcoords="offset points",
            size=LABEL,
            rotation=math.degrees(slant),
            rotation_mode="anchor",
            annotation_clip=False,
            arrowprops=leader | {"relpos": (0, 0), "shrinkA": 0, "shrinkB": 0},
        )
    return figure, axes


def mark_operation(axes: Axes, epochs: float, value: float, operation: str | None) -> None:
    """Mark an operation on a curve with the colour and shape that the family tree uses."""
    _, colour, marker = operation_style(operation)
    axes.scatter(
        [epochs], [value], s=60, c=colour, marker=marker, edgecolors=BLACK, linewidths=1, zorder=6
    )


def label_curve_ends(
    axes: Axes, ends: Sequence[tuple[float, float, str, str]], size: float = 10
) -> None:
    """Label the ends of curves to the right of the axes.

    Args:
        axes: whose limits are final.
        ends: epochs, value, label and colour of each.
        size: of the font in points.
    """
    ordered = sorted(ends, key=lambda end: end[1])
    scale = 72 / axes.figure.dpi
    heights = [float(axes.transData.transform(end[:2])[1]) * scale for end in ordered]
    positions = spread(heights, size * 1.4)
    for (epochs, value, text, colour), at, position in zip(
        ordered, heights, positions, strict=True
    ):
        right = float(axes.transData.transform((epochs, value))[0])
        border = float(axes.transAxes.transform((1, 0))[0])
        axes.annotate(
            text,
            xy=(epochs, value),
            xytext=((border - right) * scale + 12, position - at),
            textcoords="offset points",
            size=size,
            color=colour,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkB": 4},
        )
