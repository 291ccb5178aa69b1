"""Datasets: where they come from, and the prepared form that all training jobs share.

One module per kind of source (`arrays`, `bundled`, `catalog`, `images`, `tables`), each with a
function that opens it; `prepared` writes and maps the form that is the same for all; `splits` says
who trains and who tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsurgery.datasets import arrays, images, sklearn_source, tables, tfds_source
from netsurgery.datasets.prepared import describe
from netsurgery.datasets.prepared import prepare as prepare_source
from netsurgery.datasets.samples import Samples, Scaling, read_part
from netsurgery.datasets.source import DataError, Source
from netsurgery.datasets.splits import SplitSettings, write_split

__all__ = [
    "DataError",
    "Samples",
    "Scaling",
    "SplitSettings",
    "describe",
    "is_flat",
    "paths",
    "prepare",
    "read_part",
    "task_of",
    "watched",
    "write_split",
]


@dataclass(frozen=True)
class Kind:
    """A kind of source."""

    open: Callable[[dict[str, Any]], Source]
    is_flat: Callable[[dict[str, Any]], bool | None]  # None: it shows when the data are read


KINDS = {
    "npz": Kind(arrays.open_arrays, arrays.is_flat),
    "npy": Kind(arrays.open_arrays, arrays.is_flat),
    "image_folder": Kind(images.open_images, images.is_flat),
    "csv": Kind(tables.open_table, tables.is_flat),
    "parquet": Kind(tables.open_table, tables.is_flat),
    "tfds": Kind(tfds_source.open_catalog, tfds_source.is_flat),
    "sklearn": Kind(sklearn_source.open_bundled, sklearn_source.is_flat),
}
PATHS = ("path", "validation_path", "test_path")


def paths(settings: Mapping[str, Any]) -> dict[str, Path]:
    """The files and folders that a dataset is read from, by the key of its settings."""
    return {key: Path(settings[key]) for key in PATHS if key in settings}


def watched(settings: Mapping[str, Any]) -> list[str]:
    """The files and folders whose changes are changes of a dataset, as far as times tell.

    Of a folder of images, its classes' folders: their times change as files come and go.
    """
    found = list(paths(settings).values())
    match settings["source"]:
        case "image_folder":
            found = [folder for path in found for folder in images.class_folders(path)]
        case "npy":
            found = [file for path in found for file in path.glob("*.npy")]
    return sorted(map(str, found))


def is_flat(settings: dict[str, Any]) -> bool | None:
    """Whether samples are rows of features, not images; None where only reading them tells."""
    return KINDS[settings["source"]].is_flat(settings)


def task_of(settings: Mapping[str, Any]) -> str:
    """Classification or regression."""
    if settings["source"] == "sklearn":
        return sklearn_source.KNOWN[settings["name"]][1]
    return settings.get("task", "classification")


def prepare(name: str, settings: dict[str, Any], folder: Path) -> list[str]:
    """Write the prepared form of a dataset into a folder.

    Args:
        name: of the dataset in the configuration.
        settings: of the dataset.
        folder: the dataset's own.

    Returns:
        Lines that the user should read.

    Raises:
        DataError: the data are wrong.
    """
    source = KINDS[settings["source"]].open(settings)
    return prepare_source(source, name, task_of(settings), settings.get("scaling"), folder)
