"""Plots over epochs: the metric of a search, and the size of its networks.

Both show the winner's lineage in front of all other candidates, with the operations along it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from netsurgery.objectives.metrics import is_maximized
from netsurgery.plots.epoch_axes import epoch_axes, label_curve_ends, mark_operation
from netsurgery.plots.family import Family
from netsurgery.plots.labels import format_score, operation_label, pluralize, search_title
from netsurgery.plots.layout import add_legend, legend_entry, text_width
from netsurgery.plots.style import BLACK, BLUE, PALE, VERMILLION, styled
from netsurgery.search.records import Record, Status


def _limits(axes: Axes, metric: str, winner: np.ndarray, others: np.ndarray) -> None:
    """Set the limits of the metric's axis; outliers of a loss are left out."""
    values = np.concatenate([winner, others])
    values = values[np.isfinite(values)]
    if not len(values):
        return
    low, high = float(values.min()), float(values.max())
    if not is_maximized(metric):
        # a candidate about to diverge would squeeze all other curves into one line
        high = max(float(np.nanmax(winner, initial=low)), float(np.quantile(values, 0.95)))
        if low > 0 and high / low > 30:
            axes.set_yscale("log")
            axes.set_ylim(low / 1.2, high * 1.2)
            return
    margin = 0.04 * (high - low) or 0.05
    axes.set_ylim(low - margin, high + margin)


@styled
def plot_accuracy(search: str, records: Sequence[Record], summary: Mapping[str, Any]) -> Figure:
    """Plot the metric over epochs: the winner's lineage in front of all other candidates.

    Args:
        search: name of the search.
        records: of the search.
        summary: see `netsurgery.search.summary.summarize`.
    """
    metric = summary["objective"]
    word = metric.removeprefix("val_").replace("_", " ")
    family = Family(records, summary["candidate"], metric)
    curve = family.lineage_curve()
    others = [family.curve(record) for record in family.others]
    ends = []
    finite = np.flatnonzero(np.isfinite(curve[1]))
    if len(finite):
        epochs, value = curve[:, finite[-1]]
        ends.append((float(epochs), float(value), f"validation {format_score(value)}", BLUE))
    test_point = family.lineage[-1].epochs_trained, summary["test_score"]
    if test_point[1] is not None:
        ends.append((*test_point, f"test {format_score(test_point[1])}", VERMILLION))
    status = "" if summary["status"] == Status.OK else f" ({summary['status']})"
    candidates = pluralize(len(family.last_record), "candidate")
    figure, axes = epoch_axes(
        (
            search_title(search, summary),
            f"test {word} {format_score(test_point[1])}{status} after {test_point[0]:.0f} epochs;"
            f" {candidates}, {summary['epochs_spent']:,.0f} epochs in total",
        ),
        family,
        [operation_label(record.operation, record.position) for record in family.lineage[1:]],
        [text for *_, text, _ in ends],
    )
    axes.add_collection(
        LineCollection([points.T for points in others], colors=PALE, linewidths=0.7, zorder=2)
    )
    axes.plot(*curve, color=BLUE, linewidth=2, zorder=5)
    other_values = [points[1] for points in others] + [[e[1] for e in ends]]
    _limits(axes, metric, curve[1], np.concatenate(other_values))
    axes.set_ylabel(f"validation {word}")
    for parent, child in pairwise(family.lineage):
        epochs = family.birth_epochs[child.candidate]
        mark_operation(axes, epochs, family.own_curve(parent, epochs)[1, -1], child.operation)
    if test_point[1] is not None:
        axes.scatter(*test_point, s=70, c=VERMILLION, marker="D", zorder=7, clip_on=False)
    label_curve_ends(axes, ends)

    failed = [
        points[:, np.isfinite(points[1])][:, -1]
        for record, points in zip(family.others, others, strict=True)
        if record.status != Status.OK and np.isfinite(points[1]).any()
    ]
    if summary["status"] != Status.OK and len(finite):
        failed.append(curve[:, finite[-1]])
    if failed:
        epochs, values = np.array(failed).T
        values = np.minimum(values, axes.get_ylim()[1])  # a loss may have left the plot before
        axes.scatter(
            epochs, values, s=40, c=BLACK, marker="x", linewidths=1.2, zorder=7, clip_on=False
        )
    entries = [legend_entry("winner's lineage" if family.others else "validation", BLUE, line=2)]
    if family.others:
        entries.append(legend_entry("other candidates", PALE, line=1.2))
    if test_point[1] is not None:
        entries.append(legend_entry("final test", VERMILLION, marker="D"))
    if failed:
        entries.append(legend_entry("diverged", BLACK, marker="x"))
    add_legend(figure, axes, entries)
    return figure


@styled
def plot_size(search: str, records: Sequence[Record], summary: Mapping[str, Any]) -> Figure:
    """Plot trainable parameters over epochs: the winner's lineage, and the ends of the others.

    Args:
        search: name of the search.
        records: of the search.
        summary: see `netsurgery.search.summary.summarize`.
    """
    family = Family(records, summary["candidate"], summary["objective"])
    first, last = family.lineage[0], family.lineage[-1]
    end = (last.epochs_trained, last.parameters, f"{last.parameters:,}", BLUE)
    sizes_of_all = [record.parameters for record in family.last_record.values()]
    growth = (last.parameters - first.parameters) / first.parameters
    change = f", {growth:+.0%} from {first.parameters:,}" if growth else ", unchanged"
    figure, axes = epoch_axes(
        (
            search_title(search, summary),
            f"{last.parameters:,} trainable parameters{change}",
        ),
        family,
        [
            operation_label(child.operation, child.position)
            + (f" → {child.parameters:,}" if child.parameters != parent.parameters else "")
            for parent, child in pairwise(family.lineage)
        ],
        [end[2]],
        0.6 + text_width(f"{max(sizes_of_all) * 1.3:,.0f}", 10),
    )
    axes.scatter(
        [record.epochs_trained for record in family.others],
        [record.parameters for record in family.others],
        s=22,
        c=PALE,
        linewidths=0,
        zorder=2,
    )
    births = [family.birth_epochs[record.candidate] for record in family.lineage]
    sizes = [record.parameters for record in family.lineage]
    axes.step([*births, end[0]], [*sizes, end[1]], where="post", color=BLUE, linewidth=2, zorder=5)
    if max(sizes_of_all) > 10 * min(sizes_of_all):
        axes.set_yscale("log")
        axes.set_ylim(min(sizes_of_all) / 1.3, max(sizes_of_all) * 1.3)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(0, max(sizes_of_all) * 1.08)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylabel("trainable parameters")
    for record in family.lineage[1:]:
        mark_operation(
            axes, family.birth_epochs[record.candidate], record.parameters, record.operation
        )
    label_curve_ends(axes, [end])
    entries = [
        legend_entry("winner's lineage" if family.others else "trainable parameters", BLUE, line=2)
    ]
    if family.others:
        entries.append(legend_entry("other candidates when eliminated", PALE, marker="o"))
    add_legend(figure, axes, entries)
    return figure
