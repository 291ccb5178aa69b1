"""The front of a search: the networks that no smaller one beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from typing import Any

from netsurgery.networks.costs import Costs
from netsurgery.objectives.metrics import is_maximized
from netsurgery.search.records import Record, Status
from netsurgery.search.steps import birth_order

COLUMNS = (
    "candidate",
    "parameters",
    *(field.name for field in fields(Costs)),
    "epochs_trained",
    "val_score",
    "on_front",
    "model",
)


def front_table(models: Mapping[str, Record], metric: str) -> list[dict[str, Any]]:
    """List the finished networks of a search, the smallest first.

    Args:
        models: records by model file, in order; of a candidate with several the last one counts.
        metric: that the scores are of.

    Returns:
        Rows with `COLUMNS`. `on_front` says whether each network with at most as many parameters
        has a worse score.
    """
    intact = {
        record.candidate: (model, record)
        for model, record in models.items()
        if record.status == Status.OK and record.score is not None
    }
    best = on_front([record for _, record in intact.values()], metric)
    rows = [
        dict(
            zip(
                COLUMNS,
                (
                    record.candidate,
                    record.parameters,
                    *astuple(record.costs),
                    record.epochs_trained,
                    record.score,
                    record.candidate in best,
                    model,
                ),
                strict=True,
            )
        )
        for model, record in intact.values()
    ]
    return sorted(rows, key=lambda row: (row["parameters"], birth_order(row["candidate"])))


def on_front(records: Sequence[Record], metric: str) -> set[str]:
    """The candidates that no other with at most as many parameters equals or beats."""
    direction = 1 if is_maximized(metric) else -1

    def order(record: Record) -> tuple[float, ...]:
        assert record.score is not None
        return (record.parameters, -direction * record.score, *birth_order(record.candidate))

    found, best = set(), float("-inf")
    for record in sorted(records, key=order):
        assert record.score is not None
        if direction * record.score > best:
            best = direction * record.score
            found.add(record.candidate)
    return found
