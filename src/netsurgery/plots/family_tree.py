"""Plot the family tree: all candidates by generation, each connected to its parent.

`FamilyTree` computes the position and label of every candidate in inches. The more candidates there
are, the less space and detail each gets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path as Curve

from netsurgery.plots.labels import format_score, pluralize, search_title
from netsurgery.plots.layout import LABEL, canvas, legend_entry, text_width
from netsurgery.plots.style import (
    BLACK,
    BLUE,
    DARK,
    GREY,
    OPERATION_STYLES,
    PALE,
    VERMILLION,
    WHITE,
    operation_style,
    styled,
)
from netsurgery.search.records import Status


class Detail(NamedTuple):
    """How much space and detail a family tree gives to each candidate."""

    score: bool  # label all candidates with their score, not only winners
    parameters: bool  # add the number of parameters to each score
    font: float  # points
    row: float  # inches
    gap: float  # inches from the longest label to the next generation
    area: float  # of a node in square points


DETAILS = (
    Detail(score=True, parameters=True, font=7.5, row=0.19, gap=0.85, area=42),
    Detail(score=True, parameters=False, font=6.5, row=0.15, gap=0.6, area=26),
    Detail(score=False, parameters=False, font=6.0, row=0.13, gap=0.45, area=22),
)


class FamilyTree:
    """The layout of a family tree: the position and label of every candidate.

    Args:
        rows: of the lineage table.
        final: name of the final candidate.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], final: str) -> None:
        self.rows, self.final = rows, final
        by_name = {row["candidate"]: row for row in rows}
        self.lineage: set[str] = set()
        at: str | None = final
        while at is not None:
            self.lineage.add(at)
            at = by_name[at]["parent"]
        # parents, and the finalists
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
        self.positions = self._arrange()
        word = "generation" if self.step > text_width("generation 00", LABEL) + 0.1 else "gen."
        self.headers = [f"{word} {number}" if number else "start" for number in self.generations]
        last = max(0.3 + max(self.widths.values()), text_width(self.headers[-1], LABEL))
        self.width = self.step * (columns - 1) + last
        self.height = 2 * max(y for _, y in self.positions.values()) + self.detail.row

    def _label(self, row: Mapping[str, Any]) -> str:
        name, winner = row["candidate"], row["candidate"] in self.winners
        text = format_score(row["val_score"]) if row["status"] == Status.OK else row["status"]
        if self.detail.parameters:
            text += f" · {row['parameters']:,}"
            return f"{name}  {text}" if winner else text
        if self.detail.score:
            return f"{name[name.find('c') :]} {text}" if winner else text
        return text if winner else ""

    def weight(self, name: str) -> str:
        """The font weight of a candidate's label: bold for winners."""
        return "bold" if name in self.winners else "normal"

    def _arrange(self) -> dict[str, tuple[float, float]]:
        """Positions in inches: siblings together, in the order of their parents."""
        positions: dict[str, tuple[float, float]] = {}
        for column, generation in enumerate(self.generations):
            members = [row for row in self.rows if row["generation"] == generation]
            # in the order of their parents, so that edges do not cross
            members.sort(key=lambda row: -positions.get(row["parent"], (0.0, 0.0))[1])
            middle = (len(members) - 1) / 2
            for i, row in enumerate(members):
                positions[row["candidate"]] = column * self.step, (middle - i) * self.detail.row
        return positions

    def edge(self, parent: str, child: str) -> Curve:
        """A curve from the end of the parent's label to the child, so that it crosses no text."""
        x, y = self.positions[parent]
        start, stop = (x + self.widths[parent] + 0.16, y), self.positions[child]
        middle = (start[0] + stop[0]) / 2
        bends = [start, (middle, start[1]), (middle, stop[1]), stop]
        return Curve(bends, [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4])

    def draw(self, axes: Axes, operations: Iterable[str]) -> None:
        """Draw all edges, nodes and labels on axes in inches."""
        edges: dict[tuple[str, float, int], list[Curve]] = {}
        for row in self.rows:
            name, parent = row["candidate"], row["parent"]
            if parent is not None:
                kept = (BLUE, 2.0, 4) if name in self.lineage else (DARK, 1.2, 3)
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
                [self.positions[name][0] for name in names],
                [self.positions[name][1] for name in names],
                s=self.detail.area,
                c=operation_style(operation).colour,
                marker=operation_style(operation).marker,
                edgecolors=[BLACK if name in self.winners else GREY for name in names],
                linewidths=[1.3 if name in self.winners else 0.7 for name in names],
                zorder=6,
            )
        x, y = self.positions[self.final]
        ring = self.detail.area * 4
        axes.scatter([x], [y], s=ring, c="none", edgecolors=BLUE, linewidths=1.6, zorder=5)
        for row in self.rows:
            name = row["candidate"]
            x, y = self.positions[name]
            axes.text(
                x + (0.14 if name == self.final else 0.11),
                y,
                self.labels[name],
                size=self.detail.font,
                weight=self.weight(name),
                color=BLACK
                if name in self.winners
                else DARK
                if row["status"] == Status.OK
                else VERMILLION,
                va="center_baseline",
                zorder=7,
            )


@styled
def plot_family_tree(
    search: str, rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]
) -> Figure:
    """Plot all candidates by generation, each connected to its parent.

    Args:
        search: name of the search.
        rows: of the lineage table, see `netsurgery.search.lineage.lineage`.
        summary: see `netsurgery.search.summary.summarize`.
    """
    final, word = summary["candidate"], summary["objective"].removeprefix("val_").replace("_", " ")
    tree = FamilyTree(rows, final)
    present = {row["operation"] or "" for row in rows}
    operations = [name for name in OPERATION_STYLES if name in present] + sorted(
        present - set(OPERATION_STYLES)
    )
    entries = [
        legend_entry(
            operation_style(name).label,
            BLACK,
            marker=operation_style(name).marker,
            face=operation_style(name).colour,
        )
        for name in operations
    ]
    entries.append(legend_entry("final candidate", BLUE, marker="o", face=WHITE))
    if len(tree.lineage) > 1:
        entries.append(legend_entry("winner's lineage", BLUE, line=2))
    if tree.winners - tree.lineage:
        entries.append(legend_entry("other parents and finalists", DARK, line=1.2))
    width, height = max(tree.width, 6.5), max(tree.height, 0.4)
    per_row = int(width // 1.7)
    lines = 1 + math.ceil(len(entries) / per_row)
    best = next(row for row in rows if row["candidate"] == final)
    generations = len(tree.generations) - 1
    figure, axes = canvas(
        (
            search_title(search, summary),
            pluralize(len(rows), "candidate")
            + (f" in {pluralize(generations, 'generation')}" if generations else "")
            + f"; final {final}: score {format_score(best['val_score'])},"
            f" test {word} {format_score(summary['test_score'])},"
            f" {best['parameters']:,} parameters",
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
        handles=entries,
        loc="lower left",
        bbox_to_anchor=(axes.get_position().x0, 0.0),
        ncols=per_row,
        borderaxespad=0.6,
        borderpad=0,
        handlelength=1.6,
        title=f"labels: score (mean validation {word} of the last epochs)"
        + (" · trainable parameters" if tree.detail.parameters else ""),
        title_fontsize=LABEL,
        alignment="left",
    )
    return figure
