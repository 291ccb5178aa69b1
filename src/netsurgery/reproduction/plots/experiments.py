"""Plots over many searches: mean curves by method, and accuracy against size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from netsurgery.analysis.runs import Run
from netsurgery.plots.layout import add_legend, canvas, legend_entry
from netsurgery.plots.style import (
    BLACK,
    BLUE,
    DARK,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    WHITE,
    styled,
)
from netsurgery.reproduction import curves, published
from netsurgery.reproduction.paper_runs import PaperRun
from netsurgery.reproduction.statistics import mean_and_sd
from netsurgery.search.methods import ARBOR, BASELINE, GREEDY, RANDOM, RANDOM_WALK, SURGEON

R = TypeVar("R", bound=Run)
# colour, marker and line style of each method, distinguishable in grayscale
METHOD_STYLES: dict[str, tuple[str, str, Any]] = {
    GREEDY: (BLUE, "o", "-"),
    "alpha 0.5": (GREEN, "^", (0, (6, 1.5))),
    "alpha 0": (ORANGE, "v", (0, (4, 1.5, 1, 1.5))),
    RANDOM: (VERMILLION, "X", (0, (1, 1))),
    ARBOR: (SKY, "P", (0, (3, 1))),
    SURGEON: (BLUE, "o", "-"),
    RANDOM_WALK: (VERMILLION, "X", (0, (1, 1))),
    BASELINE: (GREY, "s", (0, (4, 2))),
}
OTHER: tuple[str, str, Any] = (PURPLE, "D", "-")
PANEL, GAP, ABOVE = (2.9, 2.1), (0.62, 0.75), 0.35  # inches
MIN_WIDTH = 6.6  # inches, so that the legend fits


def panel_grid(
    heading: tuple[str, str], titles: Sequence[str], xlabel: str, ylabel: str, columns: int = 3
) -> tuple[Figure, list[Axes]]:
    """A grid of panels.

    Args:
        heading: title and subtitle.
        titles: of the panels.
        xlabel: of the horizontal axes.
        ylabel: of the vertical axes.
        columns: the maximum number of columns; four panels are two by two.
    """
    columns = 2 if len(titles) == 4 else min(columns, len(titles))
    rows = math.ceil(len(titles) / columns)
    panel_width = max(PANEL[0], (MIN_WIDTH - (columns - 1) * GAP[0]) / columns)
    width = columns * panel_width + (columns - 1) * GAP[0]
    height = rows * PANEL[1] + (rows - 1) * GAP[1]
    figure, whole = canvas(heading, (width, height), (0.8, 0.25, 0.95, ABOVE))
    box = whole.get_position()
    whole.remove()
    panel_axes = []
    for i, title in enumerate(titles):
        row, column = divmod(i, columns)
        x = column * (panel_width + GAP[0]) / width
        y = 1 - (row * (PANEL[1] + GAP[1]) + PANEL[1]) / height
        axes = figure.add_axes(
            (
                box.x0 + x * box.width,
                box.y0 + y * box.height,
                panel_width / width * box.width,
                PANEL[1] / height * box.height,
            )
        )
        axes.set_title(title, loc="left", size=10, color=DARK)
        if i + columns >= len(titles):
            axes.set_xlabel(xlabel, size=9)
        if column == 0:
            axes.set_ylabel(ylabel, size=9)
        panel_axes.append(axes)
    return figure, panel_axes


def _by_panel(
    runs: Sequence[R], by_topology: bool
) -> dict[str, tuple[list[R], dict[str, list[R]]]]:
    """Panels by title: all runs of a dataset (and topology), and the same runs by method."""
    panels: dict[str, list[R]] = {}
    for run in runs:
        name = published.dataset_label(run.dataset, run.original)
        if by_topology:
            name += f", {run.topology.removeprefix('surgeon-')}"
        panels.setdefault(name, []).append(run)
    by_method = {}
    for name, members in panels.items():
        methods: dict[str, list[R]] = {}
        for run in members:
            methods.setdefault(run.method, []).append(run)
        in_order = dict.fromkeys((*METHOD_STYLES, *methods))  # those without a style come last
        by_method[name] = members, {m: methods[m] for m in in_order if m in methods}
    return by_method


@styled
def plot_mean_curves(
    heading: tuple[str, str],
    runs: Sequence[PaperRun],
    methods: Sequence[str],
    *,
    cut_by: str | None = None,
    by_topology: bool = False,
) -> Figure:
    """Plot mean validation accuracy over epochs by method (ECToNAS figure 5, Surgeon figure 2).

    Args:
        heading: title and subtitle.
        runs: of the experiment.
        methods: to show.
        cut_by: method at whose winners' mean epochs the other curves are cut off, per topology.
        by_topology: whether to draw a panel per dataset and topology, not per dataset.
    """
    panels = _by_panel([run for run in runs if run.method in methods], by_topology)
    figure, axes = panel_grid(heading, list(panels), "epochs of training", "validation accuracy, %")
    for panel, (_, by_method) in zip(axes, panels.values(), strict=True):
        if not any(run.result for members in by_method.values() for run in members):
            _mark_missing(panel)
            continue
        ends = curves.mean_ends(by_method.get(cut_by or "", []))
        for method, members in by_method.items():
            colour, _, line = METHOD_STYLES.get(method, OTHER)
            points = curves.mean_curve(members, ends if ends and method != cut_by else None)
            panel.plot(
                *points,
                color=colour,
                linestyle=line,
                linewidth=1.8 if method != BASELINE else 1.4,
            )
        panel.set_xlim(0, None)
    shown = dict.fromkeys(m for _, by_method in panels.values() for m in by_method)
    add_legend(figure, axes[0], _legend_entries(shown, lines=True))
    return figure


def _mark_missing(panel: Axes) -> None:
    """Mark a panel as missing."""
    panel.set_xticks([])
    panel.set_yticks([])
    panel.text(0.5, 0.5, "missing", transform=panel.transAxes, ha="center", color=GREY)


def _legend_entries(methods: Sequence[str] | Mapping[str, None], *, lines: bool) -> list:
    handles = []
    for method in methods:
        colour, marker, line = METHOD_STYLES.get(method, OTHER)
        handles.append(
            legend_entry(method, colour, line=1.8 if lines else 0, marker="" if lines else marker)
        )
        if lines:
            handles[-1].set_linestyle(line)
    return handles


@styled
def plot_pareto(heading: tuple[str, str], runs: Sequence[Run]) -> Figure:
    """Plot test accuracy against size of the final networks, with the Pareto front.

    Small markers are runs; large markers are means of a method with standard deviation.
    """
    panels = _by_panel([run for run in runs if run.result is not None], by_topology=False)
    figure, axes = panel_grid(heading, list(panels), "trainable parameters", "test accuracy, %")
    for panel, (members, by_method) in zip(axes, panels.values(), strict=True):
        panel.set_xscale("log")
        low, high = _limits([run.result["parameters"] for run in members if run.result])
        panel.set_xlim(low, high)
        for method, of_method in by_method.items():
            colour, marker, _ = METHOD_STYLES.get(method, OTHER)
            size = np.array([run.result["parameters"] for run in of_method if run.result])
            accuracy = np.array(
                [100 * run.result["test_accuracy"] for run in of_method if run.result]
            )
            panel.scatter(size, accuracy, s=16, c=colour, marker=marker, alpha=0.45, linewidths=0)
            mean = mean_and_sd(list(accuracy))
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
        steps = (1,) if high / low > 300 else (1, 3) if high / low > 8 else (1, 1.5, 2, 3, 5, 7)
        panel.xaxis.set_major_locator(LogLocator(subs=steps))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.tick_params(axis="x", labelsize=8)
    found = dict.fromkeys(method for _, by_method in panels.values() for method in by_method)
    shown = [method for method in dict.fromkeys((*METHOD_STYLES, *found)) if method in found]
    handles = [*_legend_entries(shown, lines=False), legend_entry("Pareto front", BLACK, line=0.9)]
    add_legend(figure, axes[0], handles)
    return figure


def _limits(sizes: Sequence[float]) -> tuple[float, float]:
    """Limits of a logarithmic axis; matplotlib finds none for a single size."""
    margin = max(1.3, (max(sizes) / min(sizes)) ** 0.05)
    return min(sizes) / margin, max(sizes) * margin


def pareto_front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points (cost, gain) that no other point dominates, by rising cost."""
    front: list[tuple[float, float]] = []
    for cost, gain in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or gain > front[-1][1]:
            front.append((cost, gain))
    return front
