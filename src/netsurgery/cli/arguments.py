"""Arguments that several subcommands share, and types that check their values."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any, Protocol

RUN_FOLDER = "folder of a finished search and seed, such as results/digits/seed42"


class Subparsers(Protocol):
    """What `ArgumentParser.add_subparsers` returns; argparse has no public name for it."""

    def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser:
        """Add a subcommand and return its parser."""
        ...


def add_results_folder(command: argparse.ArgumentParser) -> None:
    """Add the results folder as an optional positional argument."""
    command.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("results"),
        help="results folder (default: results)",
    )


def require_folder(folder: Path) -> None:
    """Exit with a message if a folder does not exist."""
    if not folder.is_dir():
        sys.exit(f"{folder}: no such folder")


def positive_int(text: str) -> int:
    """Parse an integer of at least 1."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def non_negative_int(text: str) -> int:
    """Parse an integer of at least 0."""
    if (number := int(text)) < 0:
        raise argparse.ArgumentTypeError(f"{number} is negative")
    return number


def seconds(text: str) -> float:
    """Parse a finite number of seconds of at least 0."""
    number = float(text)
    if not (math.isfinite(number) and number >= 0):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from 0")
    return number
