"""The plot: test accuracy against parameters, one panel per data set."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

from benchmarks.peers.data_sets import DATA_SETS
from benchmarks.peers.table import TITLES, Groups, allowed_seconds, percentages, sizes
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from netsurgery.plots import style

STYLES = {
    "arbor": (style.VERMILLION, "*"),
    "recipe": (style.BLUE, "o"),
    "hyperband": (style.GREEN, "s"),
    "tpe": (style.ORANGE, "D"),
    "auto_model": (style.PURPLE, "^"),
    "boosting": (style.GREY, ""),
}
PANEL = (3.1, 2.6)  # inches
COLUMNS = 3
TICKS = (2_000, 5_000, 10_000, 20_000, 50_000)


@style.styled
def write(groups: Groups, path: Path) -> None:
    """Write the plot: pale marks are seeds, others means; a dashed line is no network."""
    names = list(dict.fromkeys(name for name, _ in groups))
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    size = (max(PANEL[0] * columns, 6.2), PANEL[1] * rows + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for panel, name in zip(panels, names, strict=False):
        _draw(panel, groups, name)
    for panel in panels[len(names) :]:
        panel.remove()
    for panel in panels[max(0, len(names) - columns) : len(names)]:  # the last of each column
        panel.set_xlabel("parameters")
    figure.supylabel("test accuracy in %", fontsize=10)
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="" if marker else "--")
        for peer, (colour, marker) in STYLES.items()
        if any(each == peer for _, each in groups)
    ]
    titles = [TITLES[peer] for peer in STYLES if any(each == peer for _, each in groups)]
    figure.legend(handles=handles, labels=titles, loc="outside lower center", ncols=3)
    figure.savefig(path)


def _draw(panel: Axes, groups: Groups, name: str) -> None:
    """Draw all peers on a data set."""
    drawn: list[int] = []
    for peer, (colour, marker) in STYLES.items():
        runs = groups.get((name, peer), [])
        scores, parameters = percentages(runs), sizes(runs)
        if parameters:
            area = 110 if marker == "*" else 55  # points
            panel.scatter(
                parameters, scores, area / 3, color=colour, marker=marker, alpha=0.35, linewidths=0
            )
            panel.scatter(
                [mean(parameters)], [mean(scores)], area, color=colour, marker=marker, zorder=3
            )
        elif scores:
            panel.axhline(mean(scores), color=colour, linestyle="--", linewidth=1.2)
        drawn += parameters
    panel.set_title(f"{DATA_SETS[name].title}, {allowed_seconds(groups, name):.0f} s", fontsize=10)
    panel.set_xscale("log")
    panel.set_xlim(min([*drawn, TICKS[0]]) / 1.3, TICKS[-1] * 1.5)
    panel.xaxis.set_major_locator(FixedLocator(TICKS))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:.0f}k"))
