"""What a dataset is once prepared, in words: for `netsurgery check`, the report and the card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from netsurgery.datasets.column_summaries import LEFT_OUT, TARGET, shown_levels, span
from netsurgery.datasets.joined_inputs import description_of, parts_of
from netsurgery.datasets.source import TRAINING
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

CLASSES = 20  # that are listed with their samples
COLUMN_HEADER = ("column", "became", "values", "missing", "features")
KINDS = {
    1: "rows of {} features",
    2: "series of {} steps x {} channels",
    3: "images of {} x {} pixels, {} channels",
}


def _shape(data: Mapping[str, Any]) -> str:
    if data["inputs"]:
        parts = parts_of(data)
        return "; ".join(f"{part.name}: {_shape(description_of(data, part))}" for part in parts)
    return KINDS[len(data["shape"])].format(*data["shape"]).replace(" 1 channels", " 1 channel")


def facts(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a dataset consists of: names and texts.

    Args:
        data: description of the prepared dataset.
    """
    several = len(data["parts"]) > 1
    parts = ", ".join(
        f"{count:,} {part}" if several else f"{count:,}" for part, count in data["parts"].items()
    )
    yield "samples", f"{parts}; {_shape(data)}"
    if len(data["shape"]) == 2 and len(channels := data["file_columns"]) > 1:
        rest = ", ..." if len(channels) > CLASSES else ""
        yield "channels", ", ".join(channels[:CLASSES]) + rest
    if data["range"] and not data["table"]:
        yield "values", span(*data["range"])
    if data["task"] == REGRESSION:
        several = data["outputs"] > 1
        yield "targets" if several else "target", f"numbers, {span(*data['target_range'])}"
        return
    kind = "labels" if data["task"] == MULTILABEL else "classes"
    counts = data["label_counts" if kind == "labels" else "class_counts"][TRAINING]
    listed = [f"{name} {count:,}" for name, count in list(counts.items())[:CLASSES]]
    more = [f"{len(counts) - CLASSES} more"] if len(counts) > CLASSES else []
    yield f"{len(counts)} {kind}", ", ".join([*listed, *more])


def _target_values(name: str, data: Mapping[str, Any]) -> str:
    """What the values of a column to predict are."""
    if data["task"] == CLASSIFICATION:
        return shown_levels(data["classes"])
    if data["task"] == MULTILABEL:
        counts = data["label_counts"][TRAINING]
        return f"{counts[name]:,} yes" if name in counts else shown_levels(data["labels"])
    ranges = data["target_ranges"] or [data["target_range"]]
    return span(*ranges[data["targets"].index(name)])


def column_rows(data: Mapping[str, Any], most: int | None = None) -> list[tuple[str, ...]]:
    """What each column of a table became, below the header `COLUMN_HEADER`; empty for other data.

    Args:
        data: description of the prepared dataset.
        most: rows; one more says how many columns are not listed.
    """
    rows = []
    for column in data["table"]:
        values = column["values"]
        if column["became"] == TARGET:
            values = _target_values(column["name"], data)
        used = column["became"] not in (TARGET, LEFT_OUT)
        counts = (column["missing"] or "", column["features"]) if used else ("", "")
        rows.append((column["name"], column["became"], values, *map(str, counts)))
    if most is not None and len(rows) > most:
        return [*rows[:most], (f"{len(rows) - most} more columns", *[""] * 4)]
    return rows
