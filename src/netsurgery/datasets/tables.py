"""Tables: numbers as they are, categories one-hot, perhaps folded into images.

Every column of numbers is a feature; every level of a category is one, called column-level, 1
where the value is that level; and a column that lacks values has one, column-missing, 1 where the
value is missing or, of a category, unknown. A missing number is stored as NaN and becomes 0 after
scaling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import table_reader
from netsurgery.datasets.columns import (
    CATEGORY,
    NUMBER,
    Column,
    codes_of,
    numbers_of,
    survey,
    text_of,
)
from netsurgery.datasets.source import TEST, TRAINING, VALIDATION, DataError, Piece, Source
from netsurgery.networks.layers import Shape
from netsurgery.storage.random_streams import random_stream

if TYPE_CHECKING:
    import pandas as pd

LEVEL, MISSING = "level", "missing"  # kinds of features, besides NUMBER
FILES = {"path": TRAINING, "validation_path": VALIDATION, "test_path": TEST}


@dataclass(frozen=True)
class Feature:
    """What one input of a network stands for."""

    column: str
    kind: str  # number, level or missing
    level: str | None = None

    def __str__(self) -> str:
        ends = {NUMBER: "", LEVEL: f"-{self.level}", MISSING: "-missing"}
        return self.column + ends[self.kind]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def features_of(
    columns: Sequence[Column], settings: Mapping[str, Any], path: Path
) -> list[Feature]:
    """The features of a table's columns, in the order in which networks get them.

    Raises:
        DataError: one that is to be left out is not there, or they do not fold.
    """
    found = []
    for column in columns:
        if column.kind == NUMBER:
            found.append(Feature(column.name, NUMBER))
        found += [Feature(column.name, LEVEL, level) for level in column.levels]
        if column.missing and settings["missing_indicator"]:
            found.append(Feature(column.name, MISSING))
    for name in settings["drop_features"]:
        if name not in map(str, found):
            raise DataError(f"{path}: gives no feature {name!r}, which `drop_features` names")
    found = [feature for feature in found if str(feature) not in settings["drop_features"]]
    if "feature_order_seed" in settings:
        order = random_stream(settings["feature_order_seed"], "scramble").permutation(len(found))
        found = [found[i] for i in order]
    if "reshape_to" in settings and len(found) != np.prod(settings["reshape_to"]):
        height, width = settings["reshape_to"]
        raise DataError(
            f"{path}: gives {len(found)} features, which do not fold into {height} x {width} = "
            f"{height * width}"
        )
    return found


def encode(
    frame: pd.DataFrame, columns: Sequence[Column], features: Sequence[Feature]
) -> np.ndarray:
    """The features of some rows, float32 (rows, features)."""
    values = {
        column.name: codes_of(frame[column.name], column.levels)
        if column.kind == CATEGORY
        else numbers_of(frame[column.name])
        for column in columns
    }
    levels = {column.name: column.levels for column in columns}
    found = np.empty((len(frame), len(features)), np.float32)
    for i, feature in enumerate(features):
        column = values[feature.column]
        if feature.kind == NUMBER:
            found[:, i] = column
        elif feature.kind == LEVEL:
            found[:, i] = column == levels[feature.column].index(str(feature.level))
        else:
            found[:, i] = column < 0 if levels[feature.column] else np.isnan(column)
    return found


def _targets(
    values: pd.Series, task: str, settings: Mapping[str, Any], path: Path, start: int
) -> np.ndarray:
    """Labels of some rows: text for classes, float64 for regression."""
    where = f"{path}: target {values.name!r}"
    lacking = np.flatnonzero(values.isna())
    if len(lacking):
        raise DataError(f"{where} is missing in row {start + lacking[0] + 1}")
    as_numbers = numbers_of(values)
    if task == "regression":
        wrong = np.flatnonzero(~np.isfinite(as_numbers))
        if len(wrong):
            place = int(wrong[0])
            raise DataError(
                f"{where}, row {start + place + 1} is {values.iloc[place]!r}, no finite number; "
                f"regression needs numbers"
            )
        return as_numbers
    fractions = np.flatnonzero(np.isfinite(as_numbers) & (as_numbers % 1 != 0))
    if len(fractions):
        raise DataError(
            f"{where} holds floats ({as_numbers[fractions[0]]} in row {start + fractions[0] + 1}); "
            f"classes are whole numbers or text (or set task: regression)"
        )
    labels = np.array(list(text_of(values)), dtype=str)
    return np.char.rstrip(labels, settings["strip_labels"]) if settings["strip_labels"] else labels


def is_flat(settings: dict[str, Any]) -> bool:
    """Whether samples are rows of features, not folded into images."""
    return "reshape_to" not in settings


def open_table(settings: dict[str, Any]) -> Source:
    """A table, its columns surveyed.

    Raises:
        DataError: it cannot be read, or its columns are wrong.
    """
    paths = {part: Path(settings[key]) for key, part in FILES.items() if key in settings}
    path = paths[TRAINING]
    names = table_reader.names_of(path, settings)
    target = table_reader.find_column(settings["target"], names, path, "target")
    asides = {
        key: {table_reader.find_column(name, names, path, key) for name in settings[key]}
        for key in ("drop", "categorical")
    }
    used = [name for name in names if name != target and name not in asides["drop"]]
    if not used:
        raise DataError(f"{path}: has no column besides its target")
    counts = {}
    for part, file in paths.items():
        theirs = table_reader.names_of(file, settings)
        if theirs != names:
            odd = next((n for n in (*names, *theirs) if (n in names) != (n in theirs)), None)
            raise DataError(
                f"{file}: has other columns than {path}" + (f" ({odd!r})" if odd else "")
            )
        counts[part] = sum(len(frame) for frame in table_reader.frames(file, settings, names))
    columns = survey(table_reader.frames(path, settings, names), used, asides["categorical"], path)
    features = features_of(columns, settings, path)
    shape: Shape = (*settings["reshape_to"], 1) if "reshape_to" in settings else (len(features),)

    def pieces(part: str) -> Iterator[Piece]:
        start = 0
        for frame in table_reader.frames(paths[part], settings, names):
            y = _targets(frame[target], settings["task"], settings, paths[part], start)
            _refuse_text(frame, columns, paths[part], start)
            yield encode(frame, columns, features).reshape(-1, *shape), y
            start += len(frame)

    return Source(
        origin=str(path),
        version="",
        shape=shape,
        dtype=np.dtype(np.float32),
        counts=counts,
        pieces=pieces,
        scaling="standard",
        names={part: f"{file}: target {target!r}" for part, file in paths.items()},
        missing=True,
        columns=tuple(column.to_json() for column in columns),
        features=tuple(feature.to_json() for feature in features),
    )


def _refuse_text(frame: pd.DataFrame, columns: Sequence[Column], path: Path, start: int) -> None:
    """Stop at text in a column that has numbers in the training part."""
    for column in columns:
        if column.kind == NUMBER:
            values = numbers_of(frame[column.name])
            wrong = np.flatnonzero(
                (np.isnan(values) & frame[column.name].notna()) | np.isinf(values)
            )
            if len(wrong):
                raise DataError(
                    f"{path}: column {column.name!r}, row {start + wrong[0] + 1} is "
                    f"{frame[column.name].iloc[wrong[0]]!r}, not a finite number"
                )
