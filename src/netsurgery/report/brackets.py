"""The matches and winners of a generation or decision point, as values for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Any

from netsurgery.search.arbor.judgement import loss_of
from netsurgery.search.arbor.plans import FreshPlan, RoundPlan, is_cooled
from netsurgery.search.ectonas.byes import expand_rounds
from netsurgery.search.ectonas.plans import BracketPlan
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record, RoundResult, Status
from netsurgery.search.steps import Phase, Step
from netsurgery.search.surgeon.plans import DecisionPlan


def _entry(record: Record, won: bool, round_: str = "") -> dict[str, Any]:
    """A candidate after a round, or after the last round of its training step."""
    last = RoundResult(record.batches_spent, record.score)
    after = record.rounds.get(round_, last)
    return {
        "candidate": record.candidate,
        "score": after.score,
        "parameters": record.parameters,
        "epochs": after.batches / record.batches_per_epoch,
        "failed": record.status != Status.OK and after.score is None,
        "won": won,
    }


def _rounds(
    plan: BracketPlan,
    trained: Mapping[str, Record],
    parents: Sequence[str],
    bracket: str,
) -> list[list[list[dict[str, Any]]]]:
    """Rounds of a bracket, each a list of groups, each a list of candidates.

    The candidates of a group trained in this round; the winner, which trains in the next one, is
    marked.

    Args:
        plan: of the generation.
        trained: the record of the candidate that trained in each round.
        parents: names of the parents that the generation selected.
        bracket: its name, such as phase1/add_units.
    """
    contenders, winners = expand_rounds(plan)
    following = {group: name for name, group in contenders.items()}
    ordered = sorted(contenders, key=lambda name: Step.parse(name).slot)
    rounds: dict[int, list[list[dict[str, Any]]]] = {}
    for group in [*(contenders[name] for name in ordered), *winners]:
        if not group or any(Step.parse(name).bracket != bracket for name in group):
            continue
        next_place = following.get(group)
        if next_place is None:
            advancing = list(parents)
        else:
            advancing = [trained[next_place].candidate] if next_place in trained else []
        entrants = [(trained[name], name) for name in group if name in trained]
        entries = [_entry(record, record.candidate in advancing, name) for record, name in entrants]
        rounds.setdefault(Step.parse(group[0]).number, []).append(entries)
    return [rounds[number] for number in sorted(rounds)]


@singledispatch
def describe(
    plan: GenerationPlan, records: Mapping[str, Record], parents: Sequence[str]
) -> dict[str, Any]:
    """A generation or decision point as plain values for the templates.

    Args:
        plan: of the generation.
        records: its records by training step.
        parents: names of the parents that the generation selected.
    """
    return {
        "kind": plan.kind,
        "number": plan.generation,
        "offspring": len(plan.offspring),
        "parents": list(parents),
    }


@describe.register
def _(plan: BracketPlan, records: Mapping[str, Record], parents: Sequence[str]) -> dict[str, Any]:
    """A generation of ECToNAS: the brackets of both phases, by mutation type in the first."""
    trained = {name: record for step, record in records.items() for name in plan.rounds_of(step)}
    contenders, _ = expand_rounds(plan)
    first_phase = (step for step in map(Step.parse, contenders) if step.phase is Phase.PHASE1)
    types = list(dict.fromkeys(step.operation for step in first_phase))
    return {
        "kind": plan.kind,
        "number": plan.generation,
        "offspring": len(plan.offspring),
        "rejected": len(plan.rejected),
        "parents": list(parents),
        "from": [parent.candidate for parent in plan.parents],
        "phase1": [(name, _rounds(plan, trained, parents, f"phase1/{name}")) for name in types],
        "phase2": _rounds(plan, trained, parents, "phase2"),
    }


@describe.register
def _(plan: RoundPlan, records: Mapping[str, Record], parents: Sequence[str]) -> dict[str, Any]:
    """A round of Arbor: its growths, each after its learning rate fell."""
    return _competition(plan, records, parents, plan.gradients)


@describe.register
def _(plan: FreshPlan, records: Mapping[str, Record], parents: Sequence[str]) -> dict[str, Any]:
    """Networks of Arbor that trained from fresh weights."""
    return _competition(plan, records, parents, {})


def _competition(
    plan: GenerationPlan,
    records: Mapping[str, Record],
    parents: Sequence[str],
    gradients: Mapping[str, float | None],
) -> dict[str, Any]:
    """The finished networks of a generation; the winner goes on."""
    cooled = [record for step, record in records.items() if is_cooled(step)]
    return {
        "kind": "competition",
        "number": plan.generation,
        "parents": list(parents),
        "gradients": bool(gradients),
        "networks": [
            _entry(record, record.candidate in parents)
            | {
                "operation": record.operation,
                "place": record.position,
                "gradient": gradients.get(record.candidate),
                "loss": loss_of(record),
                "multiplications": record.costs.multiplications,
            }
            for record in cooled
        ],
    }


@describe.register
def _(plan: DecisionPlan, records: Mapping[str, Record], parents: Sequence[str]) -> dict[str, Any]:
    """A decision point of the Surgeon: the candidates it tried, and those it selected."""
    return {
        "kind": plan.kind,
        "number": plan.generation,
        "offspring": len(plan.offspring),
        "redraws": plan.redraws,
        "parents": list(parents),
        "tried": [
            _entry(record, record.candidate in parents) | {"operation": record.operation}
            for step, record in records.items()
            if step not in plan.contenders
        ],
    }
