"""Planning a generation: its offspring and brackets."""

from collections import Counter

import pytest

from netsurgery.search.ectonas.byes import expand_rounds
from netsurgery.search.ectonas.planning import plan_generation
from netsurgery.search.ectonas.plans import BracketPlan, GenerationBudget
from tests.support.factories import rules, start, winners

UNLIMITED = GenerationBudget()


def plan(records, budget=UNLIMITED, seed=0, number=1, **changed):
    return plan_generation(winners(*records), number, budget, rules(**changed), seed)


def test_cost_of_a_first_generation():
    planned = plan([start("cnn-medium", (28, 28, 1))])
    assert len(planned.offspring) == 17
    rounds = [name for names in planned.rounds.values() for name in names]
    assert len(rounds) == len(set(rounds)) == 17 + 36 + 17
    assert len(planned.rounds) == 31  # in so many training steps
    assert planned.batches / 1000 == pytest.approx(8.45 + 265)
    assert len(planned.winners) == 2


def test_a_plan_is_a_pure_function_of_its_seed():
    parents = [start()]
    assert plan(parents, seed=0) == plan(parents, seed=0)
    assert plan(parents, seed=0).contenders != plan(parents, seed=1).contenders


def test_phase_2_starts_from_the_winners_of_each_mutation_type():
    planned = plan([start()])
    operation = {
        f"recuperation/{c.candidate}": c.mutation.operation.name for c in planned.offspring
    }
    fed, _ = expand_rounds(planned)
    for slot, contenders in fed.items():
        for contender in contenders:
            if slot.startswith("phase1"):
                mine = slot.split("/")[1]
                theirs = operation.get(contender, contender.split("/")[1])
                assert theirs == mine
    first = [f for s, f in fed.items() if s.startswith("phase2/round1")]
    assert {f[0].split("/")[1] for f in first} == set(operation.values())


def test_phase_2_is_skipped_if_no_more_are_left_than_parents():
    planned = plan([start()], parents=9)
    assert not any(slot.startswith("phase2") for slot in expand_rounds(planned)[0])
    assert len(planned.winners) == 9


def test_fewer_types_than_parents_give_more_winners_each():
    planned = plan([start()], parents=10)  # nine types
    _, winners = expand_rounds(planned)
    assert Counter(group[0].split("/")[0] for group in winners) == {"phase2": 10}


def test_degenerate_offspring_are_rejected_with_a_reason():
    parent = start("cnn-medium", (8, 8, 1))
    grown = plan([parent], max_growth=0.3)
    reasons = [child.reason for child in grown.rejected]
    assert reasons
    assert all("grew by" in reason for reason in reasons)
    assert len(grown.offspring) + len(reasons) == 17
    for child in grown.offspring:
        assert child.parameters < 1.3 * parent.parameters
    capped = plan([parent], max_parameters=parent.parameters)
    changed = [c for c in capped.offspring if not c.mutation.operation.changes_nothing]
    assert all(child.parameters < parent.parameters for child in changed)
    assert len(capped.offspring) == len(changed) + 1  # the identity stays
    assert any("or more" in child.reason for child in capped.rejected)


def test_random_pooling_draws_both_kinds():
    kinds = {
        child.mutation.pooling
        for seed in range(10)
        for child in plan([start()], seed=seed, pooling="random").offspring
        if child.mutation.operation.name == "add_conv_cell"
    }
    assert kinds == {"average", "max"}


def test_candidates_have_the_same_numbers_with_any_budget():
    def names(allowed):
        return {
            c.candidate: (c.mutation.operation.name, c.mutation.position)
            for c in plan([start()], allowed).offspring
        }

    full, scaled = names(UNLIMITED), names(GenerationBudget(40_000))
    assert len(scaled) < len(full)
    assert scaled.items() <= full.items()


def test_a_reduced_budget_still_plans_a_generation():
    assert isinstance(plan([start()], GenerationBudget(40000)), BracketPlan)
