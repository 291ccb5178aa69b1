"""The branches of a Surgeon search: the networks that a decision point starts from."""

from __future__ import annotations

import math
from collections.abc import Mapping

from netsurgery.networks.topology import Topology
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record, Status
from netsurgery.search.surgeon.recommendation import Analysis, analyse
from netsurgery.search.trainer import Trainer
from netsurgery.search.winners import Winner, Winners, model_name


def topology_of(record: Record) -> Topology:
    """The topology in a record."""
    return Topology.from_json(record.topology)


def accuracy(record: Record) -> float:
    """The accuracy on the validation samples; -inf for a failed candidate."""
    failed = record.status != Status.OK or record.score is None
    return -math.inf if failed or record.score is None else record.score


def analyse_branches(branches: Winners, trainer: Trainer) -> dict[str, list[Analysis]]:
    """Analyse the dense layers of all branches, by candidate; none of a failed one."""
    return {
        each.record.candidate: analyse(trainer.network(each.model))
        if each.record.status == Status.OK
        else []
        for each in branches.parents
    }


def next_branches(
    plan: GenerationPlan, records: Mapping[str, Record], previous: Winners
) -> Winners:
    """The branches after a decision point; the previous ones if it accepted none.

    Args:
        plan: of the decision point.
        records: of all its training steps.
        previous: the branches before it.
    """
    accepted = [step for (step,) in plan.winners if records[step].status == Status.OK]
    parents = [Winner(records[step], model_name(plan.generation, step)) for step in accepted]
    return previous.followed_by(parents, records.values())
