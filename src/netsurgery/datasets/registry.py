"""The table of dataset sources, and what the rest of the program asks of a dataset's settings.

To add a source, write a module that defines a `SourceType`, and add a line to `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.datasets import (
    arrays,
    images,
    new_arrays,
    prepared,
    sklearn_source,
    table_files,
    tfds_source,
)
from netsurgery.datasets.joined_inputs import parts_of
from netsurgery.datasets.series import SERIES
from netsurgery.datasets.source import DataError, Inputs, NewSamples, Settings, SourceType
from netsurgery.networks.layers import Shape
from netsurgery.networks.packed_inputs import unpacked
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies

SOURCES: dict[str, SourceType] = {
    "npz": arrays.NPZ,
    "npy": arrays.NPY,
    "hdf5": arrays.HDF5,
    "series": SERIES,
    "image_folder": images.IMAGE_FOLDER,
    "csv": table_files.TABLE,
    "excel": table_files.TABLE,
    "parquet": table_files.TABLE,
    "tfds": tfds_source.TFDS,
    "sklearn": sklearn_source.SKLEARN,
}


def is_flat(settings: Settings) -> bool | None:
    """Whether samples are rows of features, not images; None if only reading them tells."""
    return SOURCES[settings["source"]].is_flat(settings)


def known_shape(settings: Settings) -> tuple[Shape | None, int | None]:
    """The shape of a sample, and the number of outputs; None for what only reading tells."""
    return SOURCES[settings["source"]].known_shape(settings)


def known_inputs(settings: Settings) -> Mapping[str, Shape]:
    """The inputs by name where samples have several; their shapes may be the smallest ones."""
    return SOURCES[settings["source"]].known_inputs(settings)


def task_of(settings: Settings) -> str:
    """The task of a dataset: classification or regression."""
    return SOURCES[settings["source"]].task(settings)


def raw_samples(data: Mapping[str, Any], indices: np.ndarray) -> list[Inputs]:
    """Samples as a user has them, read from the source: what the final model takes, in batches.

    Args:
        data: description of the prepared dataset.
        indices: of samples of one part of the source, ascending.

    Raises:
        DataError: the data are invalid.
        ValueError, KeyError: a table cannot be read with pandas in the way the model card says.
    """
    settings = data["settings"]
    source = SOURCES[settings["source"]]
    parts = prepared.source_parts(data)
    part = next(name for name, of_part in parts.items() if indices[0] in of_part)
    positions = indices - parts[part][0]
    if source.raw is not None:
        return source.raw(data, part, positions)
    found, start = [], 0
    for x, _ in source.open(settings).chunks(part):
        inside = (positions >= start) & (positions < start + len(x))
        found.append(np.array(x[positions[inside] - start]))
        start += len(x)
        if start > positions[-1]:
            break
    samples = np.concatenate(found)
    return [unpacked(samples, parts_of(data)) if data["inputs"] else samples]


def read_new(data: Mapping[str, Any], path: Path, *, labelled: bool) -> NewSamples:
    """Open a file or folder for a model that is trained, to read it as the training data were.

    Args:
        data: description of the prepared dataset, or of the model's preprocessing.
        path: of the file or folder.
        labelled: whether to read labels.

    Raises:
        DataError: the samples are not like those that the model takes.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    read = SOURCES[data["settings"]["source"]].read_new or new_arrays.read_new
    return read(data, path, labelled)


def prepare(
    name: str, settings: Settings, folder: Path, dependencies: Dependencies = NO_DEPENDENCIES
) -> list[str]:
    """Write the prepared form of a dataset into a folder.

    Args:
        name: of the dataset in the configuration.
        settings: of the dataset.
        folder: the dataset's own.
        dependencies: what the prepared dataset depends on, to be written with it.

    Returns:
        Warnings for the user.

    Raises:
        DataError: the data are invalid.
    """
    source = SOURCES[settings["source"]].open(settings)
    return prepared.write(source, name, task_of(settings), settings, folder, dependencies)
