"""Decision points of the Surgeon (algorithm 1, section 3.3): tries, verdicts, memory, endings."""

from dataclasses import replace

import pytest

from netsurgery.networks import topologies
from netsurgery.search import scores
from netsurgery.search.plans import FinalPlan
from netsurgery.search.surgeon import decision_point
from netsurgery.search.surgeon.decision_point import (
    DecisionSettings,
    StoppingSettings,
    accept_or_redraw,
    may_redraw,
    next_decision,
)
from netsurgery.search.surgeon.plans import Continue, Stop, Verdict
from netsurgery.search.surgeon.recommendation import Analysis
from tests.support.factories import history, search, start

PER_EPOCH = 1000


def settings(**changed):
    return search(algorithm="surgeon", topology="surgeon-medium", **changed).settings


def rules(**changed):
    return DecisionSettings.from_settings(settings(**changed))


def ending(**changed):
    return StoppingSettings.from_settings(settings(**changed))


def branch(score=0.5, candidate="g00c00", topology="surgeon-medium", **fields):
    return start(
        topology,
        (8, 8, 1),
        batches_per_epoch=PER_EPOCH,
        candidate=candidate,
        score=score,
        history=history(score),
        **fields,
    )


# --- the score ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accuracy", "gain", "fraction", "expected"),
    [
        (0.6023, 0.0274, 0.9977, 0.9812),
        (0.6016, 0.0268, 1.0000, 0.9795),
        (0.5829, 0.0081, 0.9997, 0.9539),
        (0.5773, 0.0025, 1.0030, 0.9450),
        (0.5678, -0.0070, 2.6544, 0.6377),
    ],
)
def test_scores_of_the_paper_s_table_1(accuracy, gain, fraction, expected):
    record = branch(
        accuracy,
        parent_score=accuracy - gain,
        parent_parameters=10_000,
        parameters=round(fraction * 10_000),
    )
    # the table's own figures are rounded to four places
    assert scores.surgeon_score(record) == pytest.approx(expected, abs=1e-4)


def test_the_two_best_of_table_1_are_those_with_an_asterisk():
    rows = [
        (0.5678, -0.0070, 26544),
        (0.6016, 0.0268, 10000),
        (0.5773, 0.0025, 10030),
        (0.6023, 0.0274, 9977),
    ]
    records = [
        branch(a, parent_score=a - gain, parent_parameters=10_000, parameters=size)
        for a, gain, size in rows
    ]
    assert scores.rank_by_surgeon_score(records, 1)[:2] == [3, 1]


def test_the_fallen_are_scored_last():
    fallen = branch(0.9, status="diverged")
    assert scores.rank_by_surgeon_score([fallen, branch(0.1)], 1) == [1, 0]


# --- what is tried --------------------------------------------------------------------------------


def first_try(parents=None, attempt=1, done=frozenset(), seed=0, known=0, step=10_000, **changed):
    parents = parents or [branch()]
    found = rules(**changed)
    analyses = {p.candidate: analysis(p) for p in parents}
    pool = decision_point.recommendations(parents, analyses, found)
    chosen = decision_point.select(parents, pool, set(done), 1, attempt, found, seed)
    models = [f"{parent.candidate}.keras" for parent in parents]
    return decision_point.plan_try(parents, models, chosen, 1, attempt, known, step, found)


def analysis(record):
    layers = topologies.named("surgeon-medium")
    values = (1.0,) * 8 + (0.1,) * 2
    return [Analysis(i + 1, 10, 10, values) for i in range(len(layers))]


def test_a_try_re_trains_its_candidates_and_two_of_them_go_the_full_step():
    planned = first_try([branch(), branch(candidate="g00c01")])
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


def test_re_training_is_an_epoch_at_most_and_no_more_than_the_step():
    parents = [replace(branch(), batches_per_epoch=100)]
    assert max(o.batches for o in first_try(parents).offspring) == 100
    assert max(o.batches for o in first_try(step=60).offspring) == 60


