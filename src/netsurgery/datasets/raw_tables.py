"""Rows of a table as its user reads them with pandas, for the final model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import table_reader
from netsurgery.datasets.source import Inputs, part_paths
from netsurgery.datasets.table_inputs import model_inputs, read_options
from netsurgery.datasets.table_reader import TableFile

if TYPE_CHECKING:
    import pandas as pd

BATCH = 10_000  # rows of a parquet file


def read_rows(data: Mapping[str, Any], part: str, rows: np.ndarray) -> list[Inputs]:
    """What the final model takes for some rows of a file, as one batch.

    Args:
        data: description of the prepared dataset.
        part: training, validation or test.
        rows: of the part's file, from 0.

    Raises:
        ValueError: a number cannot be read.
        KeyError: the file lacks a column.
    """
    settings = data["settings"]
    file = table_reader.open_file(part_paths(settings)[part], settings)
    if settings.get("drop_missing_target"):
        rows = _rows_with_targets(file, data["targets"])[rows]
    count = int(rows.max()) + 1
    if settings["source"] == "parquet":
        frame = _read_parquet(file.path, count)
        frame = frame.reset_index() if file.pandas_options else frame
        return [model_inputs(frame.iloc[rows], data)]
    if settings["source"] == "excel":  # pandas has no reader of its own
        frame = next(file.frames(count, file.columns))
        return [model_inputs(frame.iloc[rows], data)]
    options = read_options(file.pandas_options, data)
    try:
        return [model_inputs(_read_csv(file.path, count, options).iloc[rows], data)]
    except (KeyError, ValueError):
        # such as "1, NA": pandas sees a missing value only without the space
        options |= {"skipinitialspace": True, "na_values": list(settings["na_values"])}
        return [model_inputs(_read_csv(file.path, count, options).iloc[rows], data)]


def _rows_with_targets(file: TableFile, targets: Sequence[str]) -> np.ndarray:
    """The rows of a file, from 0, that have all targets."""
    frames = file.frames(table_reader.ROWS, targets)
    return np.concatenate([np.asarray(f.index[f.notna().all(axis=1)]) for f in frames])


def _read_csv(path: Path, count: int, options: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)
        return pd.read_csv(path, nrows=count, **options)


def _read_parquet(path: Path, count: int) -> pd.DataFrame:
    import pyarrow
    import pyarrow.parquet

    batches, seen = [], 0
    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH):
            batches.append(batch)
            seen += len(batch)
            if seen >= count:
                break
    return pyarrow.Table.from_batches(batches).to_pandas()
