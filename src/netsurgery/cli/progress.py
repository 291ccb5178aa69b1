"""`netsurgery progress`: show how far the searches are."""

from __future__ import annotations

import argparse
import sys
import time

from netsurgery.cli.arguments import Subparsers, add_results_folder, non_negative_int
from netsurgery.cli.tables import format_table
from netsurgery.storage.files import is_writable, write_json


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "progress",
        help="show how far the searches are",
        description="Show how far the searches are, with an estimate of the time left, and write it"
        " to progress.json in the results folder, unless that is read-only.",
    )
    command.set_defaults(run=run)
    add_results_folder(command)
    command.add_argument(
        "--all",
        action="store_true",
        help="list finished and waiting searches as well (default: those that run)",
    )
    command.add_argument(
        "--watch",
        type=non_negative_int,
        metavar="SECONDS",
        help="refresh every SECONDS seconds until all searches are finished",
    )


def run(given: argparse.Namespace) -> None:
    """Print the progress, once or until all searches are finished."""
    from netsurgery.analysis import progress, runs

    while True:
        measured = progress.measure(runs.read_experiment(given.folder))
        if is_writable(file := given.folder / "progress.json"):  # not a colleague's results
            write_json(file, measured)
        rows = progress.table_rows(measured, all_runs=given.all)
        if given.watch and sys.stdout.isatty():
            print("\033[H\033[2J", end="")  # clear the screen
        if len(rows) > 1:
            print(format_table(rows))
        print(progress.summary_line(measured), flush=True)
        if not given.watch or measured["finished"] == measured["runs"]:
            return
        time.sleep(given.watch)
