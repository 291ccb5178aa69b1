"""Plot one search against its baseline."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.figure import Figure

from netsurgery.plots.epoch_axes import epoch_axes, label_curve_ends, mark_operation
from netsurgery.plots.family import Family
from netsurgery.plots.labels import format_score, operation_label
from netsurgery.plots.layout import add_legend, legend_entry
from netsurgery.plots.style import BLUE, GREY, styled
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import read_json


@styled
def plot_against_baseline(
    title: str, folder: SearchFolder, baseline: SearchFolder | None
) -> Figure:
    """Plot the metric along a winner's lineage and that of its baseline, trained without surgery.

    Args:
        title: of the plot.
        folder: of the finished search.
        baseline: of its finished baseline; None if there is none.
    """
    summary = read_json(folder.final / "summary.json")
    metric = summary["objective"]
    family = Family(folder.records(), summary["candidate"], metric)
    curve = family.lineage_curve()
    curves = [(curve, "search", BLUE)]
    if baseline is not None:
        end = baseline.end()
        baseline_curve = Family(baseline.records(), end.candidate, metric).lineage_curve()
        curves.insert(0, (baseline_curve, "baseline", GREY))
    ends = [
        (*points[:, -1], f"{name} {format_score(points[1, -1])}", colour)
        for points, name, colour in curves
    ]
    change = summary["parameters"] / summary["start_parameters"] - 1
    figure, axes = epoch_axes(
        (
            title,
            f"{summary['start_parameters']:,} to {summary['parameters']:,} parameters"
            f" ({change:+.0%})",
        ),
        family,
        [operation_label(record.operation, record.position) for record in family.lineage[1:]],
        [end[2] for end in ends],
    )
    for points, _, colour in curves:
        axes.plot(*points, color=colour, linewidth=2 if colour == BLUE else 1.5)
    axes.set_xlim(0, max(points[0, -1] for points, *_ in curves) * 1.01)
    axes.set_ylabel(f"validation {metric.removeprefix('val_')}")
    for parent, child in pairwise(family.lineage):
        epochs = family.birth_epochs[child.candidate]
        mark_operation(axes, epochs, family.own_curve(parent, epochs)[1, -1], child.operation)
    label_curve_ends(axes, ends)
    handles = [legend_entry("winner's lineage", BLUE, line=2)]
    if baseline is not None:
        handles.append(legend_entry("baseline: no surgery", GREY, line=1.5))
    add_legend(figure, axes, handles)
    return figure
