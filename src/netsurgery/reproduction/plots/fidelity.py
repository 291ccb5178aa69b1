"""Plot the fidelity study: the accuracy that each operation costs, by rule and dataset."""

from __future__ import annotations

from typing import Any

import pandas
from matplotlib.figure import Figure

from netsurgery.plots.layout import add_legend, legend_entry
from netsurgery.plots.panels import panels
from netsurgery.plots.style import BLUE, GREY, VERMILLION, WHITE, operation_style, styled

# label, colour and vertical offset of each rule
RULES = {
    "published": ("authors' code, if different", GREY, -0.27),
    "svd": ("papers' rules, corrected", VERMILLION, 0.0),
    "least_squares": ("least squares", BLUE, 0.27),
}


def _label(operation: str) -> str:
    name, _, pooling = operation.partition(" ")
    return operation_style(name).label + (f", {pooling} pooling" if pooling else "")


@styled
def plot_drops(rows: pandas.DataFrame, operations: list[str], networks: int) -> Figure:
    """Plot the accuracy lost immediately after each operation, with the median of each rule.

    Args:
        rows: see `netsurgery.reproduction.studies.tables.with_drops`.
        operations: to show, from top to bottom.
        networks: number of networks.
    """
    names = list(dict.fromkeys(rows["dataset"]))
    figure, axes = panels(
        (
            "Cost of an operation",
            f"validation accuracy lost immediately after surgery, without training; {networks}"
            " networks, a dot per position, diamonds are medians",
        ),
        [_label(operation) for operation in operations],
        names,
        3.0,
        "percentage points lost",
    )
    reach = 100 * max(0.05, float(rows["drop_right_after"].max()))
    for panel, name in zip(axes, names, strict=True):
        for row, operation in enumerate(operations):
            for rule, (_, colour, offset) in RULES.items():
                chosen = rows[
                    (rows["dataset"] == name)
                    & (rows["operation"] == operation)
                    & (rows["rule"] == rule)
                ]
                lost = 100 * chosen["drop_right_after"]
                if not len(lost):
                    continue
                look_of: dict[str, Any] = {"color": colour, "linewidths": 0}
                panel.scatter(lost, [row + offset] * len(lost), s=14, alpha=0.35, **look_of)
                panel.scatter(
                    [lost.median()],
                    [row + offset],
                    s=46,
                    marker="D",
                    color=colour,
                    edgecolors=WHITE,
                    linewidths=0.8,
                    zorder=3,
                )
        panel.set_xlim(-0.06 * reach, 1.04 * reach)
    handles = [legend_entry(label, colour, marker="D") for label, colour, _ in RULES.values()]
    add_legend(figure, axes[0], handles)
    return figure
