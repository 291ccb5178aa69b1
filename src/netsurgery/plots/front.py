"""Plot the front of a search: scores of finished networks against their size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from netsurgery.plots.labels import pluralize, search_title
from netsurgery.plots.layout import add_legend, canvas, legend_entry
from netsurgery.plots.style import BLUE, PALE, VERMILLION, styled

SIZE, MARGINS = (7.5, 3.8), (0.85, 0.4, 0.95, 0.15)  # inches


@styled
def plot_front(
    search: str, rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]
) -> Figure:
    """Plot the finished networks of a search, and the line of those that no smaller one beats.

    Args:
        search: name of the search.
        rows: of its `front.csv`.
        summary: see `netsurgery.search.summary.summarize`.
    """
    front = [row for row in rows if row["on_front"]]
    figure, axes = canvas(
        (
            search_title(search, summary),
            f"{pluralize(len(front), 'network')} of {len(rows)} that no smaller one beats",
        ),
        SIZE,
        MARGINS,
    )
    axes.set_xscale("log")
    if rows:
        _draw(axes, rows, front, summary["candidate"])
    axes.set_xlabel("trainable parameters")
    axes.set_ylabel(f"validation {summary['objective'].removeprefix('val_').replace('_', ' ')}")
    add_legend(
        figure,
        axes,
        [
            legend_entry("no smaller one is better", BLUE, line=1.5, marker="o"),
            legend_entry("others", PALE, marker="o"),
            legend_entry("the final network", VERMILLION, marker="o", face="none"),
        ],
    )
    return figure


def _draw(
    axes: Axes,
    rows: Sequence[Mapping[str, Any]],
    front: Sequence[Mapping[str, Any]],
    final: str,
) -> None:
    sizes, scores = _points(rows)
    axes.scatter(sizes, scores, s=22, c=PALE, linewidths=0, zorder=2)
    axes.set_xlim(min(sizes) / 1.3, max(sizes) * 1.3)
    axes.step(*_points(front), where="post", color=BLUE, linewidth=1.5, zorder=3)
    axes.scatter(*_points(front), s=36, c=BLUE, zorder=4)
    at = _points([row for row in rows if row["candidate"] == final])
    axes.scatter(*at, s=140, c="none", edgecolors=VERMILLION, linewidths=1.6, zorder=5)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _points(rows: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[float]]:
    return [row["parameters"] for row in rows], [row["val_score"] for row in rows]
