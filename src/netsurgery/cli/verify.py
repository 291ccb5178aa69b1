"""`netsurgery verify`: check that the files of results are intact."""

from __future__ import annotations

import argparse
import sys

from netsurgery.cli.arguments import Subparsers, add_results_folder, require_folder
from netsurgery.storage import integrity


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "verify",
        help="check files against their checksums",
        description="Check the files of results against their checksums and list damaged ones. The"
        " next run of the workflow regenerates them. The exit status is 1 if a file is damaged.",
    )
    command.set_defaults(run=run)
    add_results_folder(command)


def run(given: argparse.Namespace) -> None:
    """Check all files."""
    require_folder(given.folder)
    damaged = integrity.find_damaged(given.folder)
    for each in damaged:
        print(each)
    checked = sum(1 for _ in integrity.checksummed_files(given.folder))
    if not checked:
        sys.exit(f"{given.folder}: no results to check")
    if damaged:
        sys.exit(f"{given.folder}: {len(damaged)} damaged, the next run regenerates them")
    print(f"{given.folder}: {checked} records and their files are intact")
