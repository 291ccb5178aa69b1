"""What the reference models of a search gave: their file, and rows for tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsurgery.analysis.test_figures import test_figure
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import read_json


@dataclass(frozen=True)
class Reference:
    """A model that is no network.

    Attributes:
        name: such as gradient boosting.
        result: its test figure, or why it was not trained.
        seconds: how long it took to train and test; None if it was not trained.
    """

    name: str
    result: str
    seconds: float | None


def read_references(folder: Path) -> list[Reference]:
    """The reference models of a search and seed, by its folder; none if they were not asked for."""
    path = SearchFolder(folder).reference
    return list(map(_reference, read_json(path)["models"])) if path.exists() else []


def _reference(row: Mapping[str, Any]) -> Reference:
    if "why" in row:
        return Reference(row["name"], f"not trained: {row['why']}", None)
    return Reference(row["name"], test_figure(row["test_metrics"]), row["seconds"])
