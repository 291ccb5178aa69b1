"""A column of times, as numbers that can be compared."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from netsurgery.datasets.source import DataError

if TYPE_CHECKING:
    import pandas as pd


def times_of(values: pd.Series, where: str) -> np.ndarray:
    """The times in a column: numbers as they are, dates in nanoseconds since 1970.

    In dates such as 03/04/2020 the month comes first, unless only the other way gives dates, or
    gives them in the order of the file.

    Args:
        values: of all rows.
        where: the file and the column, for the message.

    Returns:
        float64 or int64 (rows,).

    Raises:
        DataError: a value is missing, or neither a date nor a number.
    """
    import pandas as pd

    absent = np.flatnonzero(values.isna())
    if len(absent):
        raise DataError(f"{where} has no value in row {absent[0] + 1}; every row needs its time")
    if values.dtype.kind == "M":
        return values.to_numpy("datetime64[ns]").astype(np.int64)
    if values.dtype.kind in "iuf":
        return values.to_numpy()
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64)
    if np.isfinite(numbers).all():
        return numbers
    found = [dates for first in (False, True) if (dates := _dates(values, first)) is not None]
    if not found:
        raise DataError(
            f"{where}, row 1 is {values.iloc[0]!r}; not all values are dates, or numbers"
        )
    ordered = [dates for dates in found if (np.diff(dates) >= 0).all()]
    return (ordered or found)[0]


def _dates(values: pd.Series, day_first: bool) -> np.ndarray | None:
    """Dates in nanoseconds since 1970, int64; None if not all values are dates of one format."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about formats that differ or put the day first
        try:
            dates = pd.to_datetime(values, dayfirst=day_first, utc=True)
        except (ValueError, TypeError, OverflowError):
            return None
    return dates.to_numpy("datetime64[ns]").astype(np.int64)
