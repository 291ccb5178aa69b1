"""Finished searches in a results folder: their summaries, models and lineages."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netsurgery.analysis.lineage_table import ancestry
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.files import read_json


@dataclass(frozen=True)
class FinishedSearch:
    """A search that ran to its end with one seed.

    Attributes:
        name: Its name in the configuration, such as `digits` or `sizes.cnn-small`.
        seed: Its seed.
        folder: Its folder, such as `results/digits/seed42`.
        summary: `final/summary.json`: test accuracy, parameters, epochs, and so on.
    """

    name: str
    seed: int
    folder: Path
    summary: Mapping[str, Any]

    @property
    def model(self) -> Path:
        """The final Keras model. It takes raw data."""
        return SearchFolder(self.folder).final / "model.keras"

    @property
    def lineage_file(self) -> Path:
        """The table of all candidates."""
        return SearchFolder(self.folder).lineage

    def lineage(self, candidate: str | None = None) -> list[dict[str, str]]:
        """Return the rows of a candidate and its ancestors, the initial network first.

        Args:
            candidate: Its name, such as `g02c07`; None for the final one.

        Raises:
            KeyError: There is no such candidate.
        """
        with self.lineage_file.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return ancestry(rows, candidate or self.summary["candidate"])


def finished_searches(results: Path | str) -> list[FinishedSearch]:
    """Return the finished searches of a results folder, by name and seed."""
    found = []
    for path in Path(results).glob("*/seed*/final/summary.json"):
        folder, summary = path.parent.parent, read_json(path)
        found.append(FinishedSearch(folder.parent.name, summary["seed"], folder, summary))
    return sorted(found, key=lambda search: (search.name, search.seed))


def useless_networks(searches: Iterable[FinishedSearch]) -> Iterator[str]:
    """A line for each search whose final network is no better than a guess."""
    for search in searches:
        if warning := search.summary.get("warning"):  # missing in 0.1
            yield f"{search.folder}: no better than a guess: {warning}"
