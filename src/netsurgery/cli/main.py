"""The `netsurgery` command: its subcommands, assembled."""

from __future__ import annotations

import argparse
import os
import signal
import sys

from netsurgery.cli import (
    check,
    evaluate,
    init,
    lineage,
    operate,
    operations,
    pick,
    predict,
    progress,
    report,
    results,
    simulate,
    track,
    verify,
)
from netsurgery.datasets import DataError
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import IllegalMutation

SUBCOMMANDS = (
    check,
    results,
    verify,
    lineage,
    track,
    simulate,
    report,
    progress,
    pick,
    predict,
    evaluate,
    init,
    operations,
    operate,
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser(
        prog="netsurgery",
        allow_abbrev=False,
        description="Check data, inspect results of searches, use their models, and apply surgery"
        " to Keras models.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for subcommand in SUBCOMMANDS:
        subcommand.add_parser(commands)
    return whole


def main() -> None:
    """Run a subcommand. Errors that the user can fix end it with a one-line message."""
    given = parser().parse_args()
    os.environ["KERAS_BACKEND"] = "tensorflow"  # files are the same for all backends
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # no subcommand is worth starting a GPU for
    try:
        given.run(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes nowhere
        sys.exit(128 + signal.SIGPIPE)
    except (IllegalMutation, UnusableFileError, DataError) as error:
        sys.exit(str(error))
    except OSError as error:
        if error.filename is None or error.strerror is None:
            raise
        sys.exit(f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}")


if __name__ == "__main__":
    main()
