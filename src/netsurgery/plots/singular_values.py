"""Plot the singular values that a decision of the Surgeon is based on, with the thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from netsurgery.plots.layout import EDGE, LABEL, TITLE, legend_entry
from netsurgery.plots.style import BLUE, GREY, VERMILLION, styled
from netsurgery.search.surgeon.analysis import Analysis, Thresholds

PANEL = (2.2, 1.7)  # inches of a panel
GAP = (0.55, 0.75)  # between panels, for numbers and titles
MARGINS = (0.75, 0.15, 0.95, 1.1)  # left, right, below and above all panels


@styled
def plot_singular_values(
    heading: str, branches: Mapping[str, Sequence[Analysis]], thresholds: Thresholds
) -> Figure:
    """Plot the singular values of each dense layer: a panel per layer, a row per branch.

    Args:
        heading: names the search and decision point.
        branches: the analysis of each branch's layers, by candidate.
        thresholds: of eq. 13.
    """
    columns = max((len(layers) for layers in branches.values()), default=1)
    left, right, below, above = MARGINS
    width = left + columns * PANEL[0] + (columns - 1) * GAP[0] + right
    height = above + len(branches) * PANEL[1] + (len(branches) - 1) * GAP[1] + below
    figure = Figure(figsize=(max(width, 6.5), height))
    width = figure.get_figwidth()
    for text, size, weight, down in (
        (heading, TITLE, "bold", 0.28),
        ("singular values of each dense layer's weights, a row per branch", 10, "normal", 0.5),
    ):
        position = (EDGE / width, 1 - down / height)
        figure.text(*position, text, size=size, weight=weight, parse_math=False)
    for row, (candidate, layers) in enumerate(branches.items()):
        bottom = height - above - (row + 1) * PANEL[1] - row * GAP[1]
        for column, layer in enumerate(layers):
            start = left + column * (PANEL[0] + GAP[0])
            box = (start / width, bottom / height, PANEL[0] / width, PANEL[1] / height)
            axes = figure.add_axes(box)
            limit, values = layer.limit(thresholds), layer.singular_values
            ranks = range(1, len(values) + 1)
            small = [value < limit for value in values]
            axes.axhline(
                thresholds.absolute_threshold, color=GREY, linewidth=1, linestyle=(0, (4, 3))
            )
            relative = thresholds.relative_threshold * values[0]
            axes.axhline(relative, color=GREY, linewidth=1, linestyle=(0, (1, 2)))
            colours = [VERMILLION if below else BLUE for below in small]
            axes.scatter(ranks, values, s=18 if len(values) < 50 else 6, c=colours, linewidths=0)
            axes.set_ylim(-0.03 * max(values[0], limit), 1.08 * max(values[0], limit))
            axes.set_xlim(0, len(values) + 1)
            axes.tick_params(labelsize=8)
            removable = f"{layer.removable(thresholds)} of {layer.units} removable"
            if column == len(layers) - 1:
                removable = "output layer"
            axes.set_title(
                f"layer {layer.position}: {layer.inputs} → {layer.units}\n{removable}",
                size=LABEL,
                loc="left",
            )
            if column == 0:
                axes.set_ylabel(candidate, weight="bold")
    figure.legend(
        handles=[
            legend_entry("above both thresholds", BLUE, marker="o"),
            legend_entry("below a threshold", VERMILLION, marker="o"),
            legend_entry(f"absolute threshold {thresholds.absolute_threshold:g}", GREY, line=1),
            legend_entry(f"{thresholds.relative_threshold:g} of the largest", GREY, line=1),
        ],
        loc="lower left",
        bbox_to_anchor=(EDGE / width, 0.0),
        ncols=2,
        borderaxespad=0.6,
        borderpad=0,
        handlelength=1.6,
    )
    for handle, dashes in zip(
        figure.legends[0].get_lines()[2:], ((0, (4, 3)), (0, (1, 2))), strict=True
    ):
        handle.set_linestyle(dashes)
    return figure
