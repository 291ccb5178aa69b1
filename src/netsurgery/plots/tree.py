"""The family tree: all candidates by generation, each joined to its parent.

`Tree` finds everyone's place and label in inches and draws them; the more candidates there are,
the less room and detail each is given.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path as Curve

from netsurgery.plots.style import (
    BLACK,
    BLUE,
    DARK,
    GREY,
    LABEL,
    LOOKS,
    PALE,
    VERMILLION,
    WHITE,
    canvas,
    count,
    figures,
    key,
    look,
    styled,
    text_width,
    title_of,
)
from netsurgery.search.records import OK


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
    final, word = summary["candidate"], summary["objective"].removeprefix("val_")
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
