"""The verdict on the tries of a decision point (algorithm 1)."""

from netsurgery.search.plans import FinalPlan
from netsurgery.search.surgeon.plans import Verdict
from netsurgery.search.surgeon.verdict import accept_or_redraw, merge, merge_tries
from tests.unit.search.surgeon.decisions import branch, decision_settings, planned_try


def full_steps(attempt, *accuracies):
    return {
        f"try{attempt}/slot{i}": branch(a, f"g01c{attempt}{i}") for i, a in enumerate(accuracies)
    }


def test_branches_as_good_as_the_best_before_are_accepted():
    parents = [branch(0.5), branch(0.6)]
    verdict = accept_or_redraw(parents, [full_steps(1, 0.6, 0.59)], 1, True, decision_settings())
    assert verdict.accepted
    assert verdict.winners == ("try1/slot0",)
    verdict = accept_or_redraw(parents, [full_steps(1, 0.61, 0.9)], 1, True, decision_settings())
    assert verdict.winners == ("try1/slot0", "try1/slot1")


def test_without_an_accepted_branch_another_try_follows():
    assert (
        accept_or_redraw([branch(0.6)], [full_steps(1, 0.5, 0.59)], 1, True, decision_settings())
        is None
    )
    assert (
        accept_or_redraw(
            [branch(0.6)], [full_steps(1, 0.5), full_steps(2, 0.59)], 1, True, decision_settings()
        )
        is None
    )


def test_a_later_try_is_accepted_by_itself():
    verdict = accept_or_redraw(
        [branch(0.6)],
        [full_steps(1, 0.5, 0.4), full_steps(2, 0.3, 0.7)],
        1,
        True,
        decision_settings(),
    )
    assert verdict.winners == ("try2/slot1",)


def test_the_best_of_all_tries_goes_on_after_the_last():
    tries = [full_steps(1, 0.5, 0.58), full_steps(2, 0.55, 0.2), full_steps(3, 0.1, 0.57)]
    verdict = accept_or_redraw([branch(0.6)], tries, 1, False, decision_settings())
    assert not verdict.accepted
    assert verdict.winners == ("try1/slot1",)


def test_backtracking_keeps_the_earlier_branches():
    verdict = accept_or_redraw(
        [branch(0.6)],
        [full_steps(1, 0.5, 0.58)],
        1,
        False,
        decision_settings(on_no_improvement="backtrack"),
    )
    assert verdict.winners == ()
    assert not verdict.accepted


def test_failed_candidates_are_never_accepted():
    wild = {"try1/slot0": branch(0.99, status="diverged")}
    assert accept_or_redraw([branch(0.5)], [wild], 1, True, decision_settings()) is None
    assert accept_or_redraw([branch(0.5)], [wild], 1, False, decision_settings()).winners == ()
    assert (
        accept_or_redraw([branch(0.5)], [wild], 1, True, decision_settings(mode="random")) is None
    )


def test_a_random_walk_accepts_every_candidate():
    verdict = accept_or_redraw(
        [branch(0.6)], [full_steps(1, 0.1)], 1, True, decision_settings(mode="random")
    )
    assert verdict.winners == ("try1/slot0",)


def test_tries_and_verdict_merge_to_one_plan():
    one, two = planned_try(), planned_try(attempt=2, known=8)
    verdict = Verdict(generation=1, attempt=3, accepted=True, reason="", winners=("try2/slot0",))
    merged = merge_tries([one, two], verdict)
    assert merged.redraws == 1
    assert merged.winners == (("try2/slot0",),)
    assert merged.parents == one.parents
    assert len(merged.offspring) == len(one.offspring) + len(two.offspring)
    assert len(merged.contenders) == 4
    assert merged.parts == ("try1/plan.json", "try2/plan.json", "try3/plan.json")


def test_the_final_plan_names_the_file_it_is_made_from():
    final = FinalPlan(generation=3, parents=(), remaining_batches=0, reason="")
    assert merge([final]).parts == ("try1/plan.json",)
