"""The final models that a user names: their files, and the samples of a user's file for them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsurgery.analysis.finished import finished_searches
from netsurgery.datasets import NewSamples, read_new
from netsurgery.storage.files import read_json

MODEL, DESCRIPTION = "model.keras", "preprocessing.json"


def description_of(model: Path) -> Path:
    """Where the description of a picked model is; that of a search's model has no prefix."""
    return model.with_name(f"{model.stem}.{DESCRIPTION}")


@dataclass(frozen=True)
class ModelFiles:
    """The file of a model, and the description of its preprocessing."""

    path: Path
    data: Mapping[str, Any]


def add_arguments(command: argparse.ArgumentParser, what: str) -> None:
    """Add the model and the user's file.

    Args:
        command: the subcommand's parser.
        what: the user's file is, for the help.
    """
    command.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="model.keras of a search, with preprocessing.json beside it, or its folder",
    )
    command.add_argument("file", type=Path, metavar="FILE", help=what)


def add_output(command: argparse.ArgumentParser, name: str, what: str) -> None:
    """Add the option of the file to write, whose ending `opened` checks."""
    command.add_argument("-o", "--out", type=Path, metavar=name, help=what)


def opened(
    given: argparse.Namespace, suffix: str, *, labelled: bool
) -> tuple[ModelFiles, NewSamples]:
    """The model and the samples of the user's file, of a command with these arguments.

    Args:
        given: the arguments.
        suffix: of the file to write; another one ends the command with a message.
        labelled: whether to read the labels.

    Raises:
        DataError: the file cannot be read.
    """
    if given.out is not None and given.out.suffix != suffix:
        sys.exit(f"{given.out}: the name must end in {suffix}")
    files = find(given.model)
    return files, read_new(files.data, given.file, labelled=labelled)


def print_notes(samples: NewSamples) -> None:
    """Print what the user should know of the samples, after all were read."""
    for note in samples.notes:
        print(note, file=sys.stderr)


def find(given: Path) -> ModelFiles:
    """Find a model and its description; exit with a message if there is none, or several."""
    path = _in_folder(given) if given.is_dir() else given
    if not path.is_file():
        sys.exit(f"{given}: no such model")
    beside = [description_of(path), path.with_name(DESCRIPTION)]
    known = next((each for each in beside if each.is_file()), None)
    if known is None:
        sys.exit(
            f"{path}: has no {DESCRIPTION} beside it, which says how its data are read; copy it "
            f"from the search's folder, too"
        )
    data = read_json(known)
    if not {"measured", "inputs"} <= data.keys():
        sys.exit(f"{known}: an earlier version wrote it; run the search again")
    return ModelFiles(path, data)


def _in_folder(folder: Path) -> Path:
    """The model of a folder: that of a final model, of a search and seed, or of results."""
    for place in (folder / MODEL, folder / "final" / MODEL):
        if place.is_file():
            return place
    found = [search.model for search in finished_searches(folder)]
    found += sorted(folder.glob(f"seed*/final/{MODEL}"))
    if len(found) > 1:
        listed = ", ".join(map(str, found[:3])) + (", ..." if len(found) > 3 else "")
        sys.exit(f"{folder}: has {len(found)} finished searches; name one model ({listed})")
    if not found:
        sys.exit(f"{folder}: has no {MODEL}, and no finished search")
    return found[0]
