"""What the Surgeon decides at a decision point (Surgeon, algorithm 1 and section 3.3).

A decision point is a chain of tries. Each draws modifications of the branches, re-trains them,
picks the best and trains these to the full epoch step; if none is as good as the best branch was,
another is drawn. Plans are plain values, made of records and singular values; costs are in batches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netsurgery.networks.network import Topology
from netsurgery.search.ectonas.generation import FINISH, SEARCH, recuperation_of
from netsurgery.search.records import OK, Record
from netsurgery.search.scores import surgeon_score
from netsurgery.search.surgeon import stopping
from netsurgery.search.surgeon.recommendation import (
    Analysis,
    DrawSettings,
    Recommendation,
    Thresholds,
    draw,
    recommend,
)
from netsurgery.storage.random_streams import random_stream
from netsurgery.storage.settings import from_settings as read_settings
from netsurgery.surgery import operations

SETTLE = "settle"  # the tries of a decision point are over
LAST = (SETTLE, FINISH)  # no try follows
RECOMMENDED, RANDOM = "recommended", "random"
KEEP_BEST = "keep_best"

Tried = tuple[str, str, int | None, int | None]  # parent, operation, position, width


@dataclass(frozen=True)
class DecisionSettings:
    """The settings that shape a decision point (the paper's defaults are the config schema's)."""

    mode: str
    branches: int
    max_redraws: int
    recuperation_batches: int
    recuperation_factors: Mapping[str, int]
    thresholds: Thresholds
    draw: DrawSettings
    tie_break: str
    on_no_improvement: str
    max_parameters: int

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> DecisionSettings:
        """Read them from the settings of a search."""
        return read_settings(cls, settings)

    def recuperation(self, operation: str, step: int, per_epoch: int) -> int:
        """Batches of re-training: a part of the step, and an epoch at most."""
        wanted = self.recuperation_batches * self.recuperation_factors[operation]
        return min(wanted, per_epoch, step)


@dataclass(frozen=True)
class StoppingSettings:
    """The settings that end a search. No decision point knows them, so they may change later."""

    epochs: int
    warm_up_epochs: int
    decision_epochs: int
    early_stopping: Mapping[str, int]
    budget: float | None = None
    target_accuracy: float | None = None

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> StoppingSettings:
        """Read them from the settings of a search."""
        return read_settings(cls, settings)

    def epochs_left(self, decided: int) -> int:
        """Epochs of the schedule behind so many decision points."""
        return self.epochs - self.warm_up_epochs - decided * self.decision_epochs


# --- how far it may go ----------------------------------------------------------------------------


def max_cost(first: bool, step: int, per_epoch: int, rules: DecisionSettings) -> int:
    """The most that a try can cost, whatever is recommended."""
    if rules.mode == RANDOM:
        return step
    of = {
        operation: rules.recuperation(operation, step, per_epoch)
        for operation in rules.recuperation_factors
    }
    identity = of.pop(operations.IDENTITY.name)
    most = max(identity, *of.values())
    if rules.draw.by_type:
        batches = [identity] * (rules.branches if first else 0) + list(of.values())
    else:
        batches = [most] * rules.draw.top_k
    batches = sorted(batches + [most] * rules.draw.add_random_candidate)
    # what is re-trained and chosen counts into the step
    return sum(batches[rules.branches :]) + rules.branches * step


def next_decision(
    past: Sequence[Sequence[Record]], spent: int, rules: DecisionSettings, ending: StoppingSettings
) -> str:
    """Whether another decision point follows: its step in batches, or the end and why.

    This line is all that a decision point knows of the search's end, so that a longer search leaves
    what is decided as it is.

    Args:
        past: the branches after the initial training and after every decision point.
        spent: batches trained so far over all candidates.
        rules: of the search.
        ending: of the search.

    Returns:
        "search <step>", or "finish <batches that the winner is still to be trained> <reason>".
    """
    per_epoch = past[0][0].batches_per_epoch
    if any(record.status != OK for record in past[-1]):
        return f"{FINISH} 0 the starting topology did not survive its training"
    winners = [max(records, key=_accuracy) for records in past]
    best = [_accuracy(record) for record in winners]
    left = ending.epochs_left(len(past) - 1) * per_epoch
    if left <= 0:
        return f"{FINISH} 0 {ending.epochs} epochs are trained"
    if ending.target_accuracy is not None and best[-1] >= ending.target_accuracy:
        return f"{FINISH} 0 the accuracy of {ending.target_accuracy} is reached"
    states = [stopping.state_of(topology_of(record)) for record in winners]
    if reason := stopping.reason_to_stop(best, states, ending.early_stopping):
        return f"{FINISH} 0 {reason}"
    step = min(left, ending.decision_epochs * per_epoch)
    if ending.budget is not None:
        rest = int(ending.budget * per_epoch) - spent
        if max_cost(True, step, per_epoch, rules) > rest:
            further = max(0, min(rest, left))
            return f"{FINISH} {further} the budget may not last for another decision point"
    return f"{SEARCH} {step}"


def may_redraw(
    spent: int, step: int, per_epoch: int, rules: DecisionSettings, ending: StoppingSettings
) -> bool:
    """Whether the budget lasts for another try of a decision point."""
    if ending.budget is None:
        return True
    return max_cost(False, step, per_epoch, rules) <= int(ending.budget * per_epoch) - spent


def topology_of(record: Record) -> Topology:
    """The topology in a record."""
    return Topology.from_json(record.topology)


def _accuracy(record: Record) -> float:
    """The accuracy on the validation samples; below all for the fallen."""
    return -math.inf if record.status != OK or record.score is None else record.score


# --- what is tried --------------------------------------------------------------------------------


def tried(offspring: Sequence[Mapping[str, Any]]) -> set[Tried]:
    """What distinguishes the modifications in plans."""
    return {(o["parent"], o["operation"], o["position"], o["width"]) for o in offspring}


def key_of(each: Recommendation, parents: Sequence[Record]) -> Tried:
    """What distinguishes a recommended modification."""
    mutation = each.mutation
    parent = parents[each.branch].candidate
    return parent, mutation.operation.name, mutation.position, mutation.width


def recommendations(
    parents: Sequence[Record], analyses: Mapping[str, Sequence[Analysis]], rules: DecisionSettings
) -> list[Recommendation]:
    """All modifications of the branches, the best first.

    Args:
        parents: the branches.
        analyses: of each branch's dense layers, by candidate.
        rules: of the search.
    """
    branches = [(topology_of(parent), analyses[parent.candidate]) for parent in parents]
    return recommend(branches, rules.thresholds, rules.tie_break, rules.max_parameters)


def select(
    parents: Sequence[Record],
    pool: Sequence[Recommendation],
    done: set[Tried],
    generation: int,
    attempt: int,
    rules: DecisionSettings,
    seed: int,
) -> list[tuple[Recommendation, bool]]:
    """The modifications of a try, and whether each was drawn at random; none if all are tried."""
    rng = random_stream(seed, "draw", generation, attempt)
    untried = [each for each in pool if key_of(each, parents) not in done]
    if rules.mode != RANDOM:
        return draw(untried, attempt == 1, rules.draw, rng)
    surgeries = [e for e in untried if not e.mutation.operation.changes_nothing] or untried
    return [(surgeries[rng.integers(len(surgeries))], True)] if surgeries else []


def plan_try(
    parents: Sequence[Record],
    models: Sequence[str],
    chosen: Sequence[tuple[Recommendation, bool]],
    generation: int,
    attempt: int,
    known: int,
    step: int,
    rules: DecisionSettings,
) -> dict[str, Any]:
    """A try: its offspring, and the slots of those that are trained to the full step.

    Args:
        parents: the branches.
        models: their model files, relative to the search's folder.
        chosen: see `select`.
        generation: number of the decision point.
        attempt: number of the try, from 1.
        known: offspring of the decision point's tries before.
        step: batches to the next decision point.
        rules: of the search.
    """
    per_epoch = parents[0].batches_per_epoch
    offspring = [
        {
            "candidate": f"g{generation:02d}c{known + number:02d}",
            "generation": generation,
            "parent": parents[each.branch].candidate,
            "model": models[each.branch],
            **each.mutation.to_json(),
            "parameters": each.parameters,
            "batches": rules.recuperation(each.mutation.operation.name, step, per_epoch),
            "recommendation": round(each.score, 6),
            "drawn": drawn,
        }
        for number, (each, drawn) in enumerate(chosen)
    ]
    feeders = [recuperation_of(child["candidate"]) for child in offspring]
    slots = [f"try{attempt}/slot{i}" for i in range(min(rules.branches, len(offspring)))]
    return {
        "action": SEARCH,
        "generation": generation,
        "try": attempt,
        "step_batches": step,
        "offspring": offspring,
        "slots": dict.fromkeys(slots, feeders),
    }


# --- what comes of it -----------------------------------------------------------------------------


def accept_or_redraw(
    parents: Sequence[Record],
    tries: Sequence[Mapping[str, Record]],
    more: bool,
    rules: DecisionSettings,
) -> dict[str, Any] | None:
    """The next branches; None if there is to be another try.

    Those of the last try stay whose accuracy is at least that of the best branch before. If no try
    has any, the best that was tried at this decision point goes on, or, to backtrack, the branches
    of before do.

    Args:
        parents: the branches of before.
        tries: the records of each try's slots, after the full step.
        more: whether another try is possible: allowed, affordable, with something left to try.
        rules: of the search.

    Returns:
        "winners": slots of the next branches, one each, in their order; none if those of before
        stay. "accepted", "reason".
    """
    before = max(map(_accuracy, parents))
    latest = {slot: record for slot, record in tries[-1].items() if record.status == OK}
    accepted = [
        slot for slot in latest if rules.mode == RANDOM or _accuracy(latest[slot]) >= before
    ]
    best = max((_accuracy(latest[slot]) for slot in accepted), default=-math.inf)
    if accepted:
        reason = f"accuracy {best:.4f} in try {len(tries)}, the best branch had {before:.4f}"
        return {"accepted": True, "reason": reason, "winners": [[slot] for slot in accepted]}
    if more:
        return None
    standing = {slot: r for records in tries for slot, r in records.items() if r.status == OK}
    if rules.on_no_improvement != KEEP_BEST or not standing:
        why = "all candidates fell" if not standing else f"none reached {before:.4f}"
        return {"accepted": False, "reason": f"{why}: back to the branches before", "winners": []}
    slot = max(standing, key=lambda s: (_accuracy(standing[s]), surgeon_score(standing[s])))
    reached = _accuracy(standing[slot])
    reason = f"none reached {before:.4f}: the best tried goes on with {reached:.4f}"
    return {"accepted": False, "reason": reason, "winners": [[slot]]}


def merge(plans: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A decision point in one plan, as ECToNAS has one per generation.

    Args:
        plans: of its tries in order, the last one its settlement; or the plan of the end.
    """
    first, last = plans[0], plans[-1]
    files = [f"try{number}/plan.json" for number in range(1, len(plans) + 1)]
    if first["action"] == FINISH:
        return {**first, "files": files}
    tries = plans[:-1]
    return {
        "action": SEARCH,
        "generation": first["generation"],
        "parents": first["parents"],
        "step_batches": first["step_batches"],
        "redraws": len(tries) - 1,
        **{key: last[key] for key in ("accepted", "reason", "winners")},
        "offspring": [child for plan in tries for child in plan["offspring"]],
        "slots": {slot: feeders for plan in tries for slot, feeders in plan["slots"].items()},
        "files": files,
    }
