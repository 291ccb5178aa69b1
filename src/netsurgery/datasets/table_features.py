"""What the columns of a table become: the features of its rows.

A numeric column is one feature; a date has waves besides (see `netsurgery.datasets.dates`). A
category is one feature per level, named column-level, which is 1 where the value is that level; one
of many levels is a single feature, their code from 1, which is 0 where the value is missing or
unknown (see `netsurgery.datasets.codes`). Any other column with missing values has one more
feature, column-missing, which is 1 where the value is missing or, in a category, unknown. A missing
number is stored as NaN and becomes 0 after scaling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets.columns import CATEGORY, NUMBER, Column, codes_of
from netsurgery.datasets.dates import levels_of, waves
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.source import DataError, Settings
from netsurgery.storage.random_streams import random_stream

if TYPE_CHECKING:
    import pandas as pd

# kinds of features, in addition to NUMBER
LEVEL, MISSING, WAVE, CODE = "level", "missing", "wave", "code"


@dataclass(frozen=True)
class Feature:
    """One input of a network."""

    column: str
    kind: str  # number, level, missing, wave or code
    level: str | None = None

    def __str__(self) -> str:
        suffixes = {NUMBER: "", CODE: "", MISSING: "-missing"}
        return self.column + suffixes.get(self.kind, f"-{self.level}")

    def to_json(self) -> dict[str, Any]:
        """The feature as JSON values."""
        return asdict(self)


def features_of(columns: Sequence[Column], settings: Settings, path: Path) -> list[Feature]:
    """The features of a table's columns, in the order of the network's inputs: codes come last.

    Raises:
        DataError: a feature to drop does not exist, or the number of features does not match the
            image shape to reshape them to.
    """
    features, codes = [], []
    for column in columns:
        if _has_codes(column, settings):
            codes.append(Feature(column.name, CODE))
            continue
        if column.kind == NUMBER:
            features.append(Feature(column.name, NUMBER))
        features += [Feature(column.name, WAVE, level) for level in levels_of(column.periods)]
        features += [Feature(column.name, LEVEL, level) for level in column.levels]
        if column.missing and settings["missing_indicator"]:
            features.append(Feature(column.name, MISSING))
    features += codes
    for name in settings["drop_features"]:
        if name not in map(str, features):
            raise DataError(f"{path}: has no feature {name!r} (see `drop_features`)")
    features = [feature for feature in features if str(feature) not in settings["drop_features"]]
    if "feature_order_seed" in settings:
        stream = random_stream(settings["feature_order_seed"], "scramble")
        features = [features[i] for i in stream.permutation(len(features))]
    if "reshape_to" in settings and len(features) != np.prod(settings["reshape_to"]):
        height, width = settings["reshape_to"]
        raise DataError(
            f"{path}: has {len(features)} features, but `reshape_to` needs {height} x {width} = "
            f"{height * width}"
        )
    return features


def _has_codes(column: Column, settings: Settings) -> bool:
    """Whether a column is a category of too many levels for a feature each."""
    return len(column.levels) > settings["max_one_hot_levels"] and "reshape_to" not in settings


def encode(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    features: Sequence[Feature],
    numbers: NumberFormat,
) -> np.ndarray:
    """Encode some rows as features, float64 (rows, features)."""
    values = {
        column.name: codes_of(frame[column.name], column.levels)
        if column.kind == CATEGORY
        else numbers.numbers(frame[column.name])
        for column in columns
    }
    levels = {column.name: column.levels for column in columns}
    encoded = np.empty((len(frame), len(features)))
    for i, feature in enumerate(features):
        column = values[feature.column]
        if feature.kind == NUMBER:
            encoded[:, i] = column
        elif feature.kind == CODE:
            encoded[:, i] = column + 1
        elif feature.kind == WAVE:
            encoded[:, i] = waves(column, str(feature.level))
        elif feature.kind == LEVEL:
            encoded[:, i] = column == levels[feature.column].index(str(feature.level))
        else:
            encoded[:, i] = column < 0 if levels[feature.column] else np.isnan(column)
    return encoded
