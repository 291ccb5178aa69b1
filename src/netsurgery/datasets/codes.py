"""Categories of many levels: they enter the network as codes, which it looks up in a table.

The columns share one table, with a trained vector for each code. So the codes of a column follow
those of the columns before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netsurgery.datasets.table_features import CODE


def counts(data: Mapping[str, Any]) -> list[int]:
    """How many codes each column of codes has, in the order of the inputs, which they end.

    Args:
        data: description of the prepared dataset.
    """
    levels = {column["name"]: len(column["levels"]) for column in data["columns"]}
    return [levels[f["column"]] + 1 for f in data["features"] if f["kind"] == CODE]


def offsets(data: Mapping[str, Any]) -> np.ndarray:
    """What is added to each feature so that all codes differ; 0 for other features (features,)."""
    found = np.zeros(len(data["features"]))
    if of_columns := counts(data):
        found[-len(of_columns) :] = np.cumsum([0, *of_columns[:-1]])
    return found
