"""`netsurgery lineage`: show how a candidate came to be."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping
from pathlib import Path

from netsurgery.analysis.lineage_table import ancestry
from netsurgery.cli.arguments import RUN_FOLDER, Subparsers
from netsurgery.cli.tables import format_table
from netsurgery.search.last_epochs import describe_last_epochs
from netsurgery.search.layout import SearchFolder
from netsurgery.search.target import describe_target
from netsurgery.storage.files import read_json

HEADER = (
    "candidate",
    "operation",
    "position",
    "parameters",
    "multiplications",
    "epochs",
    "val_score",
    "eliminated",
)


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "lineage",
        help="show how a candidate came to be",
        description="Show the operations and validation scores from the initial network to a"
        " candidate.",
    )
    command.set_defaults(run=run)
    command.add_argument("folder", type=Path, help=RUN_FOLDER)
    command.add_argument(
        "candidate", nargs="?", help="such as g02c07 (default: the final candidate)"
    )


def run(given: argparse.Namespace) -> None:
    """Print the lineage of a candidate."""
    folder = SearchFolder(given.folder)
    if not folder.lineage.exists():
        sys.exit(f"{folder.lineage}: no such file; give the {RUN_FOLDER}")
    with folder.lineage.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    summary = read_json(folder.final / "summary.json")
    candidate = given.candidate or summary["candidate"]
    if candidate not in {row["candidate"] for row in rows}:
        last = rows[-1]["candidate"]
        sys.exit(f"{given.folder}: no candidate {candidate}; there are g00c00 to {last}")
    print(format_table([HEADER, *map(_row, ancestry(rows, candidate))]))
    if candidate == summary["candidate"]:
        for sentence in (describe_last_epochs(summary), describe_target(summary)):
            if sentence:
                print(sentence)


def _row(row: Mapping[str, str]) -> tuple[str, ...]:
    return (
        row["candidate"],
        row["operation"] or "initial network",
        row["position"],
        f"{int(row['parameters']):,}",
        f"{int(row['multiplications']):,}" if row.get("multiplications") else "-",  # 0.1: missing
        f"{float(row['epochs_trained']):.1f}",
        f"{float(row['val_score']):.4f}" if row["val_score"] else "not finite",
        row["eliminated_in"],
    )
