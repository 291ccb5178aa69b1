"""`netsurgery report`: write the HTML report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from netsurgery.cli.arguments import Subparsers, add_results_folder
from netsurgery.storage.files import is_writable


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "report",
        help="write an HTML report of all searches",
        description="Write an HTML report of all searches, finished or not, as one file that works"
        " offline.",
    )
    command.set_defaults(run=run)
    add_results_folder(command)
    command.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="output file (default: report.html in the results folder)",
    )


def run(given: argparse.Namespace) -> None:
    """Write the report and print its path."""
    output = given.output or given.folder / "report.html"
    if not is_writable(output):
        sys.exit(f"{output}: cannot be written to; give another file with --output FILE")
    from netsurgery.report import html_report  # importing matplotlib takes a while

    html_report.write_report(given.folder, output)
    print(output)
