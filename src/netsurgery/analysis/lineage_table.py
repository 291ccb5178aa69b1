"""The lineage table of a search."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from netsurgery.search.lineage import COSTS

WHOLE_NUMBERS = ("generation", "position", "parameters", *COSTS)
Row = TypeVar("Row", bound=Mapping[str, Any])


def read_lineage(path: Path) -> list[dict[str, Any]]:
    """The rows of a `lineage.csv`, with numbers as numbers and None for empty cells."""

    def parse(column: str, text: str) -> Any:
        match column:
            case "position" if not text.isdigit():
                return text or None  # a place in a block, such as 3.body.1
            case _ if column in WHOLE_NUMBERS:
                return int(text) if text else None
            case "epochs_trained" | "val_score":
                return float(text) if text else None
            case "parent" | "operation":
                return text or None
            case _:
                return text

    with path.open(encoding="utf-8", newline="") as file:
        return [{k: parse(k, v) for k, v in row.items()} for row in csv.DictReader(file)]


def ancestry(rows: Sequence[Row], candidate: str) -> list[Row]:
    """Return the rows of a candidate and its ancestors, the initial network first.

    Args:
        rows: of a lineage table.
        candidate: its name.

    Raises:
        KeyError: there is no such candidate.
    """
    by_name = {row["candidate"]: row for row in rows}
    chain = [by_name[candidate]]
    while parent := chain[-1]["parent"]:
        chain.append(by_name[parent])
    return chain[::-1]
