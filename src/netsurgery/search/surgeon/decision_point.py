"""What the Surgeon decides at a decision point (Surgeon, algorithm 1 and section 3.3).

A decision point is a chain of tries. Each draws modifications of the branches, re-trains them,
picks the best and trains these to the full epoch step; if none is as good as the best branch was,
another is drawn. Plans are made from records and singular values alone; costs are in batches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from netsurgery.networks.network import Topology
from netsurgery.search.plans import FinalPlan, Offspring, parents_of, recuperation_step
from netsurgery.search.records import OK, Record
from netsurgery.search.scores import surgeon_score
from netsurgery.search.surgeon import stopping
from netsurgery.search.surgeon.plans import (
    Allowance,
    Continue,
    DecisionPlan,
    RecommendedOffspring,
    Stop,
    TryPlan,
    Verdict,
    branch_step,
)
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
) -> Allowance:
    """Whether another decision point follows.

    Args:
        past: the branches after the initial training and after every decision point.
        spent: batches trained so far over all candidates.
        rules: of the search.
        ending: of the search.
    """
    per_epoch = past[0][0].batches_per_epoch
    if any(record.status != OK for record in past[-1]):
        return Stop(0, "the training of the starting topology failed")
    winners = [max(records, key=_accuracy) for records in past]
    best = [_accuracy(record) for record in winners]
    left = ending.epochs_left(len(past) - 1) * per_epoch
    if left <= 0:
        return Stop(0, f"{ending.epochs} epochs are trained")
    if ending.target_accuracy is not None and best[-1] >= ending.target_accuracy:
        return Stop(0, f"the accuracy of {ending.target_accuracy} is reached")
    states = [stopping.state_of(topology_of(record)) for record in winners]
    if reason := stopping.reason_to_stop(best, states, ending.early_stopping):
        return Stop(0, reason)
    step = min(left, ending.decision_epochs * per_epoch)
    if ending.budget is not None:
        rest = int(ending.budget * per_epoch) - spent
        if max_cost(True, step, per_epoch, rules) > rest:
            further = max(0, min(rest, left))
            return Stop(further, "the budget may not suffice for another decision point")
    return Continue(step)


def may_redraw(
    spent: int, step: int, per_epoch: int, rules: DecisionSettings, ending: StoppingSettings
) -> Allowance:
    """Whether the budget suffices for another try of a decision point.

    Args:
        spent: batches trained so far over all candidates.
        step: batches to the next decision point.
        per_epoch: batches per epoch.
        rules: of the search.
        ending: of the search.
    """
    if ending.budget is None:
        return Continue(step)
    left = int(ending.budget * per_epoch) - spent
    if max_cost(False, step, per_epoch, rules) <= left:
        return Continue(step)
    return Stop(0, "the budget may not suffice for another try")


def topology_of(record: Record) -> Topology:
    """The topology in a record."""
    return Topology.from_json(record.topology)


def _accuracy(record: Record) -> float:
    """The accuracy on the validation samples; below all for the fallen."""
    return -math.inf if record.status != OK or record.score is None else record.score


# --- what is tried --------------------------------------------------------------------------------


def key_of_offspring(child: Offspring) -> Tried:
    """What distinguishes the modification that made an offspring."""
    mutation = child.mutation
    return child.parent, mutation.operation.name, mutation.position, mutation.width


def tried(offspring: Sequence[Offspring]) -> set[Tried]:
    """What distinguishes the modifications in plans."""
    return set(map(key_of_offspring, offspring))


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
) -> TryPlan:
    """Plan a try: its offspring, and the steps that train the best of them to the full step.

    Args:
        parents: the branches.
        models: their model files, relative to the search's folder.
        chosen: see `select`.
        generation: number of the decision point.
        attempt: number of the try, from 1.
        known: how many offspring the decision point's earlier tries have.
        step: batches to the next decision point.
        rules: of the search.
    """
    per_epoch = parents[0].batches_per_epoch
    offspring = tuple(
        RecommendedOffspring(
            candidate=f"g{generation:02d}c{known + number:02d}",
            generation=generation,
            parent=parents[each.branch].candidate,
            mutation=each.mutation,
            parameters=each.parameters,
            batches=rules.recuperation(each.mutation.operation.name, step, per_epoch),
            recommendation=round(each.score, 6),
            drawn=drawn,
        )
        for number, (each, drawn) in enumerate(chosen)
    )
    contenders = tuple(recuperation_step(child.candidate) for child in offspring)
    steps = [branch_step(attempt, rank) for rank in range(min(rules.branches, len(offspring)))]
    return TryPlan(
        generation=generation,
        parents=parents_of([parent.candidate for parent in parents], models),
        attempt=attempt,
        step_batches=step,
        offspring=offspring,
        contenders=dict.fromkeys(steps, contenders),
    )


# --- what comes of it -----------------------------------------------------------------------------


def accept_or_redraw(
    parents: Sequence[Record],
    tries: Sequence[Mapping[str, Record]],
    generation: int,
    more: bool,
    rules: DecisionSettings,
) -> Verdict | None:
    """Select the next branches; None if there is to be another try.

    The last try's candidates are accepted whose accuracy is at least that of the best branch
    before. If no try has any, the best that was tried at this decision point goes on, or, with
    backtracking, the earlier branches do.

    Args:
        parents: the earlier branches.
        tries: the records of each try after the full step, by training step.
        generation: number of the decision point.
        more: whether another try is possible: allowed, affordable, with something left to try.
        rules: of the search.
    """

    def verdict(accepted: bool, reason: str, winners: Sequence[str]) -> Verdict:
        return Verdict(
            generation=generation,
            attempt=len(tries) + 1,
            accepted=accepted,
            reason=reason,
            winners=tuple(winners),
        )

    before = max(map(_accuracy, parents))
    latest = {step: record for step, record in tries[-1].items() if record.status == OK}
    accepted = [
        step for step in latest if rules.mode == RANDOM or _accuracy(latest[step]) >= before
    ]
    if accepted:
        best = max(_accuracy(latest[step]) for step in accepted)
        reason = f"accuracy {best:.4f} in try {len(tries)}, the best branch had {before:.4f}"
        return verdict(True, reason, accepted)
    if more:
        return None
    trained = {step: r for records in tries for step, r in records.items() if r.status == OK}
    if rules.on_no_improvement != KEEP_BEST or not trained:
        why = f"none reached {before:.4f}" if trained else "all candidates failed"
        return verdict(False, f"{why}: back to the earlier branches", [])
    step = max(trained, key=lambda s: (_accuracy(trained[s]), surgeon_score(trained[s])))
    reached = _accuracy(trained[step])
    reason = f"none reached {before:.4f}: the best tried goes on with {reached:.4f}"
    return verdict(False, reason, [step])


def merge(plans: Sequence[TryPlan | Verdict | FinalPlan]) -> DecisionPlan | FinalPlan:
    """Merge the plans of a decision point to one, as ECToNAS has one per generation.

    Args:
        plans: the tries in order and their verdict; or the final plan alone.
    """
    *tries, last = plans
    parts = tuple(f"try{number}/plan.json" for number in range(1, len(plans) + 1))
    if isinstance(last, FinalPlan):
        return replace(last, parts=parts)
    assert isinstance(last, Verdict)
    planned = [plan for plan in tries if isinstance(plan, TryPlan)]
    first = planned[0]
    return DecisionPlan(
        generation=first.generation,
        parents=first.parents,
        step_batches=first.step_batches,
        redraws=len(planned) - 1,
        accepted=last.accepted,
        reason=last.reason,
        offspring=tuple(child for plan in planned for child in plan.offspring),
        contenders={step: each for plan in planned for step, each in plan.contenders.items()},
        winners=tuple((step,) for step in last.winners),
        parts=parts,
    )
