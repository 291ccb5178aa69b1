"""Read the lineage table of a search."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any


def read_lineage(path: Path) -> list[dict[str, Any]]:
    """The rows of a `lineage.csv`, with numbers as numbers and None for empty cells."""

    def parse(column: str, text: str) -> Any:
        match column:
            case "generation" | "parameters" | "position":
                return int(text) if text else None
            case "epochs_trained" | "val_score":
                return float(text) if text else None
            case "parent" | "operation":
                return text or None
            case _:
                return text

    with path.open(encoding="utf-8", newline="") as file:
        return [{k: parse(k, v) for k, v in row.items()} for row in csv.DictReader(file)]