def test_a_redraw_tries_nothing_twice_and_numbers_its_candidates_on():
    one = first_try()
    known = len(one.offspring)
    two = first_try(attempt=2, done=decision_point.tried(one.offspring), known=known)
    assert not decision_point.tried(one.offspring) & decision_point.tried(two.offspring)
    assert two.offspring[0].candidate == f"g01c{known:02d}"
    assert "identity" not in {o.mutation.operation.name for o in two.offspring}
    assert list(two.contenders) == ["try2/slot0", "try2/slot1"]


def test_a_plan_is_a_pure_function_of_its_seed():
    assert first_try(seed=3) == first_try(seed=3)
    assert any(first_try(seed=seed) != first_try(seed=3) for seed in range(9))


def test_a_random_walk_takes_one_modification_and_no_identity_among_all():
    walks = [first_try(mode="random", seed=seed) for seed in range(60)]
    assert (
        {len(walk.offspring) for walk in walks} == {len(walk.contenders) for walk in walks} == {1}
    )
    operations = {walk.offspring[0].mutation.operation.name for walk in walks}
    assert operations == {"add_units", "add_dense", "remove_units", "remove_dense", "truncate"}


# --- what comes of it -----------------------------------------------------------------------------


def slots(attempt, *accuracies):
    return {
        f"try{attempt}/slot{i}": branch(a, f"g01c{attempt}{i}") for i, a in enumerate(accuracies)
    }


def test_branches_stay_that_are_at_least_as_good_as_the_best_before():
    parents = [branch(0.5), branch(0.6)]
    verdict = accept_or_redraw(parents, [slots(1, 0.6, 0.59)], 1, True, rules())
    assert verdict.accepted
    assert verdict.winners == ("try1/slot0",)
    verdict = accept_or_redraw(parents, [slots(1, 0.61, 0.9)], 1, True, rules())
    assert verdict.winners == ("try1/slot0", "try1/slot1")


def test_if_none_is_there_is_another_try_as_long_as_there_may_be():
    assert accept_or_redraw([branch(0.6)], [slots(1, 0.5, 0.59)], 1, True, rules()) is None
    assert (
        accept_or_redraw([branch(0.6)], [slots(1, 0.5), slots(2, 0.59)], 1, True, rules()) is None
    )


def test_a_later_try_is_accepted_by_itself():
    verdict = accept_or_redraw(
        [branch(0.6)], [slots(1, 0.5, 0.4), slots(2, 0.3, 0.7)], 1, True, rules()
    )
    assert verdict.winners == ("try2/slot1",)


def test_the_best_of_all_tries_goes_on_when_no_more_are_left():
    tries = [slots(1, 0.5, 0.58), slots(2, 0.55, 0.2), slots(3, 0.1, 0.57)]
    verdict = accept_or_redraw([branch(0.6)], tries, 1, False, rules())
    assert not verdict.accepted
    assert verdict.winners == ("try1/slot1",)


def test_to_backtrack_leaves_the_branches_as_they_were():
    verdict = accept_or_redraw(
        [branch(0.6)], [slots(1, 0.5, 0.58)], 1, False, rules(on_no_improvement="backtrack")
    )
    assert verdict.winners == ()
    assert not verdict.accepted


def test_the_fallen_are_never_accepted():
    wild = {"try1/slot0": branch(0.99, status="diverged")}
    assert accept_or_redraw([branch(0.5)], [wild], 1, True, rules()) is None
    assert accept_or_redraw([branch(0.5)], [wild], 1, False, rules()).winners == ()
    assert accept_or_redraw([branch(0.5)], [wild], 1, True, rules(mode="random")) is None


def test_a_random_walk_takes_what_comes():
    verdict = accept_or_redraw([branch(0.6)], [slots(1, 0.1)], 1, True, rules(mode="random"))
    assert verdict.winners == ("try1/slot0",)


def test_a_decision_point_is_one_plan_in_the_end():
    one, two = first_try(), first_try(attempt=2, known=8)
    verdict = Verdict(generation=1, attempt=3, accepted=True, reason="", winners=("try2/slot0",))
    merged = decision_point.merge([one, two, verdict])
    assert merged.redraws == 1
    assert merged.winners == (("try2/slot0",),)
    assert merged.parents == one.parents
    assert len(merged.offspring) == len(one.offspring) + len(two.offspring)
    assert len(merged.contenders) == 4
    assert merged.parts == ("try1/plan.json", "try2/plan.json", "try3/plan.json")


