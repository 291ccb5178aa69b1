"""The picture of the pooling trials: accuracy by what becomes of the first dense layer."""

from __future__ import annotations

import pandas
from matplotlib.figure import Figure

from netsurgery.plots.layout import add_legend, legend_entry
from netsurgery.plots.panels import panels
from netsurgery.plots.style import BLUE, GREY, VERMILLION, WHITE, styled

WORDS = {
    "structured": "aggregated, as published",
    "magnitude": "largest magnitude",
    "random": "random within blocks",
    "random_anywhere": "random anywhere",
    "sum": "sum of the block",
    "least_squares": "least squares",
}
DASHED = (0, (4, 3))
# its name in the table, its words, colour, and place within the row
STAGES = (
    ("right_after", "right after", VERMILLION, -0.2),
    ("after_epoch", "after one epoch", BLUE, 0.08),
)


@styled
def trials(table: pandas.DataFrame, data: str) -> Figure:
    """Means and deviations over the seeds, the paper's figures hollow, the baseline dashed.

    Args:
        table: see `netsurgery.reproduction.studies.tables.pooling_means`.
        data: name of the dataset.
    """
    seeds, names = int(table["seeds"].min()), list(dict.fromkeys(table["pooling"]))
    figure, axes = panels(
        (
            "A pooling layer put into a trained network",
            f"validation accuracy on {data}, mean and deviation over {seeds} seeds,"
            " by what becomes of the first dense layer's weights",
        ),
        list(WORDS.values()),
        [f"{name} pooling" for name in names],
        3.6,
        "percent",
    )
    for panel, pooling in zip(axes, names, strict=True):
        of_kind = table[table["pooling"] == pooling].set_index("rule")
        panel.axvline(100 * of_kind["before"].iloc[0], color=GREY, linestyle=DASHED, zorder=1)
        for row, rule in enumerate(WORDS):
            if rule not in of_kind.index:
                continue
            for stage, _, colour, offset in STAGES:
                found = of_kind.loc[rule]
                panel.errorbar(
                    100 * found[stage],
                    row + offset,
                    xerr=100 * found[f"{stage}_deviation"],
                    color=colour,
                    marker="o",
                    markersize=7,
                    markeredgecolor=WHITE,
                    elinewidth=1.2,
                    zorder=3,
                )
                panel.scatter(
                    [100 * found[f"paper_{stage}"]],
                    [row + offset + 0.2],
                    s=40,
                    marker="D",
                    facecolors=WHITE,
                    edgecolors=colour,
                    linewidths=1.3,
                    zorder=4,
                )
        panel.set_xlim(0, 102)
    handles = [legend_entry(words, colour, marker="o") for _, words, colour, _ in STAGES]
    handles.append(legend_entry("the paper's", GREY, marker="D", face=WHITE))
    handles.append(legend_entry("before", GREY, line=1.2))
    handles[-1].set_linestyle(DASHED)
    add_legend(figure, axes[0], handles)
    return figure
