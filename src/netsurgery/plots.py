"""Pictures of a finished search, and the table over all of them: what the report shows.

A picture is a pure function of records or lineage rows and the summary; `write` makes the files.
Canvases have fixed inches with margins measured from the text, so nothing is cut off, and the same
arguments give the same bytes.
"""

from __future__ import annotations

import csv
import functools
import html
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.path import Path as Curve
from matplotlib.textpath import text_to_path
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from netsurgery.files import read_json, write_text, written
from netsurgery.layout import SearchFolder
from netsurgery.search.outcome import last_records
from netsurgery.search.records import OK, Record
from netsurgery.search.scores import METRICS

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
    "truncated_svd": Look("truncated SVD", YELLOW, "D"),
}
STYLE: dict[str, Any] = {
    "svg.hashsalt": "netsurgery",  # else the ids in the file are random
    "svg.fonttype": "path",  # looks the same where the font is missing
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


class Family:
    """The records of a search by candidate, and where each came from."""

    def __init__(self, records: Sequence[Record], final: str, metric: str) -> None:
        self.metric = metric
        self.last = last_records(records)
        self.births: dict[str, float] = {}  # epochs that the weights had received at the surgery
        for record in records:
            birth = (record.batches_trained - record.batches_spent) / record.batches_per_epoch
            self.births[record.candidate] = min(birth, self.births.get(record.candidate, math.inf))
        self.chain = [self.last[final]]  # from the starting topology to the final candidate
        while (parent := self.chain[0].parent) is not None:
            self.chain.insert(0, self.last[parent])

    @property
    def others(self) -> list[Record]:
        """All candidates that are not on the winner's lineage."""
        chain = {record.candidate for record in self.chain}
        return [record for name, record in self.last.items() if name not in chain]

    @property
    def end(self) -> float:
        """The most epochs that any weights received."""
        return max(record.epochs_trained for record in self.last.values())

    def points(self, record: Record, until: float = math.inf) -> np.ndarray:
        """Epochs and metric of a candidate (2, n); NaN where the metric was not finite."""
        found = [
            (entry["epoch"], math.nan if entry[self.metric] is None else entry[self.metric])
            for entry in record.history
            if (entry["epoch"] or 0) <= until
        ]
        return np.array(found, dtype=float).reshape(-1, 2).T

    def curve(self, record: Record) -> np.ndarray:
        """Epochs and metric of a candidate, from its parent's last value on."""
        if record.parent is None:
            return self.points(record)
        before = self.points(self.last[record.parent], self.births[record.candidate])
        return np.hstack([before[:, -1:], self.points(record)])

    def winners_curve(self) -> np.ndarray:
        """Epochs and metric along the winner's lineage."""
        parts = [
            self.points(parent, self.births[child.candidate])
            for parent, child in pairwise(self.chain)
        ]
        return np.hstack([*parts, self.points(self.chain[-1])])


def title_of(search: str, summary: Mapping[str, Any]) -> str:
    """The title of every picture of a search."""
    return f"{search}, seed {summary['seed']}"


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


def _limits(axes: Axes, metric: str, winner: np.ndarray, others: np.ndarray) -> None:
    """Show all of an accuracy; of a loss, which has no upper end, what is worth looking at."""
    values = np.concatenate([winner, others])
    values = values[np.isfinite(values)]
    if not len(values):
        return
    low, high = float(values.min()), float(values.max())
    if not METRICS[metric]:
        # a candidate about to diverge would squeeze all the others into one line
        high = max(float(np.nanmax(winner, initial=low)), float(np.quantile(values, 0.95)))
        if low > 0 and high / low > 30:
            axes.set_yscale("log")
            axes.set_ylim(low / 1.2, high * 1.2)
            return
    margin = 0.04 * (high - low) or 0.05
    axes.set_ylim(low - margin, high + margin)


@styled
def accuracy(search: str, records: Sequence[Record], summary: Mapping[str, Any]) -> Figure:
    """The search's metric over epochs: the winner's lineage before all other candidates.

    Args:
        search: its name.
        records: all of the search.
        summary: see `netsurgery.search.outcome.summary`.
    """
    metric = summary["metric"]
    word = metric.removeprefix("val_")
    family = Family(records, summary["candidate"], metric)
    curve = family.winners_curve()
    others = [family.curve(record) for record in family.others]
    ends = []
    finite = np.flatnonzero(np.isfinite(curve[1]))
    if len(finite):
        epochs, value = curve[:, finite[-1]]
        ends.append((float(epochs), float(value), f"validation {figures(value)}", BLUE))
    tested = family.chain[-1].epochs_trained, summary["test_score"]
    if tested[1] is not None:
        ends.append((*tested, f"test {figures(tested[1])}", VERMILLION))
    fate = "" if summary["status"] == OK else f" ({summary['status']})"
    candidates = count(len(family.last), "candidate")
    figure, axes = over_epochs(
        (
            title_of(search, summary),
            f"test {word} {figures(tested[1])}{fate} after {tested[0]:.0f} epochs;"
            f" {candidates}, {summary['epochs_spent']:,.0f} epochs in all",
        ),
        family,
        [in_words(record.operation, record.position) for record in family.chain[1:]],
        [text for *_, text, _ in ends],
    )
    axes.add_collection(
        LineCollection([points.T for points in others], colors=PALE, linewidths=0.7, zorder=2)
    )
    axes.plot(*curve, color=BLUE, linewidth=2, zorder=5)
    known = [points[1] for points in others] + [[e[1] for e in ends]]
    _limits(axes, metric, curve[1], np.concatenate(known))
    axes.set_ylabel(f"validation {word}")
    for parent, child in pairwise(family.chain):
        epochs = family.births[child.candidate]
        mark(axes, epochs, family.points(parent, epochs)[1, -1], child.operation)
    if tested[1] is not None:
        axes.scatter(*tested, s=70, c=VERMILLION, marker="D", zorder=7, clip_on=False)
    write_ends(axes, ends)

    failed = [
        points[:, np.isfinite(points[1])][:, -1]
        for record, points in zip(family.others, others, strict=True)
        if record.status != OK and np.isfinite(points[1]).any()
    ]
    if summary["status"] != OK and len(finite):
        failed.append(curve[:, finite[-1]])
    if failed:
        epochs, values = np.array(failed).T
        values = np.minimum(values, axes.get_ylim()[1])  # a loss may have left the picture before
        axes.scatter(
            epochs, values, s=40, c=BLACK, marker="x", linewidths=1.2, zorder=7, clip_on=False
        )
    keys = [key("winner's lineage" if family.others else "validation", BLUE, line=2)]
    if family.others:
        keys.append(key("other candidates", PALE, line=1.2))
    if tested[1] is not None:
        keys.append(key("test, at the end", VERMILLION, marker="D"))
    if failed:
        keys.append(key("not finite from here on", BLACK, marker="x"))
    legend_below(figure, axes, keys)
    return figure


@styled
def size(search: str, records: Sequence[Record], summary: Mapping[str, Any]) -> Figure:
    """Trainable parameters over epochs along the winner's lineage, and where others ended.

    Args:
        search: its name.
        records: all of the search.
        summary: see `netsurgery.search.outcome.summary`.
    """
    family = Family(records, summary["candidate"], summary["metric"])
    first, last = family.chain[0], family.chain[-1]
    end = (last.epochs_trained, last.parameters, f"{last.parameters:,}", BLUE)
    every = [record.parameters for record in family.last.values()]
    growth = (last.parameters - first.parameters) / first.parameters
    before = (
        f"; {first.parameters:,} at the start ({growth:+.0%})" if growth else ", as at the start"
    )
    figure, axes = over_epochs(
        (
            title_of(search, summary),
            f"{last.parameters:,} trainable parameters at the end{before}",
        ),
        family,
        [
            in_words(child.operation, child.position)
            + (f" → {child.parameters:,}" if child.parameters != parent.parameters else "")
            for parent, child in pairwise(family.chain)
        ],
        [end[2]],
        0.6 + text_width(f"{max(every) * 1.3:,.0f}", 10),
    )
    axes.scatter(
        [record.epochs_trained for record in family.others],
        [record.parameters for record in family.others],
        s=22,
        c=PALE,
        linewidths=0,
        zorder=2,
    )
    births = [family.births[record.candidate] for record in family.chain]
    sizes = [record.parameters for record in family.chain]
    axes.step([*births, end[0]], [*sizes, end[1]], where="post", color=BLUE, linewidth=2, zorder=5)
    if max(every) > 10 * min(every):
        axes.set_yscale("log")
        axes.set_ylim(min(every) / 1.3, max(every) * 1.3)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(0, max(every) * 1.08)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylabel("trainable parameters")
    for record in family.chain[1:]:
        mark(axes, family.births[record.candidate], record.parameters, record.operation)
    write_ends(axes, [end])
    keys = [key("winner's lineage" if family.others else "trainable parameters", BLUE, line=2)]
    if family.others:
        keys.append(key("other candidates, where they ended", PALE, marker="o"))
    legend_below(figure, axes, keys)
    return figure


def read_lineage(path: Path) -> list[dict[str, Any]]:
    """The rows of a `lineage.csv`, with the types that `outcome.lineage` gave them."""

    def typed(column: str, text: str) -> Any:
        match column:
            case "generation" | "parameters" | "position":
                return int(text) if text else None
            case "epochs_trained" | "val_score":
                return float(text) if text else None
            case "parent" | "operation":
                return text or None
            case _:
                return text

    with path.open(encoding="utf-8", newline="") as file:
        return [{k: typed(k, v) for k, v in row.items()} for row in csv.DictReader(file)]


class Detail(NamedTuple):
    """How much room a family tree gives to a candidate: the more there are, the less."""

    score: bool  # beside every candidate, not only beside winners
    parameters: bool  # beside every score
    font: float  # points
    row: float  # inches
    gap: float  # inches from the longest label to the next generation
    area: float  # of a node


DETAILS = (
    Detail(score=True, parameters=True, font=7.5, row=0.19, gap=0.85, area=42),
    Detail(score=True, parameters=False, font=6.5, row=0.15, gap=0.6, area=26),
    Detail(score=False, parameters=False, font=6.0, row=0.13, gap=0.45, area=22),
)


class Tree:
    """Where every candidate of a search stands in its family tree, and what is written there."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], final: str) -> None:
        self.rows, self.final = rows, final
        by_name = {row["candidate"]: row for row in rows}
        self.chain: set[str] = set()
        at: str | None = final
        while at is not None:
            self.chain.add(at)
            at = by_name[at]["parent"]
        # parents, and those that would have been the next ones
        self.winners = {row["candidate"] for row in rows if row["eliminated_in"] in ("", "final")}
        self.generations = sorted({row["generation"] for row in rows})
        columns = len(self.generations)
        self.detail = DETAILS[0 if len(rows) <= 120 and columns <= 8 else 1 if columns <= 18 else 2]
        self.labels = {row["candidate"]: self._label(row) for row in rows}
        self.widths = {
            name: text_width(label, self.detail.font, self.weight(name))
            for name, label in self.labels.items()
        }
        self.step = max(self.widths.values()) + self.detail.gap
        self.spots = self._arrange()
        word = "generation" if self.step > text_width("generation 00", LABEL) + 0.1 else "gen."
        self.headers = [f"{word} {number}" if number else "start" for number in self.generations]
        last = max(0.3 + max(self.widths.values()), text_width(self.headers[-1], LABEL))
        self.width = self.step * (columns - 1) + last
        self.height = 2 * max(y for _, y in self.spots.values()) + self.detail.row

    def _label(self, row: Mapping[str, Any]) -> str:
        name, winner = row["candidate"], row["candidate"] in self.winners
        text = figures(row["val_score"]) if row["status"] == OK else row["status"]
        if self.detail.parameters:
            text += f" · {row['parameters']:,}"
            return f"{name}  {text}" if winner else text
        if self.detail.score:
            return f"{name[name.find('c') :]} {text}" if winner else text
        return text if winner else ""

    def weight(self, name: str) -> str:
        """The font weight of a candidate's label."""
        return "bold" if name in self.winners else "normal"

    def _arrange(self) -> dict[str, tuple[float, float]]:
        """Inches of every candidate: siblings together, in the order of their parents."""
        spots: dict[str, tuple[float, float]] = {}
        for column, generation in enumerate(self.generations):
            members = [row for row in self.rows if row["generation"] == generation]
            # highest parent first, so that the edges of two parents do not cross
            members.sort(key=lambda row: -spots.get(row["parent"], (0.0, 0.0))[1])
            middle = (len(members) - 1) / 2
            for i, row in enumerate(members):
                spots[row["candidate"]] = column * self.step, (middle - i) * self.detail.row
        return spots

    def edge(self, parent: str, child: str) -> Curve:
        """A curve to a child from behind its parent's label, so that it runs through no text."""
        x, y = self.spots[parent]
        start, stop = (x + self.widths[parent] + 0.16, y), self.spots[child]
        middle = (start[0] + stop[0]) / 2
        bends = [start, (middle, start[1]), (middle, stop[1]), stop]
        return Curve(bends, [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4])

    def draw(self, axes: Axes, operations: Iterable[str]) -> None:
        """Draw all edges, nodes and labels on axes whose unit is an inch."""
        edges: dict[tuple[str, float, int], list[Curve]] = {}
        for row in self.rows:
            name, parent = row["candidate"], row["parent"]
            if parent is not None:
                kept = (BLUE, 2.0, 4) if name in self.chain else (DARK, 1.2, 3)
                kind = kept if name in self.winners else (PALE, 0.6, 2)
                edges.setdefault(kind, []).append(self.edge(parent, name))
        for (colour, line, order), curves in edges.items():
            axes.add_collection(
                PathCollection(
                    curves, facecolors="none", edgecolors=colour, linewidths=line, zorder=order
                )
            )
        for operation in operations:
            names = [r["candidate"] for r in self.rows if (r["operation"] or "") == operation]
            axes.scatter(
                [self.spots[name][0] for name in names],
                [self.spots[name][1] for name in names],
                s=self.detail.area,
                c=look(operation).colour,
                marker=look(operation).marker,
                edgecolors=[BLACK if name in self.winners else GREY for name in names],
                linewidths=[1.3 if name in self.winners else 0.7 for name in names],
                zorder=6,
            )
        x, y = self.spots[self.final]
        ring = self.detail.area * 4
        axes.scatter([x], [y], s=ring, c="none", edgecolors=BLUE, linewidths=1.6, zorder=5)
        for row in self.rows:
            name = row["candidate"]
            x, y = self.spots[name]
            axes.text(
                x + (0.14 if name == self.final else 0.11),
                y,
                self.labels[name],
                size=self.detail.font,
                weight=self.weight(name),
                color=BLACK
                if name in self.winners
                else DARK
                if row["status"] == OK
                else VERMILLION,
                va="center_baseline",
                zorder=7,
            )


@styled
def family_tree(
    search: str, rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]
) -> Figure:
    """All candidates by generation, each joined to its parent.

    Args:
        search: its name.
        rows: of the lineage, see `netsurgery.search.outcome.lineage`.
        summary: see `netsurgery.search.outcome.summary`.
    """
    final, word = summary["candidate"], summary["metric"].removeprefix("val_")
    tree = Tree(rows, final)
    present = {row["operation"] or "" for row in rows}
    operations = [name for name in LOOKS if name in present] + sorted(present - set(LOOKS))
    keys = [
        key(look(name).words, BLACK, marker=look(name).marker, face=look(name).colour)
        for name in operations
    ]
    keys.append(key("final candidate", BLUE, marker="o", face=WHITE))
    if len(tree.chain) > 1:
        keys.append(key("its lineage", BLUE, line=2))
    if tree.winners - tree.chain:
        keys.append(key("other parents and finalists", DARK, line=1.2))
    width, height = max(tree.width, 6.5), max(tree.height, 0.4)
    per_row = int(width // 1.7)
    lines = 1 + math.ceil(len(keys) / per_row)
    best = next(row for row in rows if row["candidate"] == final)
    bred = len(tree.generations) - 1
    figure, axes = canvas(
        (
            title_of(search, summary),
            count(len(rows), "candidate")
            + (f" in {count(bred, 'generation')}" if bred else "")
            + f"; final {final}: score {figures(best['val_score'])},"
            f" test {word} {figures(summary['test_score'])}, {best['parameters']:,} parameters",
        ),
        (width, height),
        (0.25, 0.2, 0.25 + 0.2 * lines, 0.35),
    )
    axes.set_axis_off()
    axes.set_xlim(-0.15, width - 0.15)
    axes.set_ylim(-height / 2, height / 2)
    tree.draw(axes, operations)
    for column, header in enumerate(tree.headers):
        axes.text(column * tree.step - 0.06, height / 2 + 0.12, header, size=LABEL, color=GREY)
    figure.legend(
        handles=keys,
        loc="lower left",
        bbox_to_anchor=(axes.get_position().x0, 0.0),
        ncols=per_row,
        borderaxespad=0.6,
        borderpad=0,
        handlelength=1.6,
        title=f"numbers: score (mean validation {word} of the last epochs)"
        + (" · trainable parameters" if tree.detail.parameters else ""),
        title_fontsize=LABEL,
        alignment="left",
    )
    return figure


@styled
def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all; as an SVG always the same bytes."""
    kind = path.suffix.removeprefix(".")
    with written(path) as temporary:
        figure.savefig(temporary, format=kind, metadata={"Date": None} if kind == "svg" else {})


def write(folder: SearchFolder, kind: str) -> None:
    """Write the pictures of a finished search.

    Args:
        folder: of the search and seed.
        kind: svg or png.
    """
    search, records = folder.root.parent.name, folder.records()
    summary = read_json(folder.final / "summary.json")
    drawn = {
        "accuracy": accuracy(search, records, summary),
        "size": size(search, records, summary),
        "family_tree": family_tree(search, read_lineage(folder.lineage), summary),
    }
    for name, figure in drawn.items():
        save(figure, folder.root / "plots" / f"{name}.{kind}")


# results first: the report shows a narrow page
HEADLINES = (
    "test_accuracy",
    "test_loss",
    "val_score",
    "start_parameters",
    "parameters",
    "epochs_trained",
    "epochs_spent",
    "generations",
    "candidates",
    "status",
    "algorithm",
    "dataset",
    "topology",
    "mode",
    "greediness",
    "budget",
)
TABLE_PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<title>Summary of all searches</title>
<style>
body {{ font: 14px sans-serif; margin: 1em; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 0.3em 0.7em; border-bottom: 1px solid #ddd; text-align: right; }}
th {{ text-align: left; vertical-align: bottom; }}
.name {{ text-align: left; white-space: nowrap; }}
</style>
{table}
"""


def summarise(folders: Iterable[str], output: Path) -> None:
    """Write a table of searches, a row per search and seed: a CSV file, and a page beside it.

    Args:
        folders: of the finished searches.
        output: the CSV file.
    """
    import pandas  # here, because no picture needs it

    rows = []
    for folder in map(Path, folders):
        summary = read_json(SearchFolder(folder).final / "summary.json")
        rows.append(
            {"search": folder.parent.name, "seed": summary["seed"]}
            | {name: summary[name] for name in HEADLINES}
        )
    table = pandas.DataFrame(rows).round(4)
    write_text(output, table.to_csv(index=False, lineterminator="\n"))

    # words to the left, numbers to the right
    head = "".join(f"<th>{name.replace('_', '<br>')}</th>" for name in table.columns)
    body = [
        "".join(
            f'<td class="name">{html.escape(value)}</td>'
            if isinstance(value, str)
            else f"<td>{'' if value is None or value != value else f'{value:,.10g}'}</td>"
            for value in row
        )
        for row in table.astype(object).itertuples(index=False, name=None)
    ]
    lines = "\n".join(f"<tr>{cells}</tr>" for cells in [head, *body])
    write_text(output.with_suffix(".html"), TABLE_PAGE.format(table=f"<table>\n{lines}\n</table>"))
