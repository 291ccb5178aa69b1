"""What a model takes of a table, from a data frame as pandas reads it.

A table of numbers enters as rows. Any other table enters by column: text for a category, empty
where it is missing, and a number otherwise, NaN where it is missing. Pandas changes the spelling of
codes and truth values, so a model knows all spellings of a level.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets.columns import CATEGORY, NUMBER
from netsurgery.datasets.dates import days_of, format_of
from netsurgery.datasets.source import Inputs

if TYPE_CHECKING:
    import pandas as pd

NUMBER_PATTERN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
TRUTH_VALUES = {"0": "False", "1": "True"}


def takes_rows(data: Mapping[str, Any]) -> bool:
    """Whether the model of a table takes one array, (n, columns), not one per column.

    Keras casts arrays of numbers to float32, so columns that need more enter on their own.

    Args:
        data: description of the prepared dataset.
    """
    numbers = all(column["kind"] == NUMBER for column in data["columns"])
    return numbers and not needs_double(data)


def needs_double(data: Mapping[str, Any]) -> bool:
    """Whether float32 cannot hold the numbers (see `netsurgery.datasets.units`)."""
    return bool(_double_features(data).any() or date_columns(data))


def date_columns(data: Mapping[str, Any]) -> list[str]:
    """The columns of dates, which enter as days since 1970, float64."""
    return [column["name"] for column in data["columns"] if column.get("is_date")]


def _double_features(data: Mapping[str, Any]) -> np.ndarray:
    """Which features need float64, (features,)."""
    units = data["units"]
    return np.zeros(len(data["features"]), bool) if units is None else np.ravel(units["double"])


def column_dtype(column: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The dtype of a column's input, by Keras's names."""
    if column["kind"] == CATEGORY:
        return "string"
    features = zip(data["features"], _double_features(data), strict=True)
    double = column.get("is_date") or any(
        double for feature, double in features if feature["column"] == column["name"]
    )
    return "float64" if double else "float32"


def input_names(columns: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The name of each column's input: its own, but Keras allows no slash."""
    taken = {column["name"] for column in columns}
    names = {}
    for column in columns:
        name = column["name"]
        if "/" in name:
            name = name.replace("/", "_")
            while name in taken:
                name += "_"
            taken.add(name)
        names[column["name"]] = name
    return names


def spellings(levels: Sequence[str]) -> dict[str, int]:
    """All texts that mean a level, and its index; a text that could mean two means none.

    Args:
        levels: as training knows them, without spaces around them.
    """
    found = {level: i for i, level in enumerate(levels)}
    others: dict[str, set[int]] = {}
    for i, level in enumerate(levels):
        for text in _variants(level):
            others.setdefault(text, set()).add(i)
            others.setdefault(f" {text}", set()).add(i)
    return {**{text: min(of) for text, of in others.items() if len(of) == 1}, **found}


def _variants(level: str) -> Iterator[str]:
    """How pandas may write a level: codes as integers or floats, truth values capitalised."""
    yield level
    if level.lower() in ("true", "false"):
        yield level.capitalize()
    if level in TRUTH_VALUES:
        yield TRUTH_VALUES[level]
    if NUMBER_PATTERN.fullmatch(level):
        number = float(level)
        yield str(number)
        if number.is_integer():
            yield str(int(number) if set(level) & set(".eE") else int(level))
        else:
            with np.errstate(over="ignore"):
                yield str(np.float32(number))


def _is_ambiguous(levels: Sequence[str]) -> bool:
    """Whether pandas may write a level as another one, such as 01 as 1."""
    known = spellings(levels)
    return any(known.get(text) != i for i, level in enumerate(levels) for text in _variants(level))


def read_options(reading: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """How `pandas.read_csv` has to be called: codes that it would mix up are read as text.

    Args:
        reading: how the columns are found, see `netsurgery.datasets.csv_reader`.
        data: description of the prepared dataset.
    """
    as_text = [c["name"] for c in data["columns"] if _is_ambiguous(c["levels"])]
    if not as_text:
        return dict(reading)
    numbered = reading.get("header", 0) is None
    return {**reading, "dtype": {int(name) if numbered else name: str for name in as_text}}


def missing_markers(data: Mapping[str, Any]) -> list[str | int | float]:
    """What means a missing number in this dataset, besides what pandas takes for missing.

    A text is given with a space before it, too, and a number as pandas reads it.
    """
    markers: list[str | int | float] = []
    # another file than that of the training samples may have some where that has none
    others = len(data["parts"]) > 1
    if any((c["missing"] or others) and c["kind"] == NUMBER for c in data["columns"]):
        for text in data["settings"].get("na_values", ()):
            markers += [text, f" {text}"]
            if NUMBER_PATTERN.fullmatch(text):
                number = float(text)
                markers.append(int(number) if number.is_integer() else number)
    return markers


def model_inputs(frame: pd.DataFrame, data: Mapping[str, Any]) -> Inputs:
    """What the model takes, from a data frame as pandas reads it from the user's file.

    The lines of `netsurgery.report.usage` do the same without this package.

    Args:
        frame: may have more columns, in any order.
        data: description of the prepared dataset.

    Raises:
        KeyError: the frame lacks a column.
        ValueError: a number cannot be read.
    """
    import pandas as pd

    names = input_names(data["columns"])
    table = frame.rename(columns=lambda name: str(name).strip())
    markers = missing_markers(data)

    def numbers(column: str) -> np.ndarray:
        values = table[column].replace(markers, None) if markers else table[column]
        return pd.to_numeric(values).astype(float).to_numpy()

    for column in date_columns(data):
        table[column] = days_of(table[column], format_of(data["settings"]))

    def texts(column: str) -> np.ndarray:
        return table[column].astype(str).str.strip().fillna("").to_numpy(object)

    arrays = {
        names[column["name"]]: (texts if column["kind"] == CATEGORY else numbers)(column["name"])
        for column in data["columns"]
    }
    return np.stack(list(arrays.values()), axis=1) if takes_rows(data) else arrays
