"""What a generation may cost, and how it shrinks to that."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.networks.topologies import NAMED
from netsurgery.networks.topology import Topology
from netsurgery.search.ectonas.budget import generation_budget, step_rates
from netsurgery.search.ectonas.planning import plan_generation
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.ectonas.settings import BudgetSettings
from netsurgery.search.plans import FinalPlan
from netsurgery.search.speed import Speed
from netsurgery.search.winners import Winners
from tests.support.factories import rules, start, winners

UNLIMITED = GenerationBudget()


def strict(epochs):
    return BudgetSettings(epochs, "strict")


def overshoot(epochs):
    return BudgetSettings(epochs, "overshoot")


def plan(record, batches):
    return plan_generation(winners(record), 1, GenerationBudget(batches), rules(), 0)


def budget_after(spent, budget, **fields):
    return generation_budget(winners(start(**fields), spent=spent), 1, budget, rules(), 0)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(NAMED)),
    st.integers(1, 60),
    st.floats(0, 400),
    st.integers(0, 5),
    st.integers(1, 2),
)
def test_no_plan_costs_more_than_its_budget(topology, per_epoch, epochs, seed, parents):
    spent = 10 * per_epoch
    records = [start(topology, (8, 8, 1), per_epoch, candidate=f"g00c0{i}") for i in range(parents)]
    found = rules()
    known = winners(*records, spent=spent)
    budget = generation_budget(known, 1, strict(10 + epochs), found, seed)
    planned = plan_generation(known, 1, budget, found, seed)
    left = int((10 + epochs) * per_epoch) - spent
    if isinstance(planned, FinalPlan):
        assert planned.remaining_batches == left
        return
    assert planned.batches <= left
    operations = Counter(child.mutation.operation.name for child in planned.offspring)
    assert operations["identity"] == parents  # kept, whatever else goes
    assert len(operations) > 1
    if budget != UNLIMITED:
        full = Counter(
            child.mutation.operation.name
            for child in plan_generation(known, 1, UNLIMITED, found, seed).offspring
        )
        kept = [operations[name] for name in full if name != "identity"]
        most = max(kept)  # evenly over types: nobody is dropped twice before others once
        for name, count in full.items():
            if name != "identity" and operations[name] < min(count, most - 1):
                pytest.fail(f"{name}: {operations[name]} of {count} kept, others keep {most}")


def test_epochs_per_round_are_cut_before_offspring():
    record = start("cnn-medium", (28, 28, 1))
    assert plan(record, 273_000).round_epochs == 4
    assert len(plan(record, 273_000).offspring) == 17
    assert plan(record, 61_450).round_epochs == 1
    assert len(plan(record, 61_450).offspring) == 17
    assert len(plan(record, 61_449).offspring) == 16


def test_too_little_for_a_generation_trains_the_final_candidate():
    planned = plan(start(), 3000)
    assert isinstance(planned, FinalPlan)
    assert planned.remaining_batches == 3000


def test_budget_matters_only_when_it_is_nearly_spent():
    assert budget_after(10_000, strict(284)) == budget_after(10_000, strict(9999)) == UNLIMITED
    assert budget_after(10_000, strict(283)) == GenerationBudget(273_000)


def test_a_budget_of_parts_of_an_epoch_is_exact():
    # 10.12 * 100 is 1011.9999999999999
    left = budget_after(1000, strict(10.12), batches_per_epoch=100)
    assert left == GenerationBudget(12)


def test_overshoot_starts_a_generation_if_any_budget_is_left():
    assert budget_after(10_000, overshoot(10.1)) == UNLIMITED
    assert budget_after(10_000, overshoot(10)) == GenerationBudget(0)


def test_a_diverged_starting_topology_ends_the_search():
    record = start(status="diverged", score=None)
    budget = generation_budget(winners(record, spent=0), 1, strict(1000), rules(), 0)
    planned = plan_generation(winners(record), 1, budget, rules(), 0)
    assert isinstance(planned, FinalPlan)
    assert planned.reason == "the training of the initial network failed"


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 60), st.integers(1, 400), st.integers(0, 5))
def test_no_plan_takes_longer_than_a_budget_of_time(per_epoch, minutes, seed):
    speed = Speed({"float32": {"batch": 1.0}, "scoring": {"batch": 2.0}}, start=3.0)
    record = start("ff-small", (8, 8, 1), per_epoch, speed=speed)
    known, found, budget = Winners.first(record), rules(), strict(f"{minutes}min")
    planned = plan_generation(
        known, 1, generation_budget(known, 1, budget, found, seed), found, seed
    )
    left = 60 * minutes - known.seconds_spent
    topology = Topology.from_json(record.topology)
    if isinstance(planned, FinalPlan):
        if planned.remaining_batches:
            assert speed.step(topology, planned.remaining_batches, per_epoch) <= left
        return
    steps = len(planned.rounds)
    scored = planned.batches / per_epoch + steps
    assert planned.batches + 2 * scored + 3 * steps <= left + 1e-6


def test_a_schedule_goes_on_with_the_time_that_is_spent():
    speed = Speed({"float32": {"batch": 1.0}, "scoring": {"batch": 0.0}}, measuring=50.0)
    first = Winners.first(start("ff-small", (8, 8, 1), 10, speed=speed))
    along = step_rates(first, strict("1050s"))
    assert (along.epochs, along.start) == (100, 100)
