"""Plot a simulation: run time by number of workers, and what the workers do."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from netsurgery.analysis.simulation import Outcome
from netsurgery.plots.layout import EDGE, add_legend, canvas, legend_entry
from netsurgery.plots.style import BLUE, DARK, GREY, ORANGE, PALE, styled

UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
TICKS = [unit * n for unit, ns in ((1, (1, 2, 5, 10, 30)), (60, (1, 2, 5, 10, 30))) for n in ns]
TICKS += [3600 * n for n in (1, 2, 5, 12, 24, 72, 240, 720, 2400)]


def duration(seconds: float) -> str:
    """Seconds in the largest unit that gives a number of at least 1."""
    for unit, name in UNITS:
        if seconds >= unit:
            value = seconds / unit
            return f"{value:.{int(value < 10 and value != int(value))}f} {name}"
    return f"{seconds:.1f} s"


@styled
def plot_simulation(outcomes: Sequence[Outcome], critical_path: float, subtitle: str) -> Figure:
    """Plot run time by number of workers with two lower bounds, and below it the workers' time.

    Args:
        outcomes: by rising number of workers.
        critical_path: seconds of the longest chain of training steps.
        subtitle: what was simulated.
    """
    figure, axes = canvas(
        ("Run time and utilization by workers", subtitle), (6.2, 4.6), (0.75, 2 * EDGE, 0.95, 0.1)
    )
    whole = axes.get_position()
    axes.set_position((whole.x0, whole.y0 + 0.42 * whole.height, whole.width, 0.58 * whole.height))
    counts = [outcome.workers for outcome in outcomes]
    training = outcomes[0].training
    axes.plot(counts, [training / count for count in counts], color=PALE, linewidth=1.5)
    axes.axhline(critical_path, color=ORANGE, linewidth=1.5)
    seconds = [outcome.seconds for outcome in outcomes]
    axes.plot(counts, seconds, "o-", color=BLUE, linewidth=2, clip_on=False)
    axes.set_yscale("log")
    bottom = min(critical_path, outcomes[-1].seconds) / 1.6
    axes.set_ylim(bottom, 1.5 * max(outcome.seconds for outcome in outcomes))
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    box = (whole.x0, whole.y0, whole.width, 0.33 * whole.height)
    below = figure.add_axes(box)
    shares = (
        [outcome.training_share for outcome in outcomes],
        [outcome.starting_share for outcome in outcomes],
        [outcome.idle_share for outcome in outcomes],
    )
    below.stackplot(counts, *shares, colors=(BLUE, GREY, PALE), linewidth=0)
    below.set_ylim(0, 1)
    below.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    below.set_xlabel("workers", size=9, color=DARK)
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
        legend_entry("run time; training", BLUE, 4),
        legend_entry("starting", GREY, 4),
        legend_entry("idle; perfect scaling", PALE, 4),
        legend_entry("critical path", ORANGE, 2),
    ]
    add_legend(figure, below, handles)
    return figure
