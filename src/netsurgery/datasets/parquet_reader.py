"""Read tables from parquet files with pyarrow, in chunks of rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netsurgery.datasets import file_kinds
from netsurgery.datasets.columns import drop_setting
from netsurgery.datasets.number_formats import PLAIN
from netsurgery.datasets.source import DataError, Suggestion

if TYPE_CHECKING:
    import pandas as pd

UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
MAGIC = b"PAR1"


class ParquetFile:
    """A parquet file that is a table. Its values are float64 or text.

    The index of a data frame is not among its columns, unless the settings name it.

    Args:
        path: of the file.
        settings: of the dataset.

    Raises:
        DataError: it cannot be read.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        import pyarrow.parquet

        self.path = path
        self.numbers = PLAIN
        self.dates = frozenset(map(str, settings.get("dates", ())))
        self.missing = frozenset(map(str, settings["na_values"])) | {""}
        try:
            with path.open("rb") as file:
                start = file.read(len(MAGIC))
            self.schema = pyarrow.parquet.ParquetFile(path).schema_arrow
        except (OSError, pyarrow.ArrowException) as error:
            reason = f"is damaged ({str(error).splitlines()[0]})"
            if start != MAGIC:
                kind, advice = file_kinds.other_kind(path) or ("text", "set `source: csv`")
                reason = f"is not a parquet file, but {kind}; {advice}"
            raise DataError(f"{path}: {reason}") from None
        levels = (self.schema.pandas_metadata or {}).get("column_indexes", ())
        if len(levels) > 1:
            raise DataError(
                f"{path}: its columns have names of {len(levels)} levels; give each one name and "
                f'write the file again: frame.columns = frame.columns.map("-".join)'
            )
        target = settings["target"]
        target = target if isinstance(target, list) else [target]
        keys = (*target, *settings["categorical"], *settings["drop"])
        named = set(map(str, keys))
        self.index = [n for n in _index_names(self.schema.pandas_metadata) if n not in named]
        self.row_names = tuple(n for n in self.index if not UNNAMED_INDEX.fullmatch(n))
        self.columns = [str(name) for name in self.schema.names if name not in self.index]
        time = settings.get("time")
        self.time = str(time)
        if isinstance(time, int) and time < len(self.columns):
            self.time = self.columns[time]
        self.categories = frozenset(
            field.name for field in self.schema if pyarrow.types.is_dictionary(field.type)
        ) | _pandas_categories(self.schema.pandas_metadata)

    @property
    def notes(self) -> list[str]:
        """What the user should know about how the file is read."""
        if not self.row_names:
            return []
        listed = " and ".join(map(repr, self.row_names))
        return [
            f"{self.path}: the index of the data frame ({listed}) is not among its columns and is "
            f"left out; to learn from it, write the file after reset_index()"
        ]

    @property
    def pandas_options(self) -> dict[str, Any]:
        """Whether a data frame's index has to become columns: `{"reset_index": True}`."""
        index = _index_names(self.schema.pandas_metadata)
        return {"reset_index": True} if any(name in self.columns for name in index) else {}

    @cached_property
    def missing_numbers(self) -> list[float]:
        """The numbers that mean a missing value."""
        import pandas as pd

        found = PLAIN.numbers(pd.Series(sorted(self.missing), dtype="str"))
        return found[found == found].tolist()

    def frames(self, rows: int, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Read some columns in chunks of rows; NaN marks a missing value.

        Raises:
            DataError: it cannot be read, or a column holds neither numbers nor text.
        """
        import pandas as pd
        import pyarrow
        import pyarrow.parquet

        start = 0
        try:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                for batch in file.iter_batches(rows, columns=list(columns)):
                    frame = batch.to_pandas(ignore_metadata=True)
                    values = {name: self._values(frame[name]) for name in columns}
                    if self.time in values and values[self.time] is None:
                        values[self.time] = _dates(frame[self.time])
                    if others := [name for name, found in values.items() if found is None]:
                        raise self._of_other_types(others)
                    yield pd.DataFrame(values).set_axis(range(start, start + len(frame)))
                    start += len(frame)
        except (OSError, pyarrow.ArrowException) as error:
            reason = str(error).strip().splitlines()[0]
            raise DataError(f"{self.path}: cannot be read as a table ({reason})") from None

    def _values(self, column: pd.Series) -> pd.Series | None:
        """A column as float64 or text; None if it holds something else."""
        import pandas as pd

        kind = pd.api.types.infer_dtype(column, skipna=True)
        numeric = pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column)
        if numeric or kind in ("boolean", "decimal"):
            numbers = column.astype("float64")
            return numbers.mask(numbers.isin(self.missing_numbers))
        if str(column.name) in self.dates and kind in ("datetime64", "datetime", "date"):
            times = pd.to_datetime(column, utc=True)
            return times.dt.strftime("%Y-%m-%dT%H:%M:%S.%f").astype("str").mask(times.isna())
        if kind in ("string", "categorical", "empty"):
            text = column.astype("str").str.strip()
            return text.mask(text.isin(self.missing))
        return None

    def _of_other_types(self, columns: Sequence[str]) -> DataError:
        """The error for columns of types that are neither numbers nor text."""
        import pyarrow

        types = {name: self.schema.field(name).type for name in columns}
        temporal = (pyarrow.types.is_timestamp, pyarrow.types.is_date)
        dates = [name for name, kind in types.items() if any(is_(kind) for is_ in temporal)]
        kinds = ", ".join(f"{name!r} has type {kind}" for name, kind in types.items())
        advice = f"list {'it' if len(dates) == 1 else 'dates'} in `dates` or " if dates else ""
        return DataError(
            f"{self.path}: column{'s' * (len(columns) > 1)} {kinds}; columns must hold numbers or "
            f"text; {advice}remove {'it' if len(columns) == 1 else 'them'} with "
            f"{drop_setting(columns)}",
            *(Suggestion("dates", [name], "the file says so") for name in dates),
            *(Suggestion("drop", [n], f"has type {types[n]}") for n in columns if n not in dates),
        )


def _dates(column: pd.Series) -> pd.Series | None:
    """A column of dates; None if it holds something else."""
    import pandas as pd

    kind = pd.api.types.infer_dtype(column, skipna=True)
    dates = kind in ("datetime64", "datetime", "date")
    return pd.to_datetime(column, utc=True) if dates else None


def _pandas_categories(metadata: Mapping[str, Any] | None) -> set[str]:
    """The columns of a file that were categories in pandas, codes of integers too."""
    columns: Sequence[Mapping[str, Any]] = (metadata or {}).get("columns", ())
    return {str(c["name"]) for c in columns if c.get("pandas_type") == "categorical"}


def _index_names(metadata: Mapping[str, Any] | None) -> list[str]:
    """The columns of a file that are a data frame's index."""
    found: Sequence[Any] = (metadata or {}).get("index_columns", ())
    return [name for name in found if isinstance(name, str)]
