"""`netsurgery init`: look at data and write a configuration that runs."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from netsurgery.cli.arguments import Subparsers
from netsurgery.config.draft import NAME, Draft, dataset_draft, takes_numbers
from netsurgery.config.draft_search import suggestions
from netsurgery.config.draft_text import configuration, name_of
from netsurgery.config.errors import ConfigError
from netsurgery.config.files import SCHEMA
from netsurgery.config.loading import load
from netsurgery.config.schema import fill_defaults, read_schema
from netsurgery.datasets import DataError, SplitSettings, describe, prepare, write_split
from netsurgery.datasets.source import Suggestion
from netsurgery.storage.files import write_text
from netsurgery.storage.settings import from_settings


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "init",
        help="look at data and write a configuration that runs",
        allow_abbrev=False,
        description="Look at a table, a file of arrays or a folder of images, and write a"
        " configuration that reads it and searches a network, with a comment that says why for"
        " each setting.",
    )
    command.set_defaults(run=run)
    command.add_argument("path", type=Path, metavar="PATH", help="a file or folder")
    command.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="COLUMN",
        help="the column of a table to predict, by name or by number from 0; again for another one"
        " (default: a guess)",
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("config.yaml"),
        metavar="FILE",
        help="file to write, which must not exist yet (default: config.yaml)",
    )


def run(given: argparse.Namespace) -> None:
    """Write the configuration, and print it."""
    if given.output.exists():
        sys.exit(f"{given.output}: exists already; give another file with -o FILE")
    targets = [word for name in given.target for word in ("--target", name)]
    command = shlex.join(["netsurgery", "init", str(given.path), *targets])
    try:
        draft, search = draft_of(given.path, given.target)
        name = name_of(given.path.resolve().stem)
        text = configuration(name, draft, search, command, str(given.output))
        load(yaml.safe_load(text), SCHEMA)
    except (ConfigError, DataError) as error:
        sys.exit(str(error))
    write_text(given.output, text)
    print(text)
    print(f"{given.output}: written; next: netsurgery check {given.output}")


def draft_of(path: Path, targets: Sequence[str]) -> tuple[Draft, list[Suggestion]]:
    """The settings of a dataset and of a search for it, whose parts have samples of all classes.

    Raises:
        DataError: The data cannot be read, or have too few samples.
        ConfigError: The path cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="netsurgery-") as name:
        folder = Path(name)
        draft = dataset_draft(path, targets, folder)
        search = list(suggestions(draft.data))
        _, entries = read_schema(SCHEMA)
        defaults = fill_defaults(entries["searches"]["$defs"]["baseline"]["properties"], {})
        settings = defaults | {each.key: each.value for each in search}
        split = from_settings(SplitSettings, settings)
        try:
            write_split(folder, folder / "split.npz", split, settings["seeds"][0])
        except DataError:
            if not takes_numbers(draft):
                raise
            prepare(NAME, draft.complete(), folder)
            draft.data = describe(folder)
            search = list(suggestions(draft.data))
        return draft, search
