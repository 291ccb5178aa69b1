"""Decision points of the Surgeon (section 3.3): what is tried, and what follows."""

from dataclasses import replace

from netsurgery.search.plans import FinalPlan
from netsurgery.search.surgeon import decision_point
from netsurgery.search.surgeon.plans import Continue, Stop, TryPlan, Verdict
from netsurgery.search.surgeon.verdict import merge_tries
from tests.support.factories import winners
from tests.unit.search.surgeon.decisions import (
    analysis,
    branch,
    decision_settings,
    modifications,
    planned_try,
)


def test_two_candidates_of_a_try_train_to_the_full_step():
    planned = planned_try([branch(), branch(candidate="g00c01")])
    assert len(planned.offspring) == 8
    assert [o.mutation.operation.name for o in planned.offspring][:2] == ["identity", "identity"]
    assert list(planned.contenders) == ["try1/slot0", "try1/slot1"]
    everyone = tuple(f"recuperation/{o.candidate}" for o in planned.offspring)
    assert all(contenders == everyone for contenders in planned.contenders.values())
    batches = {o.mutation.operation.name: o.batches for o in planned.offspring}
    assert batches == {
        "identity": 25,
        "add_units": 25,
        "truncate": 25,
        "add_dense": 250,
        "remove_units": 250,
        "remove_dense": 250,
    }


def test_re_training_takes_at_most_an_epoch_or_the_step():
    parents = [replace(branch(), batches_per_epoch=100)]
    assert max(o.batches for o in planned_try(parents).offspring) == 100
    assert max(o.batches for o in planned_try(step=60).offspring) == 60


def test_a_redraw_tries_nothing_twice():
    one = planned_try()
    known = len(one.offspring)
    two = planned_try(attempt=2, done=modifications(one), known=known)
    assert not modifications(one) & modifications(two)
    assert two.offspring[0].candidate == f"g01c{known:02d}"
    assert "identity" not in {o.mutation.operation.name for o in two.offspring}
    assert list(two.contenders) == ["try2/slot0", "try2/slot1"]


def test_a_plan_is_a_pure_function_of_its_seed():
    assert planned_try(seed=3) == planned_try(seed=3)
    assert any(planned_try(seed=seed) != planned_try(seed=3) for seed in range(9))


def test_a_random_walk_tries_one_modification_at_a_time():
    walks = [planned_try(mode="random", seed=seed) for seed in range(60)]
    assert (
        {len(walk.offspring) for walk in walks} == {len(walk.contenders) for walk in walks} == {1}
    )
    operations = {walk.offspring[0].mutation.operation.name for walk in walks}
    assert operations == {"add_units", "add_dense", "remove_units", "remove_dense", "truncate"}


ALLOWED = Continue(10_000)


def next_plan(tries=(), allowance=ALLOWED, decisions=(), **changed):
    branches = winners(branch())
    analyses = {record.candidate: analysis(record) for record in branches.records}
    return decision_point.plan_next(
        branches, decisions, tries, analyses, allowance, decision_settings(**changed), 0
    )


def trained(plan, score):
    records = {step: branch(score, candidate=step) for step in plan.steps}
    return decision_point.TrainedTry(plan, records)


def test_a_decision_point_starts_with_a_try():
    assert next_plan() == planned_try()


def test_a_search_that_must_stop_ends_before_the_first_try():
    plan = next_plan(allowance=Stop(7, "enough"))
    assert isinstance(plan, FinalPlan)
    assert (plan.remaining_batches, plan.reason) == (7, "enough")


def test_the_final_branch_is_one_that_reached_the_target():
    branches = winners(
        branch(0.5), branch(0.9, candidate="g01c01"), branch(0.8, candidate="g01c02")
    )
    ends = Stop(0, "reached", ("g01c01", "g01c02"))
    plan = decision_point.plan_next(branches, (), (), {}, ends, decision_settings(), 0)
    assert [parent.candidate for parent in plan.parents] == ["g01c01", "g01c02"]


def test_an_unsuccessful_try_is_followed_by_a_redraw():
    first = next_plan()
    second = next_plan([trained(first, 0.4)])
    assert second.attempt == 2
    assert not modifications(first) & modifications(second)


def test_a_redraw_that_is_not_allowed_is_a_verdict():
    plan = next_plan([trained(next_plan(), 0.4)], allowance=Stop(0, "no budget"))
    assert isinstance(plan, Verdict)
    assert not plan.accepted


def test_a_search_ends_when_all_modifications_are_tried():
    decisions = []
    while isinstance(plan := next_plan(decisions=decisions), TryPlan):
        verdict = Verdict(generation=1, attempt=2, accepted=False, reason="", winners=())
        decisions.append(merge_tries([plan], verdict))
    assert isinstance(plan, FinalPlan)
    assert plan.reason == "all modifications are tried"
