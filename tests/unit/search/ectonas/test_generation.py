"""Planning a generation: offspring, cost, budget."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.networks.topologies import NAMED
from netsurgery.search.ectonas import generation
from netsurgery.search.ectonas.byes import expand_rounds
from netsurgery.search.ectonas.plans import BracketPlan, GenerationBudget
from netsurgery.search.plans import FinalPlan
from tests.support.factories import rules, start

UNLIMITED = GenerationBudget()


def plan(records, budget=UNLIMITED, seed=0, number=1, **changed):
    models = [f"{record.candidate}.keras" for record in records]
    return generation.plan(records, models, number, budget, rules(**changed), seed)


def test_first_generation_of_the_medium_cnn_costs_what_the_design_says():
    planned = plan([start("cnn-medium", (28, 28, 1))])
    assert len(planned.offspring) == 17
    rounds = [name for names in planned.rounds.values() for name in names]
    assert len(rounds) == len(set(rounds)) == 17 + 36 + 17
    assert len(planned.rounds) == 31  # in so many training steps
    assert planned.batches / 1000 == pytest.approx(8.45 + 265)
    assert len(planned.winners) == 2


def test_recuperation_is_at_least_one_batch():
    assert generation.part_of_epoch(0.1, 4) == 1
    assert generation.part_of_epoch(0.1, 45) == 4
    assert generation.part_of_epoch(0.3, 10) == 3  # not 2, as floats would have it
    assert generation.part_of_epoch(1.0, 45) == 45


def test_a_plan_is_a_pure_function_of_its_seed():
    parents = [start()]
    assert plan(parents, seed=0) == plan(parents, seed=0)
    assert plan(parents, seed=0).contenders != plan(parents, seed=1).contenders


def test_phase_1_keeps_mutation_types_apart_and_phase_2_starts_from_their_winners():
    planned = plan([start()])
    operation = {
        f"recuperation/{c.candidate}": c.mutation.operation.name for c in planned.offspring
    }
    fed, _ = expand_rounds(planned)
    for slot, feeders in fed.items():
        for feeder in feeders:
            if slot.startswith("phase1"):
                mine = slot.split("/")[1]
                theirs = operation.get(feeder, feeder.split("/")[1])
                assert theirs == mine
    first = [f for s, f in fed.items() if s.startswith("phase2/round1")]
    assert {f[0].split("/")[1] for f in first} == set(operation.values())


def test_phase_2_is_skipped_when_no_more_are_left_than_parents():
    planned = plan([start()], parents=9)
    assert not any(slot.startswith("phase2") for slot in expand_rounds(planned)[0])
    assert len(planned.winners) == 9


def test_fewer_types_than_parents_give_as_many_winners_each_as_there_are_parents():
    planned = plan([start()], parents=10)  # nine types
    _, winners = expand_rounds(planned)
    assert Counter(group[0].split("/")[0] for group in winners) == {"phase2": 10}


def test_degenerates_are_rejected_with_their_reason():
    parent = start("cnn-medium", (8, 8, 1))
    grown = plan([parent], max_growth=0.3)
    reasons = [child.reason for child in grown.rejected]
    assert reasons
    assert all("grew by" in reason for reason in reasons)
    assert len(grown.offspring) + len(reasons) == 17
    for child in grown.offspring:
        assert child.parameters < 1.3 * parent.parameters
    capped = plan([parent], max_parameters=parent.parameters)
    assert all(child.parameters < parent.parameters for child in capped.offspring)
    assert any("or more" in child.reason for child in capped.rejected)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(NAMED)),
    st.integers(1, 60),
    st.floats(0, 400),
    st.integers(0, 5),
    st.integers(1, 2),
)
def test_no_plan_costs_more_than_it_may(topology, per_epoch, epochs, seed, parents):
    spent = 10 * per_epoch
    records = [start(topology, (8, 8, 1), per_epoch, candidate=f"g00c0{i}") for i in range(parents)]
    found = rules()
    allowed = generation.generation_budget(records, 1, spent, 10 + epochs, True, found, seed)
    models = [record.candidate for record in records]
    planned = generation.plan(records, models, 1, allowed, found, seed)
    left = int((10 + epochs) * per_epoch) - spent
    if isinstance(planned, FinalPlan):
        assert planned.remaining_batches == left
        return
    assert planned.batches <= left
    operations = Counter(child.mutation.operation.name for child in planned.offspring)
    assert operations["identity"] == parents  # kept, whatever else goes
    assert len(operations) > 1
    if allowed != UNLIMITED:
        full = Counter(
            child.mutation.operation.name
            for child in generation.plan(records, models, 1, UNLIMITED, found, seed).offspring
        )
        kept = [operations[name] for name in full if name != "identity"]
        most = max(kept)  # evenly over types: nobody is dropped twice before others once
        for name, count in full.items():
            if name != "identity" and operations[name] < min(count, most - 1):
                pytest.fail(f"{name}: {operations[name]} of {count} kept, others keep {most}")


def test_epochs_per_round_are_cut_before_offspring():
    record = start("cnn-medium", (28, 28, 1))
    assert plan([record], GenerationBudget(273000)).round_epochs == 4
    assert len(plan([record], GenerationBudget(273000)).offspring) == 17
    assert plan([record], GenerationBudget(61450)).round_epochs == 1
    assert len(plan([record], GenerationBudget(61450)).offspring) == 17
    assert len(plan([record], GenerationBudget(61449)).offspring) == 16


def test_what_is_too_little_for_a_generation_trains_the_winner_on():
    planned = plan([start()], GenerationBudget(3000))
    assert isinstance(planned, FinalPlan)
    assert planned.remaining_batches == 3000


def test_allowance_depends_on_the_budget_only_when_it_is_nearly_spent():
    parents = [start()]
    words = {
        b: generation.generation_budget(parents, 1, 10_000, b, True, rules(), 0)
        for b in (284, 9999)
    }
    assert set(words.values()) == {UNLIMITED}
    assert generation.generation_budget(
        parents, 1, 10_000, 283, True, rules(), 0
    ) == GenerationBudget(273_000)


def test_overshoot_begins_a_generation_as_long_as_budget_is_left():
    parents = [start()]
    assert generation.generation_budget(parents, 1, 10_000, 10.1, False, rules(), 0) == UNLIMITED
    assert generation.generation_budget(
        parents, 1, 10_000, 10, False, rules(), 0
    ) == GenerationBudget(0)


def test_a_starting_topology_that_diverged_ends_the_search():
    parents = [start(status="diverged", score=None)]
    allowed = generation.generation_budget(parents, 1, 0, 1000, True, rules(), 0)
    assert isinstance(plan(parents, allowed), FinalPlan)


def test_random_pooling_draws_both_kinds_and_the_plan_says_which():
    kinds = {
        child.mutation.pooling
        for seed in range(10)
        for child in plan([start()], seed=seed, pooling="random").offspring
        if child.mutation.operation.name == "add_conv_cell"
    }
    assert kinds == {"average", "max"}


def test_candidates_are_numbered_alike_whatever_the_budget():
    def names(allowed):
        return {
            c.candidate: (c.mutation.operation.name, c.mutation.position)
            for c in plan([start()], allowed).offspring
        }

    full, scaled = names(UNLIMITED), names(GenerationBudget(40_000))
    assert len(scaled) < len(full)
    assert scaled.items() <= full.items()


def test_plans_of_every_size_are_a_search():
    assert isinstance(plan([start()], GenerationBudget(40000)), BracketPlan)
