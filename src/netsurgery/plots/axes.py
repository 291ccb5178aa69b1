"""Axes over epochs, and what the pictures over them have in common.

The operations on the winner's lineage are labelled above the axes and marked on its curve; what
the curves end at is written right of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsurgery.plots.family import Family
from netsurgery.plots.style import (
    BLACK,
    EDGE,
    LABEL,
    LINE,
    PALE,
    SLANT,
    canvas,
    look,
    spread,
    stack,
    text_width,
)


def over_epochs(
    heading: tuple[str, str],
    family: Family,
    labels: Sequence[str],
    ends: Iterable[str],
    left: float = 0.85,
) -> tuple[Figure, Axes]:
    """A canvas over epochs with the operations on the winner's lineage above it.

    Args:
        heading: title and subtitle.
        family: of the search.
        labels: one for each operation.
        ends: what will be written right of the axes.
        left: inches for the numbers and the name of the other axis.
    """
    births = [family.births[record.candidate] for record in family.chain[1:]]
    lengths = [text_width(label, LABEL) for label in labels]
    slanted_gap = LABEL * 1.35 / math.sin(SLANT) / 72
    width = max(7.5, slanted_gap * len(births))
    end = family.end * 1.01 or 1.0
    exact = [birth / end * width for birth in births]
    rows = stack(exact, [length + 0.1 for length in lengths])
    if max(rows, default=0) < 3:
        slant, places = 0.0, np.array(exact)
    else:
        slant, places, rows = SLANT, spread(exact, slanted_gap), [0] * len(exact)
        places = np.maximum(places, slanted_gap * np.arange(len(places)))
    overhang = [
        place + length * math.cos(slant) - width
        for place, length in zip(places, lengths, strict=True)
    ]
    right = max([0.3, *overhang, *(text_width(text, 10) + 0.25 for text in ends)])
    above = 0.1
    if lengths:
        above = 0.35 + max(lengths) * math.sin(slant) + max(rows) * LINE / 72
    figure, axes = canvas(heading, (width, 3.8), (left, right + EDGE, 0.95, above))
    axes.set_xlim(0, end)
    axes.set_xlabel("epochs that the weights received")
    leader: dict[str, Any] = {"arrowstyle": "-", "color": PALE, "linewidth": 0.8}
    for birth, at, place, row, label in zip(births, exact, places, rows, labels, strict=True):
        axes.axvline(birth, color=PALE, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        axes.annotate(
            label,
            xy=(birth, 1),
            xycoords=("data", "axes fraction"),
            # the corner of the box around slanted text, where its leader ends, is left of the text
            xytext=((place - at) * 72 + LABEL * math.sin(slant), 9 + row * LINE),
            textcoords="offset points",
            size=LABEL,
            rotation=math.degrees(slant),
            rotation_mode="anchor",
            annotation_clip=False,
            arrowprops=leader | {"relpos": (0, 0), "shrinkA": 0, "shrinkB": 0},
        )
    return figure, axes


def mark(axes: Axes, epochs: float, value: float, operation: str | None) -> None:
    """Mark a surgery on a curve as the family tree marks the candidate that came of it."""
    _, colour, marker = look(operation)
    axes.scatter(
        [epochs], [value], s=60, c=colour, marker=marker, edgecolors=BLACK, linewidths=1, zorder=6
    )


def write_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]], size: float = 10) -> None:
    """Write right of the axes what curves end at: epochs, value, text and colour of each."""
    ordered = sorted(ends, key=lambda end: end[1])
    scale = 72 / axes.figure.dpi
    heights = [float(axes.transData.transform(end[:2])[1]) * scale for end in ordered]
    places = spread(heights, size * 1.4)
    for (epochs, value, text, colour), at, place in zip(ordered, heights, places, strict=True):
        right = float(axes.transData.transform((epochs, value))[0])
        border = float(axes.transAxes.transform((1, 0))[0])
        axes.annotate(
            text,
            xy=(epochs, value),
            xytext=((border - right) * scale + 12, place - at),
            textcoords="offset points",
            size=size,
            color=colour,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkB": 4},
        )
