"""The pictures over epochs: the metric of a search, and the size of its networks.

Both show the winner's lineage before all other candidates, with the operations along it.
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

from netsurgery.objectives.objectives import rises
from netsurgery.plots.axes import mark, over_epochs, write_ends
from netsurgery.plots.family import Family
from netsurgery.plots.style import (
    BLACK,
    BLUE,
    PALE,
    VERMILLION,
    count,
    figures,
    in_words,
    key,
    legend_below,
    styled,
    text_width,
    title_of,
)
from netsurgery.search.records import OK, Record


def _limits(axes: Axes, metric: str, winner: np.ndarray, others: np.ndarray) -> None:
    """Show all of an accuracy; of a loss, which has no upper end, what is worth looking at."""
    values = np.concatenate([winner, others])
    values = values[np.isfinite(values)]
    if not len(values):
        return
    low, high = float(values.min()), float(values.max())
    if not rises(metric):
        # a candidate about to diverge would squeeze all the others into one line
        high = max(float(np.nanmax(winner, initial=low)), float(np.quantile(values, 0.95)))
        if low > 0 and high / low > 30:
            axes.set_yscale("log")
            axes.set_ylim(low / 1.2, high * 1.2)
            return
    margin = 0.04 * (high - low) or 0.05
    axes.set_ylim(low - margin, high + margin)


@styled
def accuracy(search: str, records: Sequence[Record], summary: Mapping[str, Any]) -> Figure:
    """The search's metric over epochs: the winner's lineage before all other candidates.

    Args:
        search: its name.
        records: all of the search.
        summary: see `netsurgery.search.outcome.summary`.
    """
    metric = summary["objective"]
    word = metric.removeprefix("val_")
    family = Family(records, summary["candidate"], metric)
    curve = family.winners_curve()
    others = [family.curve(record) for record in family.others]
    ends = []
    finite = np.flatnonzero(np.isfinite(curve[1]))
    if len(finite):
        epochs, value = curve[:, finite[-1]]
        ends.append((float(epochs), float(value), f"validation {figures(value)}", BLUE))
    tested = family.chain[-1].epochs_trained, summary["test_score"]
    if tested[1] is not None:
        ends.append((*tested, f"test {figures(tested[1])}", VERMILLION))
    fate = "" if summary["status"] == OK else f" ({summary['status']})"
    candidates = count(len(family.last), "candidate")
    figure, axes = over_epochs(
        (
            title_of(search, summary),
            f"test {word} {figures(tested[1])}{fate} after {tested[0]:.0f} epochs;"
            f" {candidates}, {summary['epochs_spent']:,.0f} epochs in all",
        ),
        family,
        [in_words(record.operation, record.position) for record in family.chain[1:]],
        [text for *_, text, _ in ends],
    )
    axes.add_collection(
        LineCollection([points.T for points in others], colors=PALE, linewidths=0.7, zorder=2)
    )
    axes.plot(*curve, color=BLUE, linewidth=2, zorder=5)
    known = [points[1] for points in others] + [[e[1] for e in ends]]
    _limits(axes, metric, curve[1], np.concatenate(known))
    axes.set_ylabel(f"validation {word}")
    for parent, child in pairwise(family.chain):
        epochs = family.births[child.candidate]
        mark(axes, epochs, family.points(parent, epochs)[1, -1], child.operation)
    if tested[1] is not None:
        axes.scatter(*tested, s=70, c=VERMILLION, marker="D", zorder=7, clip_on=False)
    write_ends(axes, ends)

    failed = [
        points[:, np.isfinite(points[1])][:, -1]
        for record, points in zip(family.others, others, strict=True)
        if record.status != OK and np.isfinite(points[1]).any()
    ]
    if summary["status"] != OK and len(finite):
        failed.append(curve[:, finite[-1]])
    if failed:
        epochs, values = np.array(failed).T
        values = np.minimum(values, axes.get_ylim()[1])  # a loss may have left the picture before
        axes.scatter(
            epochs, values, s=40, c=BLACK, marker="x", linewidths=1.2, zorder=7, clip_on=False
        )
    keys = [key("winner's lineage" if family.others else "validation", BLUE, line=2)]
    if family.others:
        keys.append(key("other candidates", PALE, line=1.2))
    if tested[1] is not None:
        keys.append(key("test, at the end", VERMILLION, marker="D"))
    if failed:
        keys.append(key("not finite from here on", BLACK, marker="x"))
    legend_below(figure, axes, keys)
    return figure


@styled
def size(search: str, records: Sequence[Record], summary: Mapping[str, Any]) -> Figure:
    """Trainable parameters over epochs along the winner's lineage, and where others ended.

    Args:
        search: its name.
        records: all of the search.
        summary: see `netsurgery.search.outcome.summary`.
    """
    family = Family(records, summary["candidate"], summary["objective"])
    first, last = family.chain[0], family.chain[-1]
    end = (last.epochs_trained, last.parameters, f"{last.parameters:,}", BLUE)
    every = [record.parameters for record in family.last.values()]
    growth = (last.parameters - first.parameters) / first.parameters
    before = (
        f"; {first.parameters:,} at the start ({growth:+.0%})" if growth else ", as at the start"
    )
    figure, axes = over_epochs(
        (
            title_of(search, summary),
            f"{last.parameters:,} trainable parameters at the end{before}",
        ),
        family,
        [
            in_words(child.operation, child.position)
            + (f" → {child.parameters:,}" if child.parameters != parent.parameters else "")
            for parent, child in pairwise(family.chain)
        ],
        [end[2]],
        0.6 + text_width(f"{max(every) * 1.3:,.0f}", 10),
    )
    axes.scatter(
        [record.epochs_trained for record in family.others],
        [record.parameters for record in family.others],
        s=22,
        c=PALE,
        linewidths=0,
        zorder=2,
    )
    births = [family.births[record.candidate] for record in family.chain]
    sizes = [record.parameters for record in family.chain]
    axes.step([*births, end[0]], [*sizes, end[1]], where="post", color=BLUE, linewidth=2, zorder=5)
    if max(every) > 10 * min(every):
        axes.set_yscale("log")
        axes.set_ylim(min(every) / 1.3, max(every) * 1.3)
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(0, max(every) * 1.08)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_ylabel("trainable parameters")
    for record in family.chain[1:]:
        mark(axes, family.births[record.candidate], record.parameters, record.operation)
    write_ends(axes, [end])
    keys = [key("winner's lineage" if family.others else "trainable parameters", BLUE, line=2)]
    if family.others:
        keys.append(key("other candidates, where they ended", PALE, marker="o"))
    legend_below(figure, axes, keys)
    return figure
