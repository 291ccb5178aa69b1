"""`netsurgery verify`: check that the files of results are intact and belong together."""

from __future__ import annotations

import argparse
import sys

from netsurgery.analysis import runs
from netsurgery.cli.arguments import Subparsers, add_results_folder, require_folder
from netsurgery.storage import integrity
from netsurgery.workflow.outdated import UNKNOWN, OutdatedFiles


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "verify",
        help="check that files are intact and belong together",
        description="Check the files of results against their checksums, against the files that"
        " they were made from and against the settings of the last run; list what does not match."
        " The next run of the workflow makes it again. The exit status is 1 if there is any.",
    )
    command.set_defaults(run=run)
    add_results_folder(command)


def run(given: argparse.Namespace) -> None:
    """Check all files."""
    require_folder(given.folder)
    damaged = integrity.find_damaged(given.folder)
    last = runs.listed_config(given.folder)
    found = OutdatedFiles(last, compare_code=False, complete=True).find()
    outdated = [folder for folder in found if not folder.unknown]
    for each in (*damaged, *outdated):
        print(each)
    checked = sum(1 for _ in integrity.checksummed_files(given.folder))
    if not checked:
        sys.exit(f"{given.folder}: no results to check")
    if damaged or outdated:
        files = sum(len(folder.files) for folder in outdated)
        sys.exit(
            f"{given.folder}: {len(damaged)} damaged, {files} outdated;"
            " the next run makes them again"
        )
    for folder in found:
        print(f"{folder.folder}: {UNKNOWN}; only checksums are compared")
    print(f"{given.folder}: {checked} records and their files are intact")
