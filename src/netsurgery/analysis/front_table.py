"""The table of the finished networks of a search."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from netsurgery.search.lineage import COSTS

WHOLE_NUMBERS = ("parameters", *COSTS)
TEXTS = ("candidate", "model")


def read_front(path: Path) -> list[dict[str, Any]]:
    """The rows of a `front.csv`, the smallest network first, with numbers as numbers."""

    def parse(column: str, text: str) -> Any:
        if column in TEXTS:
            return text
        if column == "on_front":
            return text == "True"
        if column in WHOLE_NUMBERS:
            return int(text)
        return float(text) if text else None

    with path.open(encoding="utf-8", newline="") as file:
        return [{k: parse(k, v) for k, v in row.items()} for row in csv.DictReader(file)]
