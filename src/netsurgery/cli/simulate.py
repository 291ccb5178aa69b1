"""`netsurgery simulate`: what finished searches would take on other slots: a table, a picture."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from netsurgery.analysis.simulation import STANDARD, Cluster, Outcome, Search, repeated, simulate
from netsurgery.analysis.timelines import timings_of
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import UnusableFileError


def read(folder: Path) -> Search:
    """What is known of a finished search.

    Raises:
        Unusable: there is none, or its records hold no times.
    """
    found = SearchFolder(folder)
    if not found.complete:
        raise UnusableFileError(f"{folder}: give the folder of a finished search and its seed")
    jobs = timings_of(found)
    if not jobs:
        raise UnusableFileError(
            f"{folder}: its records say nothing of when they were made; search again"
        )
    return Search.from_jobs(jobs)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """What `netsurgery simulate` takes."""
    command.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="of a finished search and its seed, such as results/digits/seed42; several run side by"
        " side",
    )
    command.add_argument(
        "--slots", type=_positive, nargs="+", default=list(STANDARD), help="(default: 1 to 1,000)"
    )
    command.add_argument(
        "--searches", type=_positive, default=1, help="each of them as often (default 1)"
    )
    command.add_argument(
        "--apart", type=_natural, default=0, help="cores of a search that is one job; 0: steps are"
    )
    command.add_argument(
        "--candidates", type=_positive, default=1, help="training steps in a job (default 1)"
    )
    command.add_argument(
        "--wait",
        type=_seconds,
        default=0.0,
        help="seconds from a job's submission until it begins (default 0)",
    )
    command.add_argument(
        "--start-up",
        type=_seconds,
        default=0.0,
        help="seconds of a job on its slot before it trains: Snakemake, TensorFlow (default 0)",
    )
    command.add_argument("--json", action="store_true", help="as a list of objects")
    command.add_argument("--plot", type=Path, metavar="FILE", help="a picture, .svg or .png")


def run(given: argparse.Namespace) -> list[tuple[str, ...]]:
    """Simulate; gives the rows of the table, none where JSON was asked for and printed.

    Raises:
        Unusable: a search or a setting is of no use.
    """
    found = [read(folder) for folder in given.folders]
    searches = repeated(found, given.searches)
    cluster = Cluster(given.wait, given.start_up, given.candidates, given.apart)
    counts = [count for count in sorted(set(given.slots)) if count >= given.apart]
    if not counts:
        raise UnusableFileError(
            f"--slots: {max(given.slots)} are less than the {given.apart} of one search"
        )
    if given.plot and given.plot.suffix not in (".svg", ".png"):
        raise UnusableFileError(f"{given.plot}: must end in .svg or .png")
    outcomes = [simulate(searches, count, cluster) for count in counts]
    if given.plot:
        _draw(outcomes, found, given)
    if given.json:
        whole = [asdict(o) | {"use": o.use, "idle": o.idle} for o in outcomes]
        print(json.dumps(whole, indent=1))
        return []
    for folder, search in zip(given.folders, found, strict=True):
        again = simulate([search], search.slots)
        print(
            f"{folder}: {len(search.steps)} training steps, {search.busy:.0f} s together; ran on"
            f" {search.slots} in {search.measured:.1f} s, simulated {again.seconds:.1f} s;"
            f" longest chain {search.critical_path:.1f} s;"
            f" {search.overhead:.2f} s to start a step, {search.decision:.2f} s to decide"
        )
    return [
        ("slots", "seconds", "times faster", "training", "starting", "waiting", "jobs"),
        *(
            (
                f"{o.slots:,}",
                f"{o.seconds:,.1f}",
                f"{outcomes[0].seconds / o.seconds:.1f}",
                f"{o.use:.0%}",
                f"{o.started:.0%}",
                f"{o.idle:.0%}",
                f"{o.jobs:,}",
            )
            for o in outcomes
        ),
    ]


def _draw(outcomes: list[Outcome], found: list[Search], given: argparse.Namespace) -> None:
    from netsurgery import plots  # matplotlib takes a while

    count = len(found) * given.searches
    how = [f"{count} searches" if count > 1 else str(given.folders[0])]
    if given.apart:
        how.append(f"a job of {given.apart} cores each")
    elif given.candidates > 1:
        how.append(f"{given.candidates} steps a job")
    if given.wait or given.start_up:
        how.append(f"a job waits {given.wait:g} s and takes {given.start_up:g} s to start")
    least = max(search.critical_path for search in found)
    plots.save(plots.slots(outcomes, least, "; ".join(how)), given.plot)
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
