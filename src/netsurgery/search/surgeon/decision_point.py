"""A decision point: what its tries are, and the training of their steps (Surgeon, section 3.3).

A decision point is a chain of tries. Each draws modifications of the branches, re-trains them,
picks the best and trains these to the full epoch step; if none is as good as the best branch was,
another is drawn. Plans are made from records and singular values alone; costs are in batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netsurgery.networks.steps import Place
from netsurgery.search.plans import FinalPlan, GenerationPlan, Offspring, Parent
from netsurgery.search.records import Record
from netsurgery.search.scores import rank_by_surgeon_score
from netsurgery.search.selection import Comparison
from netsurgery.search.steps import (
    RECUPERATION,
    Step,
    branch_step,
    candidate_name,
    recuperation_step,
)
from netsurgery.search.surgeon.analysis import Analysis
from netsurgery.search.surgeon.branches import topology_of
from netsurgery.search.surgeon.plans import (
    Allowance,
    Continue,
    RecommendedOffspring,
    TryPlan,
    Verdict,
)
from netsurgery.search.surgeon.recommendation import Recommendation, draw, recommend
from netsurgery.search.surgeon.settings import DecisionMode, DecisionSettings
from netsurgery.search.surgeon.verdict import accept_or_redraw
from netsurgery.search.trainer import Training
from netsurgery.search.winners import Winners, model_name
from netsurgery.storage.random_streams import random_stream

Analyses = Mapping[str, Sequence[Analysis]]  # of the dense layers of each branch, by candidate
Modification = tuple[str, str, Place | None, int | None]  # parent, operation, position, width


@dataclass(frozen=True)
class TrainedTry:
    """A try with the records of all its training steps."""

    plan: TryPlan
    records: Mapping[str, Record]

    @property
    def branches(self) -> dict[str, Record]:
        """The records of the candidates that trained to the full step, by training step."""
        return {step: self.records[step] for step in self.plan.contenders}


def modification_of(child: Offspring) -> Modification:
    """What distinguishes the modification that makes an offspring."""
    mutation = child.mutation
    return child.parent, mutation.operation.name, mutation.position, mutation.width


def modification_in(recommendation: Recommendation, parents: Sequence[Record]) -> Modification:
    """What distinguishes a recommended modification."""
    mutation = recommendation.mutation
    parent = parents[recommendation.branch].candidate
    return parent, mutation.operation.name, mutation.position, mutation.width


def recommendations(
    parents: Sequence[Record], analyses: Analyses, settings: DecisionSettings
) -> list[Recommendation]:
    """All modifications of the branches, the best first.

    Args:
        parents: the branches.
        analyses: of their dense layers.
        settings: of the search.
    """
    branches = [(topology_of(parent), analyses[parent.candidate]) for parent in parents]
    return recommend(branches, settings.thresholds, settings.tie_break, settings.limits)


def select_modifications(
    parents: Sequence[Record],
    pool: Sequence[Recommendation],
    tried: set[Modification],
    generation: int,
    attempt: int,
    settings: DecisionSettings,
    seed: int,
) -> list[tuple[Recommendation, bool]]:
    """The modifications of a try, and whether each was drawn at random; none if all are tried.

    Args:
        parents: the branches.
        pool: all recommendations, the best first.
        tried: modifications that were tried before.
        generation: number of the decision point.
        attempt: number of the try, from 1.
        settings: of the search.
        seed: of the search.
    """
    rng = random_stream(seed, "draw", generation, attempt)
    untried = [each for each in pool if modification_in(each, parents) not in tried]
    if settings.mode is DecisionMode.RECOMMENDED:
        return draw(untried, attempt == 1, settings.draw, rng)
    surgeries = [e for e in untried if not e.mutation.operation.changes_nothing] or untried
    return [(surgeries[rng.integers(len(surgeries))], True)] if surgeries else []


def plan_try(
    branches: Winners,
    chosen: Sequence[tuple[Recommendation, bool]],
    generation: int,
    attempt: int,
    known: int,
    step: int,
    settings: DecisionSettings,
) -> TryPlan:
    """Plan a try: its offspring, and the steps that train the best of them to the full step.

    Args:
        branches: that the decision point starts from.
        chosen: see `select_modifications`.
        generation: number of the decision point.
        attempt: number of the try, from 1.
        known: how many offspring the decision point's earlier tries have.
        step: batches to the next decision point.
        settings: of the search.
    """
    per_epoch = branches.batches_per_epoch
    offspring = tuple(
        RecommendedOffspring(
            candidate=candidate_name(generation, known + number),
            generation=generation,
            parent=branches.candidates[each.branch],
            mutation=each.mutation,
            parameters=each.parameters,
            batches=settings.recuperation(each.mutation.operation.name, step, per_epoch),
            recommendation=round(each.score, 6),
            drawn=drawn,
        )
        for number, (each, drawn) in enumerate(chosen)
    )
    contenders = tuple(recuperation_step(child.candidate) for child in offspring)
    steps = [branch_step(attempt, rank) for rank in range(min(settings.branches, len(offspring)))]
    return TryPlan(
        generation=generation,
        parents=tuple(map(Parent, branches.candidates, branches.models)),
        attempt=attempt,
        step_batches=step,
        offspring=offspring,
        contenders=dict.fromkeys(steps, contenders),
    )


def plan_next(
    branches: Winners,
    decisions: Sequence[GenerationPlan],
    tries: Sequence[TrainedTry],
    analyses: Analyses,
    allowance: Allowance,
    settings: DecisionSettings,
    seed: int,
) -> TryPlan | Verdict | FinalPlan:
    """Plan what follows at a decision point: a try, the verdict on all tries, or the end.

    Args:
        branches: that the decision point starts from.
        decisions: the decision points before.
        tries: that this one has had.
        analyses: of the branches' dense layers; not needed where the search stops.
        allowance: whether another try is allowed.
        settings: of the search.
        seed: of the search.
    """
    generation, attempt = len(decisions) + 1, len(tries) + 1

    def finish(reason: str, batches: int | None, reached: Sequence[str] = ()) -> FinalPlan:
        parents = map(Parent, branches.candidates, branches.models)
        return FinalPlan(
            generation=generation,
            parents=tuple(each for each in parents if not reached or each.candidate in reached),
            remaining_batches=batches,
            reason=reason,
        )

    if tries:
        step = tries[0].plan.step_batches
    elif isinstance(allowance, Continue):
        step = allowance.step_batches
    else:
        return finish(allowance.reason, allowance.batches, allowance.reached)
    # branches that stayed have modifications that were tried at earlier decision points
    planned = [*decisions, *(each.plan for each in tries)]
    tried = {modification_of(child) for plan in planned for child in plan.offspring}
    parents = branches.records
    pool = recommendations(parents, analyses, settings)
    chosen = select_modifications(parents, pool, tried, generation, attempt, settings, seed)
    if not (chosen or tries):
        return finish("all modifications are tried", None)
    if tries:
        redraws_left = attempt <= 1 + settings.max_redraws
        more = bool(chosen) and redraws_left and isinstance(allowance, Continue)
        trained = [each.branches for each in tries]
        verdict = accept_or_redraw(parents, trained, generation, more, settings)
        if verdict is not None:
            return verdict
    known = sum(len(each.plan.offspring) for each in tries)
    return plan_try(branches, chosen, generation, attempt, known, step, settings)


def select_branch(records: Sequence[Record], rank: int, comparison: Comparison) -> int:
    """The index of the candidate with this rank, from 0, by the Surgeon's score (eq. 16)."""
    ranked = rank_by_surgeon_score(records, comparison.score_window, comparison.size_weight)
    return ranked[rank]


def plan_training(
    plan: TryPlan, step: str, records: Mapping[str, Record], comparison: Comparison
) -> Training:
    """Plan a training step of a try: an offspring, or one of the best to the full step.

    Args:
        plan: of the try.
        step: its name.
        records: of all its contenders.
        comparison: what candidates are compared by.
    """
    if step in plan.contenders:
        contenders = plan.contenders[step]
        competing = [records[each] for each in contenders]
        index = select_branch(competing, Step.parse(step).slot, comparison)
        batches = plan.step_batches - competing[index].batches_spent
        model = model_name(plan.generation, contenders[index])
        return Training(plan.generation, step, {step: batches}, model)
    child = plan.child(Step.parse(step).candidate)
    model = plan.model_of(child.parent)
    return Training(plan.generation, step, {RECUPERATION: child.batches}, model, child)
