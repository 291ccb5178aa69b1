"""The verdict on the tries of a decision point: which branches go on (Surgeon, algorithm 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from netsurgery.search.plans import FinalPlan
from netsurgery.search.records import Record, Status
from netsurgery.search.scores import surgeon_score
from netsurgery.search.surgeon.branches import accuracy
from netsurgery.search.surgeon.plans import DecisionPlan, TryPlan, Verdict
from netsurgery.search.surgeon.settings import DecisionMode, DecisionSettings, OnNoImprovement


def accept_or_redraw(
    parents: Sequence[Record],
    tries: Sequence[Mapping[str, Record]],
    generation: int,
    more: bool,
    settings: DecisionSettings,
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
        settings: of the search.
    """

    def verdict(accepted: bool, reason: str, winners: Sequence[str]) -> Verdict:
        return Verdict(
            generation=generation,
            attempt=len(tries) + 1,
            accepted=accepted,
            reason=reason,
            winners=tuple(winners),
        )

    before = max(map(accuracy, parents))
    walk = settings.mode is DecisionMode.RANDOM
    latest = {step: record for step, record in tries[-1].items() if record.status == Status.OK}
    accepted = [step for step in latest if walk or accuracy(latest[step]) >= before]
    if accepted:
        best = max(accuracy(latest[step]) for step in accepted)
        reason = f"accuracy {best:.4f} in try {len(tries)}, the best branch had {before:.4f}"
        return verdict(True, reason, accepted)
    if more:
        return None
    trained = {step: r for records in tries for step, r in records.items() if r.status == Status.OK}
    if settings.on_no_improvement is OnNoImprovement.BACKTRACK or not trained:
        why = f"none reached {before:.4f}" if trained else "all candidates failed"
        return verdict(False, f"{why}: back to the earlier branches", [])
    weight = settings.size_weight
    step = max(trained, key=lambda s: (accuracy(trained[s]), surgeon_score(trained[s], weight)))
    reached = accuracy(trained[step])
    reason = f"none reached {before:.4f}: the best tried goes on with {reached:.4f}"
    return verdict(False, reason, [step])


def merge_tries(tries: Sequence[TryPlan], verdict: Verdict) -> DecisionPlan:
    """Merge the plans of a decision point to one, as ECToNAS has one per generation."""
    first, files = tries[0], len(tries) + 1
    return DecisionPlan(
        generation=first.generation,
        parents=first.parents,
        step_batches=first.step_batches,
        redraws=len(tries) - 1,
        accepted=verdict.accepted,
        reason=verdict.reason,
        offspring=tuple(child for plan in tries for child in plan.offspring),
        contenders={step: each for plan in tries for step, each in plan.contenders.items()},
        winners=tuple((step,) for step in verdict.winners),
        parts=tuple(f"try{number}/plan.json" for number in range(1, files + 1)),
    )


def merge(plans: Sequence[TryPlan | Verdict | FinalPlan]) -> DecisionPlan | FinalPlan:
    """Merge the plans in the files of a decision point: its tries and their verdict, or the end."""
    *tries, last = plans
    if isinstance(last, FinalPlan):
        return replace(last, parts=("try1/plan.json",))
    assert isinstance(last, Verdict)
    return merge_tries([plan for plan in tries if isinstance(plan, TryPlan)], last)
