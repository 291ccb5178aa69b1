"""The picture of a simulation: how long searches take on how many slots, and what slots do."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from netsurgery.analysis.simulation import Outcome
from netsurgery.plots.style import (
    BLUE,
    DARK,
    EDGE,
    GREY,
    ORANGE,
    PALE,
    canvas,
    key,
    legend_below,
    styled,
)

UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
TICKS = [unit * n for unit, ns in ((1, (1, 2, 5, 10, 30)), (60, (1, 2, 5, 10, 30))) for n in ns]
TICKS += [3600 * n for n in (1, 2, 5, 12, 24, 72, 240, 720, 2400)]


def duration(seconds: float) -> str:
    """Seconds in the largest unit that gives a number above one."""
    for unit, name in UNITS:
        if seconds >= unit:
            value = seconds / unit
            return f"{value:.{int(value < 10 and value != int(value))}f} {name}"
    return f"{seconds:.1f} s"


@styled
def slots(outcomes: Sequence[Outcome], least: float, what: str) -> Figure:
    """Time against slots with its two limits, and below it what the slots' time went to.

    Args:
        outcomes: by number of slots, growing.
        least: seconds of the longest chain.
        what: was simulated, in words.
    """
    figure, axes = canvas(("Time and use by slots", what), (6.2, 4.6), (0.75, 2 * EDGE, 0.95, 0.1))
    whole = axes.get_position()
    axes.set_position((whole.x0, whole.y0 + 0.42 * whole.height, whole.width, 0.58 * whole.height))
    counts = [outcome.slots for outcome in outcomes]
    training = outcomes[0].training
    axes.plot(counts, [training / count for count in counts], color=PALE, linewidth=1.5)
    axes.axhline(least, color=ORANGE, linewidth=1.5)
    axes.plot(counts, [outcome.seconds for outcome in outcomes], "o-", color=BLUE, linewidth=2)
    axes.set_yscale("log")
    bottom = min(least, outcomes[-1].seconds) / 1.6
    axes.set_ylim(bottom, 1.5 * max(outcome.seconds for outcome in outcomes))
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    box = (whole.x0, whole.y0, whole.width, 0.33 * whole.height)
    below = figure.add_axes(box)
    parts = (
        [outcome.use for outcome in outcomes],
        [outcome.started for outcome in outcomes],
        [outcome.idle for outcome in outcomes],
    )
    below.stackplot(counts, *parts, colors=(BLUE, GREY, PALE), linewidth=0)
    below.set_ylim(0, 1)
    below.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    below.set_xlabel("slots", size=9, color=DARK)
    for each in (axes, below):
        each.set_xscale("log")
        if len(counts) > 1:
            each.set_xlim(counts[0], counts[-1])
        each.xaxis.set_major_locator(FixedLocator(counts))
        each.xaxis.set_minor_locator(NullLocator())
        each.yaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([])
    below.set_xticklabels([f"{count:,}" for count in counts], size=8)
    handles = [
        key("time; training", BLUE, 4),
        key("starting", GREY, 4),
        key("waiting; all slots training", PALE, 4),
        key("longest chain", ORANGE, 2),
    ]
    legend_below(figure, below, handles)
    return figure
