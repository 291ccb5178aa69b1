"""The lineage of a search: every candidate, its parent, and where it was eliminated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from typing import Any

from netsurgery.networks.costs import Costs
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record
from netsurgery.search.steps import Step, birth_order

COSTS = tuple(field.name for field in fields(Costs))
LINEAGE_COLUMNS = (
    "candidate",
    "parent",
    "generation",
    "operation",
    "position",
    "parameters",
    *COSTS,
    "epochs_trained",
    "val_score",
    "status",
    "eliminated_in",
)


def last_records(records: Sequence[Record]) -> dict[str, Record]:
    """The last record of every candidate, which trained it furthest, in order of birth."""
    last: dict[str, Record] = {}
    for record in records:
        known = last.get(record.candidate)
        if known is None or _progress(record) >= _progress(known):
            last[record.candidate] = record
    return {name: last[name] for name in sorted(last, key=birth_order)}


def _progress(record: Record) -> tuple[int, int, int]:
    step = Step.parse(record.step)
    return step.phase.order, record.batches_trained, step.number


def lineage(records: Sequence[Record], survivors: set[str], final: str) -> list[dict[str, Any]]:
    """Make the table of all candidates.

    Args:
        records: all records of the search.
        survivors: candidates that became parents.
        final: the final candidate.

    Returns:
        Rows with `LINEAGE_COLUMNS`. `eliminated_in` is the training step, such as
        g01/phase1/add_dense/round2/slot0, "final" for parents of the last generation that were not
        selected, and empty for candidates that were never eliminated.
    """
    last = last_records(records)
    parents = {record.parent for record in last.values()}
    rows = []
    for candidate, record in last.items():
        if candidate == final or (candidate in survivors and candidate in parents):
            eliminated = ""
        elif candidate in survivors:
            eliminated = "final"
        else:
            eliminated = f"g{record.generation:02d}/{record.step}"
        values = (
            candidate,
            record.parent,
            record.generation,
            record.operation,
            record.position,
            record.parameters,
            *astuple(record.costs),
            record.epochs_trained,
            record.score,
            record.status,
            eliminated,
        )
        rows.append(dict(zip(LINEAGE_COLUMNS, values, strict=True)))
    return rows


def beaten(
    plan: GenerationPlan, candidates: Mapping[str, str], parents: Sequence[str]
) -> dict[str, list[str]]:
    """Find out who eliminated each candidate of a generation that is not one of the next parents.

    Args:
        plan: of the generation.
        candidates: the candidate that trained in each of its steps.
        parents: the next parents.

    Returns:
        For each eliminated candidate those that went on in its place: the winner of its last match,
        or all of them where several went on (a try of the Surgeon). Parents that stayed because all
        others failed are listed, too.
    """
    last = {candidate: step for step, candidate in candidates.items()}
    next_steps: dict[str, list[str]] = {}
    for step, contenders in plan.contenders.items():
        for contender in contenders:
            next_steps.setdefault(contender, []).append(step)
    found = {}
    for loser, step in last.items():
        if loser in parents:
            continue
        following = next_steps.get(step)
        if following is None:
            groups = [group for group in plan.winners if step in group] or plan.winners
            following = [step for group in groups for step in group]
            others = {candidates[step] for step in following} & set(parents) or set(parents)
        else:
            others = {candidates[step] for step in following}
        found[loser] = sorted(others - {loser}, key=birth_order)
    return found
