"""`netsurgery check`: prepare the data of a configuration and say what they became."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from netsurgery import datasets
from netsurgery.cli.arguments import Subparsers
from netsurgery.cli.tables import format_table
from netsurgery.config.errors import ConfigError
from netsurgery.config.files import SCHEMA, read_file
from netsurgery.config.loading import load
from netsurgery.config.model import Config, Dataset, Search
from netsurgery.datasets import codes, overview
from netsurgery.datasets.source import PARTS, TRAINING
from netsurgery.networks import topologies
from netsurgery.networks.blocks import Row
from netsurgery.search.size_limit import SizeLimits
from netsurgery.storage.settings import from_settings


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "check",
        help="prepare the data of a configuration and say what they became",
        allow_abbrev=False,
        description="Check a configuration, prepare its data in a temporary folder, and print what"
        " each column of a table became, the classes with their samples, and what to look at:"
        " identifiers, columns that give the target away, constants, repeated samples and the"
        " like. The exit status is 1 if a search could not run.",
    )
    command.set_defaults(run=run)
    command.add_argument("config", type=Path, metavar="CONFIG", help="a configuration file")


def run(given: argparse.Namespace) -> None:
    """Check the configuration, and print each dataset with its searches."""
    try:
        config = load(read_file(given.config), SCHEMA)
        for dataset in config.datasets.values():
            with tempfile.TemporaryDirectory(prefix="netsurgery-") as folder:
                print_dataset(dataset, config, Path(folder))
    except (ConfigError, datasets.DataError) as error:
        sys.exit(str(error))


def print_dataset(dataset: Dataset, config: Config, folder: Path) -> None:
    """Prepare a dataset in a folder, and print what it became.

    Raises:
        DataError: The data are invalid, or too few for a search.
    """
    lines = datasets.prepare(dataset.name, dataset.settings, folder)
    data = datasets.describe(folder)
    print(f"{dataset.name}: {data['origin']}")
    for name, text in overview.facts(data):
        print(f"  {name}: {text}")
    if rows := overview.column_rows(data):
        print("", _indented(format_table([overview.COLUMN_HEADER, *rows])), "", sep="\n")
    for line in lines:
        print(f"  warning: {line.removeprefix(data['origin'] + ': ')}")
    for search in config.searches.values():
        if search.settings["dataset"] == dataset.name:
            print(f"  search {search.name}: {', '.join(_search(search, data, folder))}")
    print()


def _search(search: Search, data: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """What a search makes of the data: the split, and the size of its initial network."""
    settings = from_settings(datasets.SplitSettings, search.settings)
    seed, path = search.seeds[0], folder / f"{search.name}.npz"
    datasets.write_split(folder, path, settings, seed)
    parts = {part: datasets.read_part(folder, path, part) for part in PARTS}
    sizes = (f"{len(samples.indices):,} {part}" for part, samples in parts.items())
    yield f"{', '.join(sizes)} samples (seed {seed})"
    shape = parts[TRAINING].input_shape
    if parts[TRAINING].scaling.pieces is not None:
        yield f"{shape[0]:,} inputs, with numbers in pieces"
    if search.model is None:
        front: Row = ()
        if counts := codes.counts(data):
            from netsurgery.keras_io.embedding import embedding_front  # seconds

            limit = from_settings(SizeLimits, search.settings).max_parameters
            front = embedding_front(shape[-1], counts, limit)
        inputs = datasets.parts_of(data)
        start = topologies.build(search.layers, shape, data["outputs"], front=front, inputs=inputs)
        yield f"starts from {search.settings['topology']} with {start.parameters:,} parameters"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
