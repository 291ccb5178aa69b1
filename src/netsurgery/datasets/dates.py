"""Columns of dates and times: as days since 1970, and the periods that recur in them.

A date is one number, the days since 1 January 1970 in UTC. Where the dates span them, the time of
the year, of the week and of the day are features as well: sine and cosine of an angle, so that
31 December is next to 1 January.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets.columns import row_number
from netsurgery.datasets.source import DataError

if TYPE_CHECKING:
    import pandas as pd

ISO = "ISO8601"
YEAR, WEEK, DAY = 365.2425, 7.0, 1.0  # days
# formats that are tried for a suggestion, besides ISO 8601
FORMATS = tuple(
    f"{date}{time}"
    for date in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d")
    for time in ("", " %H:%M", " %H:%M:%S")
)


def format_of(settings: Mapping[str, Any]) -> str:
    """How a dataset's dates are written, in the words of `pandas.to_datetime`."""
    return settings.get("date_format", ISO)


def days_of(values: pd.Series, written: str) -> pd.Series:
    """Dates as days since 1970, float64; NaN where they are missing or no dates.

    Args:
        values: texts, or days that are numbers already.
        written: the format of the texts.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values):
        return values.astype("float64")
    times = pd.to_datetime(values, format=written, errors="coerce", utc=True)
    return ((times - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)).astype("float64")


def with_days(
    frames: Iterable[pd.DataFrame], columns: Iterable[str], settings: Mapping[str, Any], path: Path
) -> Iterator[pd.DataFrame]:
    """The rows of a table, in which dates are days.

    Args:
        frames: of the table.
        columns: that hold dates.
        settings: of the dataset.
        path: of the file, for the message.

    Raises:
        DataError: a value is no date.
    """
    columns, written = list(columns), format_of(settings)
    for frame in frames:
        days = {name: days_of(frame[name], written) for name in columns if name in frame}
        for name, found in days.items():
            wrong = np.flatnonzero(found.isna() & frame[name].notna())
            if len(wrong):
                raise DataError(
                    f"{path}: column {name!r}, row {row_number(frame[name], wrong[0])} is "
                    f"{frame[name].iloc[wrong[0]]!r}, no date as {_in_words(written)}; see "
                    f"`dates` and `date_format`"
                )
        yield frame.assign(**days) if days else frame


def _in_words(written: str) -> str:
    return "2024-01-31 or 2024-01-31 13:30:00" if written == ISO else f"{written!r} reads it"


def likely_format(texts: Iterable[str]) -> str | None:
    """The only format that reads all of some dates; None if several or none do."""
    import pandas as pd

    values = pd.Series(sorted(texts), dtype="str")
    fitting = [f for f in (ISO, *FORMATS) if days_of(values, f).notna().all()]
    return fitting[0] if len(fitting) == 1 or fitting[:1] == [ISO] else None


def periods(low: float, high: float, *, whole_days: bool) -> tuple[float, ...]:
    """The periods, in days, that recur between two dates."""
    found = {YEAR: high - low >= YEAR, WEEK: high - low >= 2 * WEEK, DAY: not whole_days}
    return tuple(period for period, recurs in found.items() if recurs)


def waves(days: np.ndarray, level: str) -> np.ndarray:
    """Sine or cosine of days, for a level such as `sin 7`: of a week."""
    function, period = level.split()
    return getattr(np, function)(2 * np.pi * days / float(period))


def levels_of(periods: Iterable[float]) -> list[str]:
    """The levels of all waves of some periods."""
    return [f"{function} {period:g}" for period in periods for function in ("sin", "cos")]
