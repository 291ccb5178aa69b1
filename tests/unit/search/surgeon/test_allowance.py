"""How far a Surgeon search may go: schedule, target and budget."""

import pytest

from netsurgery.search.surgeon.allowance import max_cost, may_redraw, next_decision
from netsurgery.search.surgeon.plans import Continue, Stop
from tests.support.factories import winners
from tests.unit.search.surgeon.decisions import (
    PER_EPOCH,
    branch,
    decision_settings,
    modifications,
    planned_try,
    stopping_settings,
)


def go_on(past, spent=0, **changed):
    history = [winners(*records, spent=spent) for records in past]
    return next_decision(history, decision_settings(**changed), stopping_settings(**changed))


def test_decision_points_follow_until_all_epochs_are_trained():
    past = [[branch(0.5)]]
    for decided in range(9):
        assert go_on(past) == Continue(10 * PER_EPOCH), decided
        past.append([branch(0.5)])
    assert go_on(past) == Stop(0, "100 epochs are trained")


def test_the_last_step_is_shortened_to_the_epochs_left():
    past = [[branch(0.5)], [branch(0.6)]]
    assert go_on(past, epochs=25) == Continue(5 * PER_EPOCH)
    assert go_on(past[:1], epochs=25) == go_on(past[:1], epochs=100)
    assert isinstance(go_on([*past, [branch(0.6)]], epochs=25), Stop)


def test_the_target_ends_the_search_with_the_branches_that_reach_it():
    past = [[branch(0.5), branch(0.81, candidate="g01c01")]]
    reason = "val_accuracy reached the target of 0.8"
    assert go_on(past, target=0.8) == Stop(0, reason, ("g01c01",))
    assert isinstance(go_on(past, target=0.82), Continue)


def test_a_failed_starting_topology_ends_the_search():
    assert isinstance(go_on([[branch(None, status="diverged")]]), Stop)


def test_a_decision_point_needs_budget_for_its_maximum_cost():
    most = max_cost(True, 10 * PER_EPOCH, PER_EPOCH, decision_settings())
    # the two that go the full step, and besides those three removals and additions at 250 batches,
    # the random one as much, and of the others all but the cheapest two
    assert most == 2 * 10 * PER_EPOCH + 4 * 250 + 2 * 25
    enough = 10 + most / PER_EPOCH
    spent = 10 * PER_EPOCH
    assert isinstance(go_on([[branch()]], spent, budget=enough), Continue)
    short = go_on([[branch()]], spent, budget=enough - 0.001)
    assert isinstance(short, Stop)
    assert short.batches == most - 1


def test_the_remaining_budget_trains_the_winner():
    past = [[branch()]] * 9
    assert go_on(past, 89 * PER_EPOCH, budget=100).batches == 10 * PER_EPOCH
    assert go_on(past, 100 * PER_EPOCH, budget=100).batches == 0


@pytest.mark.parametrize("changed", [{}, {"selection": "top", "top_k": 5}, {"mode": "random"}])
def test_no_try_costs_more_than_the_maximum(changed):
    for seed in range(20):
        parents = [branch(), branch(candidate="g00c01")]
        done = set()
        for attempt in (1, 2):
            planned = planned_try(parents, attempt=attempt, done=done, seed=seed, **changed)
            done |= modifications(planned)
            batches = sorted(o.batches for o in planned.offspring)
            chosen = len(planned.contenders)
            cost = sum(batches[chosen:]) + chosen * 10_000  # the cheapest are chosen
            limit = max_cost(attempt == 1, 10_000, PER_EPOCH, decision_settings(**changed))
            assert cost <= limit


def test_a_redraw_needs_budget_for_its_maximum_cost():
    found = decision_settings()
    most = max_cost(False, 10_000, PER_EPOCH, found)
    enough = stopping_settings(budget=50 + most / PER_EPOCH)

    def after(spent, stopping):
        return may_redraw(winners(branch(), spent=spent), 10_000, found, stopping)

    assert after(50 * PER_EPOCH, enough) == Continue(10_000)
    assert isinstance(after(50 * PER_EPOCH + 1, enough), Stop)
    assert after(10**9, stopping_settings()) == Continue(10_000)
