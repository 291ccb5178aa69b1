"""Pictures over many searches: mean curves by method, and accuracy against size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from netsurgery.analysis.runs import BASELINE, GREEDY, RANDOM, SURGEON, WALK, Run
from netsurgery.plots.layout import add_legend, canvas, legend_entry
from netsurgery.plots.style import (
    BLACK,
    BLUE,
    DARK,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    WHITE,
    styled,
)
from netsurgery.reproduction import curves, published
from netsurgery.reproduction.statistics import mean_and_sd

# of every method: colour, marker, and how its line is drawn, so that grey prints can be read too
OPERATION_STYLES: dict[str, tuple[str, str, Any]] = {
    GREEDY: (BLUE, "o", "-"),
    "alpha 0.5": (GREEN, "^", (0, (6, 1.5))),
    "alpha 0": (ORANGE, "v", (0, (4, 1.5, 1, 1.5))),
    RANDOM: (VERMILLION, "X", (0, (1, 1))),
    SURGEON: (BLUE, "o", "-"),
    WALK: (VERMILLION, "X", (0, (1, 1))),
    BASELINE: (GREY, "s", (0, (4, 2))),
}
OTHER: tuple[str, str, Any] = (PURPLE, "D", "-")
PANEL, GAP, ABOVE = (2.9, 2.1), (0.62, 0.75), 0.35  # inches
LEAST = 6.6  # inches across, so that there is room for the legend


def grid(
    heading: tuple[str, str], names: Sequence[str], below: str, left: str, columns: int = 3
) -> tuple[Figure, list[Axes]]:
    """Panels beside and below each other.

    Args:
        heading: title and subtitle.
        names: of the panels.
        below: name of the horizontal axes.
        left: name of the vertical axes.
        columns: the most panels beside each other; four are two by two.
    """
    columns = 2 if len(names) == 4 else min(columns, len(names))
    rows = math.ceil(len(names) / columns)
    across = max(PANEL[0], (LEAST - (columns - 1) * GAP[0]) / columns)
    width = columns * across + (columns - 1) * GAP[0]
    height = rows * PANEL[1] + (rows - 1) * GAP[1]
    figure, whole = canvas(heading, (width, height), (0.8, 0.25, 0.95, ABOVE))
    box = whole.get_position()
    whole.remove()
    found = []
    for i, name in enumerate(names):
        row, column = divmod(i, columns)
        x = column * (across + GAP[0]) / width
        y = 1 - (row * (PANEL[1] + GAP[1]) + PANEL[1]) / height
        axes = figure.add_axes(
            (
                box.x0 + x * box.width,
                box.y0 + y * box.height,
                across / width * box.width,
                PANEL[1] / height * box.height,
            )
        )
        axes.set_title(name, loc="left", size=10, color=DARK)
        if i + columns >= len(names):
            axes.set_xlabel(below, size=9)
        if column == 0:
            axes.set_ylabel(left, size=9)
        found.append(axes)
    return figure, found


def _by_panel(
    runs: Sequence[Run], by_topology: bool
) -> dict[str, tuple[list[Run], dict[str, list[Run]]]]:
    """Panels by name: all runs of a dataset, perhaps of a topology of it, and those by method."""
    panels: dict[str, list[Run]] = {}
    for run in runs:
        name = published.called(run.dataset, run.original)
        if by_topology:
            name += f", {run.topology.removeprefix('surgeon-')}"
        panels.setdefault(name, []).append(run)
    found = {}
    for name, members in panels.items():
        methods: dict[str, list[Run]] = {}
        for run in members:
            methods.setdefault(run.method, []).append(run)
        found[name] = members, {m: methods[m] for m in OPERATION_STYLES if m in methods}
    return found


@styled
def mean_curves(
    heading: tuple[str, str],
    runs: Sequence[Run],
    methods: Sequence[str],
    *,
    cut_by: str | None = None,
    by_topology: bool = False,
) -> Figure:
    """Mean validation accuracy over epochs by method (ECToNAS figure 5, Surgeon figure 2).

    Args:
        heading: title and subtitle.
        runs: of the experiment.
        methods: to show.
        cut_by: the method whose winners' epochs cut off the other curves, topology by topology.
        by_topology: a panel per dataset and topology, else per dataset.
    """
    panels = _by_panel([run for run in runs if run.method in methods], by_topology)
    figure, axes = grid(heading, list(panels), "epochs that the weights received", "validation, %")
    for panel, (_, by_method) in zip(axes, panels.values(), strict=True):
        if not any(run.result for members in by_method.values() for run in members):
            _say_missing(panel)
            continue
        ends = curves.mean_ends(by_method.get(cut_by or "", []))
        for method, members in by_method.items():
            colour, _, line = OPERATION_STYLES[method]
            points = curves.mean_curve(members, ends if ends and method != cut_by else None)
            panel.plot(
                *points,
                color=colour,
                linestyle=line,
                linewidth=1.8 if method != BASELINE else 1.4,
            )
        panel.set_xlim(0, None)
    shown = dict.fromkeys(m for _, by_method in panels.values() for m in by_method)
    add_legend(figure, axes[0], _keys(shown, lines=True))
    return figure


def _say_missing(panel: Axes) -> None:
    """Leave a panel empty, and say why."""
    panel.set_xticks([])
    panel.set_yticks([])
    panel.text(0.5, 0.5, "missing", transform=panel.transAxes, ha="center", color=GREY)


def _keys(methods: Sequence[str] | Mapping[str, None], *, lines: bool) -> list:
    handles = []
    for method in methods:
        colour, marker, line = OPERATION_STYLES.get(method, OTHER)
        handles.append(
            legend_entry(method, colour, line=1.8 if lines else 0, marker="" if lines else marker)
        )
        if lines:
            handles[-1].set_linestyle(line)
    return handles


@styled
def pareto(heading: tuple[str, str], runs: Sequence[Run]) -> Figure:
    """Test accuracy against size of the final networks: a mark per run, and the Pareto front.

    Large marks are the methods' means, with their standard deviation.
    """
    panels = _by_panel([run for run in runs if run.result is not None], by_topology=False)
    figure, axes = grid(heading, list(panels), "trainable parameters", "test accuracy, %")
    for panel, (members, by_method) in zip(axes, panels.values(), strict=True):
        panel.set_xscale("log")
        for method, mine in by_method.items():
            colour, marker, _ = OPERATION_STYLES.get(method, OTHER)
            size = np.array([run.result["parameters"] for run in mine if run.result])
            reached = np.array([100 * run.result["test_accuracy"] for run in mine if run.result])
            panel.scatter(size, reached, s=16, c=colour, marker=marker, alpha=0.45, linewidths=0)
            mean = mean_and_sd(list(reached))
            panel.errorbar(
                [10 ** np.log10(size).mean()],
                [mean.mean],
                yerr=[0 if math.isnan(mean.deviation) else mean.deviation],
                color=colour,
                marker=marker,
                markersize=8,
                markeredgecolor=WHITE,
                elinewidth=1.2,
                zorder=5,
            )
        front = pareto_front(
            [
                (run.result["parameters"], 100 * run.result["test_accuracy"])
                for run in members
                if run.result
            ]
        )
        panel.step(*np.array(front).T, where="post", color=BLACK, linewidth=0.9, zorder=3)
        low, high = panel.get_xlim()
        steps = (1,) if high / low > 300 else (1, 3) if high / low > 8 else (1, 1.5, 2, 3, 5, 7)
        panel.xaxis.set_major_locator(LogLocator(subs=steps))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.tick_params(axis="x", labelsize=8)
    shown = dict.fromkeys(m for m in OPERATION_STYLES if any(m in by for _, by in panels.values()))
    handles = [*_keys(shown, lines=False), legend_entry("Pareto front", BLACK, line=0.9)]
    add_legend(figure, axes[0], handles)
    return figure


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Those points (cost, gain) that no other beats in both, by rising cost."""
    front: list[tuple[float, float]] = []
    for cost, gain in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or gain > front[-1][1]:
            front.append((cost, gain))
    return front
