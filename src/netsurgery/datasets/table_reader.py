"""Read tables from `.csv` and `.parquet` files with pandas and pyarrow, in chunks of rows."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netsurgery.datasets.source import DataError

if TYPE_CHECKING:
    import pandas as pd

ROWS = 50_000  # of a chunk


def _first_row(path: Path, separator: str) -> list[str]:
    import csv

    with path.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.reader(file, delimiter=separator, skipinitialspace=True):
            if row:
                return [value.strip() for value in row]
    raise DataError(f"{path}: is empty")


def column_names(path: Path, settings: Mapping[str, Any]) -> list[str]:
    """The names of a file's columns: from the settings, its header, or else their numbers.

    Raises:
        DataError: the file cannot be read, or two columns have the same name.
    """
    if settings["source"] == "parquet":
        import pyarrow.parquet

        try:
            names = [str(name) for name in pyarrow.parquet.ParquetFile(path).schema_arrow.names]
        except (OSError, pyarrow.ArrowException) as error:
            raise DataError(
                f"{path}: is not a parquet file ({str(error).splitlines()[0]})"
            ) from None
    else:
        try:
            first = _first_row(path, settings["delimiter"])
        except UnicodeDecodeError:
            raise DataError(f"{path}: is not a UTF-8 text file; convert it to UTF-8") from None
        names = first if settings["header"] else [str(i) for i in range(len(first))]
        if "columns" in settings:
            if len(settings["columns"]) != len(first):
                count = len(settings["columns"])
                raise DataError(f"{path}: has {len(first)} columns, but `columns` lists {count}")
            names = settings["columns"]
    for name in names:
        if names.count(name) > 1:
            raise DataError(
                f"{path}: {names.count(name)} columns are named {name!r}; give each its own name"
            )
    return names


def find_column(key: str | int, names: Sequence[str], path: Path, purpose: str) -> str:
    """The name of a column that the settings give by name or by number, counted from 0.

    Args:
        key: name or number of the column.
        names: of all columns.
        path: of the file, for the message.
        purpose: the setting that names the column, for the message.

    Raises:
        DataError: there is no such column.
    """
    if str(key) in names:
        return str(key)
    if isinstance(key, int) and 0 <= key < len(names):
        return names[key]
    close = difflib.get_close_matches(str(key), names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"the columns are {', '.join(names)}"
    raise DataError(f"{path}: has no column {key!r} (see `{purpose}`); {hint}")


def _csv_frames(
    path: Path, settings: Mapping[str, Any], names: list[str]
) -> Iterator[pd.DataFrame]:
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # a row with too many values
        reader = pd.read_csv(
            path,
            sep=settings["delimiter"],
            header=0 if settings["header"] else None,
            names=names,
            index_col=False,
            dtype=str,
            na_values=settings["na_values"],
            skipinitialspace=True,
            chunksize=ROWS,
            encoding="utf-8-sig",
        )
        with reader:
            for frame in reader:
                stripped = frame.apply(lambda column: column.str.strip())
                yield stripped.mask(stripped.isin([*settings["na_values"], ""]))


def _parquet_frames(path: Path, settings: Mapping[str, Any]) -> Iterator[pd.DataFrame]:
    import pandas as pd
    import pyarrow.parquet

    for batch in pyarrow.parquet.ParquetFile(path).iter_batches(ROWS):
        frame = batch.to_pandas()
        frame.columns = [str(name) for name in frame.columns]
        for name in frame.columns:
            column = frame[name]
            if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
                frame[name] = column.astype("float64")
            elif pd.api.types.infer_dtype(column, skipna=True) in (
                "string",
                "categorical",
                "empty",
            ):
                text = column.astype("str").str.strip()
                frame[name] = text.mask(text.isin([*settings["na_values"], ""]))
            elif pd.api.types.infer_dtype(column, skipna=True) == "boolean":
                frame[name] = column.astype("float64")
            else:
                raise DataError(
                    f"{path}: column {name!r} has type {batch.schema.field(name).type}; columns "
                    f"must hold numbers or text; remove it with `drop: [{name}]`"
                )
        yield frame


def read_frames(
    path: Path, settings: Mapping[str, Any], names: list[str]
) -> Iterator[pd.DataFrame]:
    """Read a table in chunks of rows; NaN marks a missing value.

    Columns of a parquet file are float64 or text; those of a csv file are all text.

    Raises:
        DataError: the file cannot be read, or a column holds neither numbers nor text.
    """
    import pandas as pd

    frames = (
        _parquet_frames(path, settings)
        if settings["source"] == "parquet"
        else _csv_frames(path, settings, names)
    )
    try:
        yield from frames
    except (pd.errors.ParserError, pd.errors.ParserWarning, UnicodeDecodeError, OSError) as error:
        reason = str(error).strip().splitlines()[-1].replace("Error tokenizing data. C error: ", "")
        raise DataError(f"{path}: cannot be read as a table ({reason})") from None
