"""The files of a finished search read, and those of its pictures written.

A figure appears whole or not at all, and one that did not change is the same file again.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from netsurgery.files import read_json, written
from netsurgery.layout import SearchFolder
from netsurgery.plots.epochs import accuracy, size
from netsurgery.plots.style import styled
from netsurgery.plots.tree import family_tree


def read_lineage(path: Path) -> list[dict[str, Any]]:
    """The rows of a `lineage.csv`, with the types that `outcome.lineage` gave them."""

    def typed(column: str, text: str) -> Any:
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
        return [{k: typed(k, v) for k, v in row.items()} for row in csv.DictReader(file)]


@styled
def save(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all; as an SVG always the same bytes."""
    kind = path.suffix.removeprefix(".")
    with written(path) as temporary:
        figure.savefig(temporary, format=kind, metadata={"Date": None} if kind == "svg" else {})


def write(folder: SearchFolder, kind: str) -> None:
    """Write the pictures of a finished search.

    Args:
        folder: of the search and seed.
        kind: svg or png.
    """
    search, records = folder.root.parent.name, folder.records()
    summary = read_json(folder.final / "summary.json")
    drawn = {
        "accuracy": accuracy(search, records, summary),
        "size": size(search, records, summary),
        "family_tree": family_tree(search, read_lineage(folder.lineage), summary),
    }
    for name, figure in drawn.items():
        save(figure, folder.root / "plots" / f"{name}.{kind}")
