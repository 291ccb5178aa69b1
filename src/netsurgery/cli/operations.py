"""`netsurgery operations`: list the operations that a Keras model allows."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from netsurgery.cli.arguments import Subparsers
from netsurgery.cli.quiet import no_stderr
from netsurgery.cli.tables import format_table
from netsurgery.surgery import ECTONAS, OPERATIONS
from netsurgery.surgery.operations import by_name

if TYPE_CHECKING:
    from netsurgery.keras_io.model_surgery import LegalMutation

HEADER = ("operation", "position", "name", "layer there", "width", "parameters", "predictions")


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "operations",
        help="list the operations that a Keras model allows",
        allow_abbrev=False,
        description="List the operations that a Keras model allows, with the trainable parameters"
        " of the result. A position is that of a layer in the model's main row, from 0 on and"
        " without the input layer; inside a block it is a path, such as 3.body.1. Sizes change by"
        " as much as in ECToNAS.",
    )
    command.set_defaults(run=run)
    command.add_argument("model", type=Path, metavar="MODEL", help="a .keras or .h5 file")
    command.add_argument(
        "--operation",
        choices=[operation.name for operation in OPERATIONS],
        action="append",
        default=[],
        metavar="NAME",
        help="list only this operation; can be repeated (default: all but truncate). One of "
        + ", ".join(operation.name for operation in OPERATIONS),
    )
    command.add_argument("--json", action="store_true", help="print a JSON list")


def run(given: argparse.Namespace) -> None:
    """Print the operations as a table or as JSON."""
    with no_stderr():
        from netsurgery.keras_io import model_surgery, user_files

        model = user_files.read_model(given.model, compiled=False)
        found = model_surgery.list_mutations(model, [*map(by_name, given.operation)] or ECTONAS)
    if given.json:
        print(json.dumps([model_surgery.to_json(each) for each in found], indent=1))
    else:
        print(format_table([HEADER, *map(_row, found)]))


def _row(found: LegalMutation) -> tuple[str, ...]:
    mutation = found.mutation
    cells = (mutation.operation, mutation.position, found.layer, found.where, mutation.width)
    return (
        *("" if cell is None else str(cell) for cell in cells),
        f"{found.parameters:,}",
        "the same" if found.exact else "differ",
    )
