"""`netsurgery simulate`: estimate the run time of finished searches on other numbers of workers."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from netsurgery.analysis.simulation import (
    DEFAULT_WORKERS,
    Cluster,
    Outcome,
    Search,
    repeated,
    simulate,
)
from netsurgery.analysis.timelines import timings_of
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import UnusableFileError


def read(folder: Path) -> Search:
    """Read the timings of a finished search.

    Raises:
        UnusableFileError: it is not a finished search, or its records hold no times.
    """
    search = SearchFolder(folder)
    if not search.complete:
        raise UnusableFileError(
            f"{folder}: not the folder of a finished search and seed, such as results/digits/seed42"
        )
    timings = timings_of(search)
    if not timings:
        raise UnusableFileError(f"{folder}: its records hold no times; run the search again")
    return Search.from_timings(timings)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `netsurgery simulate` to its parser."""
    command.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="of a finished search and seed, such as results/digits/seed42; several are simulated "
        "running at the same time",
    )
    command.add_argument(
        "--workers",
        type=_positive,
        nargs="+",
        default=list(DEFAULT_WORKERS),
        help="numbers of training steps that run at the same time (default: 1 to 1,000)",
    )
    command.add_argument(
        "--searches", type=_positive, default=1, help="copies of each search (default: 1)"
    )
    command.add_argument(
        "--cores-per-search",
        type=_natural,
        default=0,
        help="run each search as one job with this many workers (default 0: each step is a job)",
    )
    command.add_argument(
        "--steps-per-job", type=_positive, default=1, help="training steps in a job (default: 1)"
    )
    command.add_argument(
        "--wait",
        type=_seconds,
        default=0.0,
        help="seconds from the submission of a job until it starts (default: 0)",
    )
    command.add_argument(
        "--start-up",
        type=_seconds,
        default=0.0,
        help="seconds that a job needs before it trains: Snakemake, TensorFlow (default: 0)",
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    command.add_argument("--plot", type=Path, metavar="FILE", help="write a plot (.svg or .png)")


def run(given: argparse.Namespace) -> list[tuple[str, ...]]:
    """Simulate, and return the rows of the table; none if JSON was requested and printed.

    Raises:
        UnusableFileError: a search or an option is invalid.
    """
    measured = [read(folder) for folder in given.folders]
    searches = repeated(measured, given.searches)
    cluster = Cluster(given.wait, given.start_up, given.steps_per_job, given.cores_per_search)
    counts = [count for count in sorted(set(given.workers)) if count >= given.cores_per_search]
    if not counts:
        raise UnusableFileError(
            f"--workers: {max(given.workers)} is less than --cores-per-search "
            f"{given.cores_per_search}"
        )
    if given.plot and given.plot.suffix not in (".svg", ".png"):
        raise UnusableFileError(f"--plot: {given.plot} must end in .svg or .png")
    outcomes = [simulate(searches, count, cluster) for count in counts]
    if given.plot:
        _plot(outcomes, measured, given)
    if given.json:
        shares = [
            {"training_share": o.training_share, "idle_share": o.idle_share} for o in outcomes
        ]
        print(json.dumps([asdict(o) | s for o, s in zip(outcomes, shares, strict=True)], indent=1))
        return []
    for folder, search in zip(given.folders, measured, strict=True):
        simulated = simulate([search], search.workers)
        print(
            f"{folder}: {len(search.steps)} training steps, {search.total:.0f} s in total; took"
            f" {search.measured:.1f} s with {search.workers} workers (simulated:"
            f" {simulated.seconds:.1f} s); critical path {search.critical_path:.1f} s;"
            f" {search.overhead:.2f} s to start a step,"
            f" {search.decision:.2f} s to plan a generation"
        )
    return [
        ("workers", "seconds", "speed-up", "training", "starting", "idle", "jobs"),
        *(
            (
                f"{o.workers:,}",
                f"{o.seconds:,.1f}",
                f"{outcomes[0].seconds / o.seconds:.1f}",
                f"{o.training_share:.0%}",
                f"{o.starting_share:.0%}",
                f"{o.idle_share:.0%}",
                f"{o.jobs:,}",
            )
            for o in outcomes
        ),
    ]


def _plot(outcomes: list[Outcome], measured: list[Search], given: argparse.Namespace) -> None:
    from netsurgery import plots  # matplotlib takes a while to import

    count = len(measured) * given.searches
    parts = [f"{count} searches" if count > 1 else str(given.folders[0])]
    if given.cores_per_search:
        parts.append(f"{given.cores_per_search} cores per search")
    elif given.steps_per_job > 1:
        parts.append(f"{given.steps_per_job} steps per job")
    if given.wait or given.start_up:
        parts.append(f"{given.wait:g} s wait and {given.start_up:g} s start-up per job")
    critical_path = max(search.critical_path for search in measured)
    figure = plots.plot_simulation(outcomes, critical_path, "; ".join(parts))
    plots.save_figure(figure, given.plot)
    print(given.plot, file=sys.stderr)


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError
    return number


def _natural(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _seconds(text: str) -> float:
    if not 0 <= (number := float(text)) < float("inf"):
        raise ValueError
    return number
