"""Datasets: their sources, and the prepared form that all training jobs share.

Each kind of source has a module (`arrays`, `images`, `sklearn_source`, `tables`, `tfds_source`);
`registry` lists them. `prepared` writes and maps the form that all datasets have in common, and
`splits` assigns samples to the training, validation and test parts.
"""

from netsurgery.datasets.content import KnownFiles, content_of_files, settings_without_paths
from netsurgery.datasets.joined_inputs import description_of, parts_of
from netsurgery.datasets.prepared import describe
from netsurgery.datasets.registry import (
    is_flat,
    known_inputs,
    known_shape,
    prepare,
    raw_samples,
    read_new,
    task_of,
)
from netsurgery.datasets.samples import Samples, Scaling, read_part, task_of_labels
from netsurgery.datasets.source import (
    Batch,
    DataError,
    NewSamples,
    Source,
    SourceType,
    input_paths,
    is_series,
)
from netsurgery.datasets.splits import SplitSettings, write_split

__all__ = [
    "Batch",
    "DataError",
    "KnownFiles",
    "NewSamples",
    "Samples",
    "Scaling",
    "Source",
    "SourceType",
    "SplitSettings",
    "content_of_files",
    "describe",
    "description_of",
    "input_paths",
    "is_flat",
    "is_series",
    "known_inputs",
    "known_shape",
    "parts_of",
    "prepare",
    "raw_samples",
    "read_new",
    "read_part",
    "settings_without_paths",
    "task_of",
    "task_of_labels",
    "write_split",
]
