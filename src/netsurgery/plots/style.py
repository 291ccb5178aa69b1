"""What all pictures share: how they look, and how much room text needs in them.

Colours and shapes of the operations, words and numbers for people, the widths of texts and places
for labels that keep apart, and a canvas of fixed inches with a heading and a legend.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

P = ParamSpec("P")
R = TypeVar("R")

# Okabe and Ito's colours, which colour-blind readers can tell apart
ORANGE, SKY, GREEN, YELLOW, PURPLE = "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7"
BLUE, VERMILLION, BLACK, WHITE = "#0072B2", "#D55E00", "#000000", "#FFFFFF"
DARK, GREY, PALE = "#444444", "#777777", "#BBBBBB"


class Look(NamedTuple):
    """How an operation is named and drawn: the colour says what changed, the shape which way."""

    words: str
    colour: str
    marker: str


LOOKS = {
    "": Look("starting topology", DARK, "s"),
    "identity": Look("identity", WHITE, "o"),
    "add_dense": Look("+ dense layer", ORANGE, "^"),
    "remove_dense": Look("− dense layer", ORANGE, "v"),  # noqa: RUF001 - a minus sign
    "add_units": Look("+ units", PURPLE, "^"),
    "remove_units": Look("− units", PURPLE, "v"),  # noqa: RUF001
    "add_conv_cell": Look("+ conv cell", GREEN, "^"),
    "remove_conv_cell": Look("− conv cell", GREEN, "v"),  # noqa: RUF001
    "add_channels": Look("+ channels", SKY, "^"),
    "remove_channels": Look("− channels", SKY, "v"),  # noqa: RUF001
    "truncate": Look("truncated SVD", YELLOW, "D"),
}
STYLE: dict[str, Any] = {
    "svg.hashsalt": "netsurgery",  # else the ids in the file are random
    "svg.fonttype": "none",  # text stays text: a third of the size, and it can be searched
    "font.sans-serif": ["DejaVu Sans", "Verdana"],  # as wide as each other
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "savefig.dpi": 150,
}
LABEL, LINE, TITLE = 9.0, 14.0, 12.0  # points; of a label, from one to the next, of the title
SLANT = math.radians(35)  # of the labels above a plot
EDGE = 0.15  # inches around everything


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in this module's style, whatever the user's own matplotlib settings are."""

    @functools.wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        with style.context(["default", STYLE]):
            return draw(*args, **kwargs)

    return inner


def look(operation: str | None) -> Look:
    """How an operation is named and drawn; one that is not known is named as it is."""
    name = operation or ""
    return LOOKS.get(name, Look(name.replace("_", " "), YELLOW, "D"))


def in_words(operation: str | None, position: int | None) -> str:
    """An operation and its place, for people."""
    return look(operation).words + ("" if position is None else f" (layer {position})")


def figures(value: float | None) -> str:
    """A score, for people."""
    return "not finite" if value is None else f"{value:.3f}" if value < 1000 else f"{value:.3g}"


def count(number: int, noun: str) -> str:
    """A number of things, for people."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def title_of(search: str, summary: Mapping[str, Any]) -> str:
    """The title of every picture of a search."""
    return f"{search}, seed {summary['seed']}"


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """The width of a text in inches."""
    font = FontProperties(family="DejaVu Sans", weight=weight, size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72 * 1.04  # fitted to pixels, letters get wider by up to so much


def spread(wanted: Sequence[float], gap: float) -> np.ndarray:
    """The places nearest to the wanted, ascending ones that keep a gap between neighbours."""
    # without the gaps this is isotonic regression: neighbours in the wrong order are pooled
    pools: list[tuple[float, int]] = []
    for i, place in enumerate(wanted):
        mean, count = place - i * gap, 1
        while pools and pools[-1][0] >= mean:
            other, n = pools.pop()
            mean, count = (mean * count + other * n) / (count + n), count + n
        pools.append((mean, count))
    means = np.array([mean for mean, count in pools for _ in range(count)])
    return means + gap * np.arange(len(means))


def stack(places: Sequence[float], lengths: Sequence[float]) -> list[int]:
    """Rows for texts that start at ascending places, so that each has a free line down from it."""
    rows = [0] * len(places)
    for i in reversed(range(len(places))):
        met = [
            row
            for place, row in zip(places[i + 1 :], rows[i + 1 :], strict=True)
            if place < places[i] + lengths[i]
        ]
        rows[i] = 1 + max(met, default=-1)
    return rows


def canvas(
    heading: tuple[str, str], size: tuple[float, float], margins: tuple[float, float, float, float]
) -> tuple[Figure, Axes]:
    """A figure with one pair of axes.

    Args:
        heading: title and subtitle.
        size: width and height of the axes in inches.
        margins: what is needed left, right, below and above them; the heading comes on top.
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


def legend_below(figure: Figure, axes: Axes, handles: Sequence[Line2D]) -> None:
    """One row of keys under the axes."""
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


def key(label: str, colour: str, line: float = 0, marker: str = "", face: str = "") -> Line2D:
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
