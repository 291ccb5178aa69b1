"""What a search came to: the parents of the next generation, the lineage, the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netsurgery.networks.network import Topology
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record

LINEAGE_COLUMNS = (
    "candidate",
    "parent",
    "generation",
    "operation",
    "position",
    "parameters",
    "epochs_trained",
    "val_score",
    "status",
    "eliminated_in",
)


def last_records(records: Sequence[Record]) -> dict[str, Record]:
    """The last record of every candidate: the one that trained it furthest, in order of birth."""
    last: dict[str, Record] = {}
    for record in records:
        known = last.get(record.candidate)
        if known is None or _progress(record) >= _progress(known):
            last[record.candidate] = record
    return dict(sorted(last.items()))


def _progress(record: Record) -> tuple[int, int, str]:
    order = ("recuperation", "phase1", "phase2", "try", "final")
    phase = next((i for i, name in enumerate(order) if record.step.startswith(name)), -1)
    return phase, record.batches_trained, record.step


def lineage(records: Sequence[Record], survivors: set[str], final: str) -> list[dict[str, Any]]:
    """A row per candidate.

    Args:
        records: all records of the search.
        survivors: candidates that became parents.
        final: the candidate that was selected in the end.

    Returns:
        Rows with `LINEAGE_COLUMNS`; `eliminated_in` is empty for those never eliminated, "final"
        for parents of the last generation that were not selected, else such as g01/phase1/round2.
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
    """By whom each candidate of a generation was eliminated that is none of the next parents.

    Args:
        plan: of the generation.
        candidates: who trained in each of its steps.
        parents: the next ones.

    Returns:
        Of each loser those that went on in its place: the winner of its last group, or, where
        several went on from a group (a try of the Surgeon), all of these. Who went on although it
        had won nothing, as when all others fell, is named as well.
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
        found[loser] = sorted(others - {loser})
    return found


def summary(
    settings: Mapping[str, Any],
    seed: int,
    final: Record,
    start_parameters: int,
    spent: int,
    generations: int,
    candidates: int,
    test: Mapping[str, Any],
    wall_seconds: float = 0.0,
) -> dict[str, Any]:
    """The headline of a search, the same keys for every algorithm.

    Args:
        settings: of the search.
        seed: of the search.
        final: record of the selected candidate.
        start_parameters: of the starting topology.
        spent: batches trained over all candidates.
        generations: how many were completed.
        candidates: how many networks were trained, the starting one included.
        test: loss and metrics on the test samples.
        wall_seconds: of all training steps, as if they had run one after the other.
    """
    metric = settings["objective"]
    last = final.history[-1] if final.history else {}
    per_epoch = final.batches_per_epoch
    topology = Topology.from_json(final.topology)
    return {
        "algorithm": settings["algorithm"],
        "dataset": settings["dataset"],
        "topology": settings["topology"],
        "seed": seed,
        "greediness": settings.get("greediness"),
        "mode": settings.get("mode"),
        "objective": metric,
        "budget": settings["epochs"]
        if settings["algorithm"] == "baseline"
        else settings.get("budget"),
        "epochs_spent": spent / per_epoch,
        "generations": generations,
        "candidates": candidates,
        "candidate": final.candidate,
        "start_parameters": start_parameters,
        "parameters": final.parameters,
        "val_score": final.score,
        "test_score": test[metric.removeprefix("val_")],
        "val_accuracy": last.get("val_accuracy"),
        "test_accuracy": test.get("accuracy"),
        "test_loss": test["loss"],
        "test_metrics": {key: test[key] for key in test if key not in ("samples", "checksums")},
        "epochs_trained": final.epochs_trained,
        "wall_seconds": wall_seconds,
        "status": final.status,
        "layers": [str(layer) for layer in topology.layers],
    }
