"""`netsurgery simulate`: predict the run time of finished searches on other numbers of workers."""

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
from netsurgery.cli.arguments import (
    RUN_FOLDER,
    Subparsers,
    non_negative_int,
    positive_int,
    seconds,
)
from netsurgery.cli.tables import format_table
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import UnusableFileError

HEADER = ("workers", "seconds", "speed-up", "training", "starting", "idle", "jobs")


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "simulate",
        help="predict run times for other numbers of workers",
        allow_abbrev=False,
        description="Predict how long finished searches would take with other numbers of workers."
        " A worker runs one training step at a time: a core, a GPU or a slot of a cluster.",
    )
    command.set_defaults(run=run)
    command.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help=f"{RUN_FOLDER}; several run at the same time",
    )
    command.add_argument(
        "--workers",
        type=positive_int,
        nargs="+",
        default=list(DEFAULT_WORKERS),
        help="numbers of workers to simulate (default: 1 to 1,000)",
    )
    command.add_argument(
        "--copies", type=positive_int, default=1, help="copies of each search (default: 1)"
    )
    command.add_argument(
        "--cores-per-search",
        type=non_negative_int,
        default=0,
        metavar="CORES",
        help="run each search as one job with this many cores (default: 0, each training step is"
        " a job)",
    )
    command.add_argument(
        "--steps-per-job",
        type=positive_int,
        default=1,
        metavar="STEPS",
        help="training steps in a job, one after the other (default: 1)",
    )
    command.add_argument(
        "--queue-time",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="time from the submission of a job until it starts (default: 0)",
    )
    command.add_argument(
        "--startup-time",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="time from the start of a job until it trains: Snakemake, TensorFlow (default: 0)",
    )
    command.add_argument("--json", action="store_true", help="print a JSON list")
    command.add_argument("--plot", type=Path, metavar="FILE", help="draw a plot, .svg or .png")


def run(given: argparse.Namespace) -> None:
    """Simulate and print a table or JSON; draw a plot if asked for.

    Raises:
        UnusableFileError: A search or an option cannot be used.
    """
    found = [read(folder) for folder in given.folders]
    counts = [count for count in sorted(set(given.workers)) if count >= given.cores_per_search]
    if not counts:
        raise UnusableFileError(
            f"--workers: {max(given.workers)} is less than --cores-per-search"
            f" {given.cores_per_search}"
        )
    if given.plot and given.plot.suffix not in (".svg", ".png"):
        raise UnusableFileError(f"{given.plot}: the name of a plot must end in .svg or .png")
    cluster = Cluster(
        given.queue_time, given.startup_time, given.steps_per_job, given.cores_per_search
    )
    searches = repeated(found, given.copies)
    outcomes = [simulate(searches, count, cluster) for count in counts]
    if given.plot:
        _draw(outcomes, found, given)
    if given.json:
        whole = [
            asdict(o) | {"training_share": o.training_share, "idle_share": o.idle_share}
            for o in outcomes
        ]
        print(json.dumps(whole, indent=1))
        return
    for folder, search in zip(given.folders, found, strict=True):
        print(_describe(folder, search))
    print()
    print(format_table([HEADER, *(_row(each, outcomes[0]) for each in outcomes)]))


def read(folder: Path) -> Search:
    """Read the timings of a finished search.

    Raises:
        UnusableFileError: The folder holds no finished search, or its records hold no times.
    """
    found = SearchFolder(folder)
    if not found.complete:
        raise UnusableFileError(f"{folder}: no finished search; give the {RUN_FOLDER}")
    timings = timings_of(found)
    if not timings:
        raise UnusableFileError(f"{folder}: its records hold no times; run the search again")
    return Search.from_timings(timings)


def _describe(folder: Path, search: Search) -> str:
    again = simulate([search], search.workers)
    return (
        f"{folder}: {len(search.steps)} training steps, {search.total:.0f} s in total; took"
        f" {search.measured:.1f} s with {search.workers} workers (simulated:"
        f" {again.seconds:.1f} s); critical path {search.critical_path:.1f} s;"
        f" {search.overhead:.2f} s to start a step, {search.decision:.2f} s to plan a generation"
    )


def _row(outcome: Outcome, first: Outcome) -> tuple[str, ...]:
    return (
        f"{outcome.workers:,}",
        f"{outcome.seconds:,.1f}",
        f"{first.seconds / outcome.seconds:.1f}",
        f"{outcome.training_share:.0%}",
        f"{outcome.starting_share:.0%}",
        f"{outcome.idle_share:.0%}",
        f"{outcome.jobs:,}",
    )


def _draw(outcomes: list[Outcome], found: list[Search], given: argparse.Namespace) -> None:
    from netsurgery import plots  # importing matplotlib takes a while

    count = len(found) * given.copies
    parts = [f"{count} searches" if count > 1 else str(given.folders[0])]
    if given.cores_per_search:
        parts.append(f"{given.cores_per_search} cores per search")
    elif given.steps_per_job > 1:
        parts.append(f"{given.steps_per_job} steps per job")
    if given.queue_time or given.startup_time:
        parts.append(f"{given.queue_time:g} s in the queue, {given.startup_time:g} s to start")
    critical_path = max(search.critical_path for search in found)
    figure = plots.plot_simulation(outcomes, critical_path, "; ".join(parts))
    plots.save_figure(figure, given.plot)
    print(given.plot, file=sys.stderr)
