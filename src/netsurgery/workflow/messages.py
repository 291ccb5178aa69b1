"""What a run tells its user on standard error."""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterable
from pathlib import Path

from netsurgery.analysis.finished import finished_searches, useless_networks
from netsurgery.tracking.state import pending_message

# with the option show-failed-logs, which our profile sets, and without it
LOG_FILE = re.compile(
    r"^(?:Logfile (.+):|    log: (.+) \(check log file\(s\) for error details\))$", re.MULTILINE
)

MAX_USELESS = 5  # lines on networks that are no better than a guess


def say(message: str) -> None:
    """Print a line for the user."""
    print(message, file=sys.stderr)


def last_lines(logs: Iterable[str]) -> list[str]:
    """Return the last line of each failed job's log, each line once.

    Args:
        logs: Snakemake's own logs, which name those of failed jobs.
    """
    texts = (Path(path).read_text(errors="replace") for path in logs)
    failed = [path or other for text in texts for path, other in LOG_FILE.findall(text)]
    contents = (Path(path).read_text(errors="replace").split("\n") for path in failed)
    ends = (list(filter(None, lines))[-1:] for lines in contents)
    return list(dict.fromkeys(line for last in ends for line in last))


def print_failures(logs: Iterable[str], results: Path) -> None:
    """Print why jobs failed, one line each, and how to go on."""
    for each in last_lines(logs):
        say(each)
    say("when the problem is fixed, run the same command again: finished work is kept")
    say(f"netsurgery report {results} shows what is finished and what is missing")


def print_useless_networks(results: Path, runs: Container[tuple[str, int]]) -> None:
    """Print which finished searches gave a network that is no better than a guess, if any.

    Args:
        results: the results folder.
        runs: name and seed of the searches to look at.
    """
    searches = [each for each in finished_searches(results) if (each.name, each.seed) in runs]
    lines = list(useless_networks(searches))
    for line in lines[:MAX_USELESS]:
        say(line)
    if (more := len(lines) - MAX_USELESS) > 0:
        say(f"and {more} more: netsurgery results {results} lists them")


def print_pending_tracking(results: Path) -> None:
    """Print what could not be logged to MLflow, if anything."""
    if message := pending_message(results):
        say(message)
