"""Plot the pooling trials: accuracy by rule for the weights of the first dense layer."""

from __future__ import annotations

import pandas
from matplotlib.figure import Figure

from netsurgery.plots.layout import add_legend, legend_entry
from netsurgery.plots.panels import panels
from netsurgery.plots.style import BLUE, GREY, VERMILLION, WHITE, styled

LABELS = {
    "structured": "aggregated, as published",
    "magnitude": "largest magnitude",
    "random": "random within blocks",
    "random_anywhere": "random anywhere",
    "sum": "sum of the block",
    "least_squares": "least squares",
}
DASHED = (0, (4, 3))
# column, label, colour and vertical offset
STAGES = (
    ("right_after", "immediately after", VERMILLION, -0.2),
    ("after_epoch", "after one epoch", BLUE, 0.08),
)


@styled
def plot_trials(table: pandas.DataFrame, data: str) -> Figure:
    """Plot means and deviations over the seeds; hollow: the paper's results, dashed: the baseline.

    Args:
        table: see `netsurgery.reproduction.studies.tables.pooling_means`.
        data: name of the dataset.
    """
    seeds, names = int(table["seeds"].min()), list(dict.fromkeys(table["pooling"]))
    figure, axes = panels(
        (
            "Inserting a pooling layer into a trained network",
            f"validation accuracy on {data}, mean and standard deviation over {seeds} seeds,"
            " by rule for the weights of the first dense layer",
        ),
        list(LABELS.values()),
        [f"{name} pooling" for name in names],
        3.6,
        "percent",
    )
    for panel, pooling in zip(axes, names, strict=True):
        of_kind = table[table["pooling"] == pooling].set_index("rule")
        panel.axvline(100 * of_kind["before"].iloc[0], color=GREY, linestyle=DASHED, zorder=1)
        for row, rule in enumerate(LABELS):
            if rule not in of_kind.index:
                continue
            for stage, _, colour, offset in STAGES:
                result = of_kind.loc[rule]
                panel.errorbar(
                    100 * result[stage],
                    row + offset,
                    xerr=100 * result[f"{stage}_deviation"],
                    color=colour,
                    marker="o",
                    markersize=7,
                    markeredgecolor=WHITE,
                    elinewidth=1.2,
                    zorder=3,
                )
                panel.scatter(
                    [100 * result[f"paper_{stage}"]],
                    [row + offset + 0.2],
                    s=40,
                    marker="D",
                    facecolors=WHITE,
                    edgecolors=colour,
                    linewidths=1.3,
                    zorder=4,
                )
        panel.set_xlim(0, 102)
    handles = [legend_entry(label, colour, marker="o") for _, label, colour, _ in STAGES]
    handles.append(legend_entry("paper", GREY, marker="D", face=WHITE))
    handles.append(legend_entry("before", GREY, line=1.2))
    handles[-1].set_linestyle(DASHED)
    add_legend(figure, axes[0], handles)
    return figure