def test_the_final_plan_names_the_file_it_is_made_from():
    final = FinalPlan(generation=3, parents=(), remaining_batches=0, reason="")
    assert decision_point.merge([final]).parts == ("try1/plan.json",)


# --- when it ends ---------------------------------------------------------------------------------


def go_on(past, spent=0, **changed):
    return next_decision(past, spent, rules(**changed), ending(**changed))


def test_decision_points_follow_every_ten_epochs_until_the_winner_has_its_hundred():
    past = [[branch(0.5)]]
    for decided in range(9):
        assert go_on(past) == Continue(10 * PER_EPOCH), decided
        past.append([branch(0.5)])
    assert go_on(past) == Stop(0, "100 epochs are trained")


def test_the_last_step_is_as_long_as_there_are_epochs_and_more_epochs_change_it_alone():
    past = [[branch(0.5)], [branch(0.6)]]
    assert go_on(past, epochs=25) == Continue(5 * PER_EPOCH)
    assert go_on(past[:1], epochs=25) == go_on(past[:1], epochs=100)
    assert isinstance(go_on([*past, [branch(0.6)]], epochs=25), Stop)


def test_a_minimum_accuracy_ends_the_search():
    past = [[branch(0.5), branch(0.81)]]
    assert go_on(past, target_accuracy=0.8) == Stop(0, "the accuracy of 0.8 is reached")
    assert isinstance(go_on(past, target_accuracy=0.82), Continue)


def test_a_start_that_fell_ends_the_search():
    assert isinstance(go_on([[branch(None, status="diverged")]]), Stop)


def test_a_decision_point_begins_only_if_the_budget_lasts_for_its_dearest_try():
    dearest = decision_point.max_cost(True, 10 * PER_EPOCH, PER_EPOCH, rules())
    # the two that go the full step, and besides those three removals and additions at 250 batches,
    # the random one as much, and of the others all but the cheapest two
    assert dearest == 2 * 10 * PER_EPOCH + 4 * 250 + 2 * 25
    enough = 10 + dearest / PER_EPOCH
    spent = 10 * PER_EPOCH
    assert isinstance(go_on([[branch()]], spent, budget=enough), Continue)
    short = go_on([[branch()]], spent, budget=enough - 0.001)
    assert isinstance(short, Stop)
    assert short.batches == dearest - 1


def test_what_is_left_of_a_budget_trains_the_winner_but_not_beyond_its_epochs():
    past = [[branch()]] * 9
    assert go_on(past, 89 * PER_EPOCH, budget=100).batches == 10 * PER_EPOCH
    assert go_on(past, 100 * PER_EPOCH, budget=100).batches == 0


@pytest.mark.parametrize("changed", [{}, {"selection": "top", "top_k": 5}, {"mode": "random"}])
def test_no_try_costs_more_than_the_dearest(changed):
    for seed in range(20):
        parents = [branch(), branch(candidate="g00c01")]
        done = set()
        for attempt in (1, 2):
            planned = first_try(parents, attempt=attempt, done=done, seed=seed, **changed)
            done |= decision_point.tried(planned.offspring)
            batches = sorted(o.batches for o in planned.offspring)
            chosen = len(planned.contenders)
            cost = sum(batches[chosen:]) + chosen * 10_000  # the cheapest are chosen
            limit = decision_point.max_cost(attempt == 1, 10_000, PER_EPOCH, rules(**changed))
            assert cost <= limit


def test_a_redraw_needs_its_part_of_the_budget():
    found = rules()
    dearest = decision_point.max_cost(False, 10_000, PER_EPOCH, found)
    enough = ending(budget=50 + dearest / PER_EPOCH)
    assert may_redraw(50 * PER_EPOCH, 10_000, PER_EPOCH, found, enough) == Continue(10_000)
    assert isinstance(may_redraw(50 * PER_EPOCH + 1, 10_000, PER_EPOCH, found, enough), Stop)
    assert may_redraw(10**9, 10_000, PER_EPOCH, found, ending()) == Continue(10_000)
