"""What every kind of source provides: a dataset opened for reading, in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery.networks.layers import Shape

TRAINING, VALIDATION, TEST = PARTS = ("training", "validation", "test")
PATH_KEYS = {"path": TRAINING, "validation_path": VALIDATION, "test_path": TEST}
FOLDER_KEYS = ("images", "series")  # settings with the path of a folder
FILE_KEYS = (*PATH_KEYS, "labels", *FOLDER_KEYS)  # settings with the path of a file or folder
CHUNK_BYTES = 2**23  # approximate size of a chunk: no dataset needs to fit into memory

Settings = Mapping[str, Any]
Inputs = np.ndarray | dict[str, np.ndarray]  # of a final model: one array, or one per column
Chunk = tuple[np.ndarray, np.ndarray]  # x (k, *shape); y (k,) or, with several columns, (k, c)


@dataclass(frozen=True)
class Suggestion:
    """A setting of a dataset that its data call for.

    `netsurgery init` takes it; a message to the user says it in words.
    """

    key: str
    value: Any  # a list is added to the one of the settings
    why: str  # a few words, such as "rows are numbered"


class DataError(ValueError):
    """The data are invalid; the message is one line that names the file and the place in it.

    Args:
        message: for the user.
        suggestions: settings with which the data can be read.
    """

    def __init__(self, message: str, *suggestions: Suggestion) -> None:
        super().__init__(message)
        self.suggestions = suggestions


@dataclass(frozen=True)
class SplitKeys:
    """What samples must not be torn from by a split: their group, or the order of their times.

    Attributes:
        name: of the setting or column, for messages.
        groups: text (n,): samples of a group stay together; None: they have times.
        spans: (n, 2) numbers, the first and the last time of each sample: what is earlier is learnt
            from; None: they have groups.
    """

    name: str
    groups: np.ndarray | None = None
    spans: np.ndarray | None = None


@dataclass(frozen=True)
class Source:
    """An opened dataset, whose samples are not yet read.

    Chunks keep the order and values of the source; labels may be integers or names.
    """

    origin: str  # file, or name in a collection
    version: str
    shape: Shape  # of a sample: (height, width, channels), (steps, channels) or (features,)
    dtype: np.dtype[Any]  # in which x is stored
    counts: Mapping[str, int]  # samples of each part that the source provides
    chunks: Callable[[str], Iterator[Chunk]]  # of a part
    scaling: str  # default method: see `netsurgery.datasets.splits.fit_scaling`
    largest: float = 1.0  # value that unit scaling maps to 1
    label_names: Mapping[str, str] = field(default_factory=dict)  # of each part, for messages
    classes: tuple[str, ...] | None = None  # names of the classes 0, 1, ...; None: from the labels
    labels: tuple[str, ...] | None = None  # names of the columns of y where samples have several
    missing: bool = False  # whether NaN marks a missing value
    resized: bool = False  # whether images had different sizes
    columns: tuple[Mapping[str, Any], ...] = ()  # of a table: see `netsurgery.datasets.columns`
    features: tuple[Mapping[str, Any], ...] = ()  # of a table: see `table_features`
    reading: Mapping[str, Any] = field(default_factory=dict)  # arguments for pandas, of a table
    file_columns: tuple[str, ...] = ()  # of a table: all that the training file has
    targets: tuple[str, ...] = ()  # of a table: the names of the target columns
    table: tuple[Mapping[str, Any], ...] = ()  # of a table: see `column_summaries`
    suggestions: tuple[Suggestion, ...] = ()  # settings that the data call for
    notes: tuple[str, ...] = ()  # lines for the user: what was taken for what, what was left out
    keys: Callable[[str], SplitKeys] | None = None  # of a part; None: a split is random
    # of samples with several inputs: see `netsurgery.datasets.joined_inputs`
    inputs: Mapping[str, Source] = field(default_factory=dict)

    def label_name(self, part: str) -> str:
        """How messages refer to the labels of a part."""
        return self.label_names.get(part, f"the {part} labels of {self.origin}")


def part_paths(settings: Settings) -> dict[str, Path]:
    """The file or folder of each part that the settings name."""
    return {part: Path(settings[key]) for key, part in PATH_KEYS.items() if key in settings}


def input_paths(settings: Settings) -> dict[str, Path]:
    """The files and folders that a dataset is read from, by the key of its settings."""
    return {key: Path(settings[key]) for key in FILE_KEYS if key in settings}


def is_series(settings: Settings) -> bool:
    """Whether samples are series of steps, as the settings say."""
    return bool(settings["source"] == "series")


def _task_from_settings(settings: Settings) -> str:
    return settings.get("task", "classification")


def _one_input(settings: Settings) -> dict[str, Shape]:
    return {}


def _unknown_shape(settings: Settings) -> tuple[None, None]:
    return None, None


@dataclass(frozen=True)
class Batch:
    """Some samples of a file, as a final model takes them.

    Attributes:
        keys: what names the samples, in columns: row numbers, names of files.
        inputs: of the model.
        labels: as in a chunk; None if they were not asked for.
    """

    keys: Mapping[str, Sequence[Any]]
    inputs: Inputs
    labels: np.ndarray | None


@dataclass(frozen=True)
class NewSamples:
    """The samples of a file or folder for a model that is trained.

    Attributes:
        batches: read as they are asked for, once.
        label_name: how messages refer to the labels.
        notes: lines for the user; complete when all batches have been read.
    """

    batches: Iterator[Batch]
    label_name: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SourceType:
    """A kind of source. Its functions take the settings of a dataset."""

    open: Callable[[Settings], Source]
    is_flat: Callable[[Settings], bool | None]  # None: known only after reading the data
    task: Callable[[Settings], str] = _task_from_settings
    # of a sample, and the number of outputs; None: known only after reading the data
    known_shape: Callable[[Settings], tuple[Shape | None, int | None]] = _unknown_shape
    # the inputs by name where samples have several, with their shapes or, where only reading tells,
    # the smallest ones of as many axes
    known_inputs: Callable[[Settings], Mapping[str, Shape]] = _one_input
    # samples as a user has them, in batches, where chunks change them: from the description of the
    # prepared dataset, the part, and positions in it
    raw: Callable[[Mapping[str, Any], str, np.ndarray], list[Inputs]] | None = None
    # samples of any file or folder: from the description, its path, and whether it has labels;
    # None: those of arrays
    read_new: Callable[[Mapping[str, Any], Path, bool], NewSamples] | None = None


def stored_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype to store values in: small integers unchanged, anything else as float32."""
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    small = dtype.kind in "iu" and dtype.itemsize <= 2
    return np.dtype(dtype.newbyteorder("=") if small else np.float32)


def rows_per_chunk(shape: Shape, dtype: np.dtype[Any]) -> int:
    """The number of samples in a chunk."""
    return max(1, CHUNK_BYTES // max(1, int(np.prod(shape)) * dtype.itemsize))
