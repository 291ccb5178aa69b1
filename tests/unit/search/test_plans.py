"""Plans have one JSON form, and reading it gives the same plan."""

import json

import pytest

from netsurgery.search.algorithms import read_generation, read_plan
from netsurgery.search.ectonas.planning import plan_generation
from netsurgery.search.ectonas.plans import BracketPlan, GenerationBudget
from netsurgery.search.plans import FinalPlan, Parent
from netsurgery.search.surgeon.plans import (
    Continue,
    DecisionPlan,
    Stop,
    TryPlan,
    Verdict,
    parse_allowance,
    read_try,
)
from netsurgery.storage.files import write_json
from tests.support.factories import rules, start, winners

PARENT = Parent("g00c00", "generation00/warm-up.keras")


@pytest.fixture
def bracket_plan():
    return plan_generation(winners(start()), 1, GenerationBudget(), rules(), 0)


def final_plan():
    return FinalPlan(generation=3, parents=(PARENT,), remaining_batches=7, reason="over")


def verdict(attempt=2):
    return Verdict(
        generation=1, attempt=attempt, accepted=True, reason="better", winners=("try1/slot0",)
    )


def try_plan():
    return TryPlan(
        generation=1, parents=(PARENT,), attempt=1, step_batches=9, offspring=(), contenders={}
    )


def decision_plan():
    return DecisionPlan(
        generation=1,
        parents=(PARENT,),
        step_batches=9,
        redraws=0,
        accepted=True,
        reason="better",
        offspring=(),
        contenders={"try1/slot0": ("recuperation/g01c00",)},
        winners=(("try1/slot0",),),
        parts=("try1/plan.json", "try2/plan.json"),
    )


def test_bracket_plan_is_read_as_it_was_written(bracket_plan, tmp_path):
    write_json(tmp_path / "plan.json", bracket_plan.to_json())
    assert isinstance(bracket_plan, BracketPlan)
    assert read_generation(tmp_path / "plan.json") == bracket_plan


@pytest.mark.parametrize("plan", [final_plan(), decision_plan()])
def test_plan_is_read_as_it_was_written(plan, tmp_path):
    write_json(tmp_path / "plan.json", plan.to_json())
    assert read_plan(tmp_path / "plan.json") == plan


@pytest.mark.parametrize("plan", [try_plan(), verdict(), final_plan()])
def test_plan_of_a_try_is_read_as_it_was_written(plan, tmp_path):
    write_json(tmp_path / "plan.json", plan.to_json())
    assert read_try(tmp_path / "plan.json") == plan


def test_plans_hold_plain_values_alone(bracket_plan):
    for plan in (bracket_plan, final_plan(), decision_plan(), try_plan(), verdict()):
        values = json.loads(json.dumps(plan.to_json()))
        assert values["kind"] == plan.kind


def test_steps_follow_their_contenders(bracket_plan):
    order = {step: number for number, step in enumerate(bracket_plan.steps)}
    assert len(order) == len(bracket_plan.rounds)
    for step, contenders in bracket_plan.contenders.items():
        assert all(order[each] < order[step] for each in contenders)


@pytest.mark.parametrize(
    "budget",
    [
        GenerationBudget(),
        GenerationBudget(0),
        GenerationBudget(273),
        GenerationBudget(9, 2),
        GenerationBudget(0, 0, ("g01c02", "g01c10"), "val_loss reached the target of 0.1"),
    ],
)
def test_budget_of_a_generation_is_parsed_as_printed(budget):
    assert GenerationBudget.parse(str(budget)) == budget


@pytest.mark.parametrize(
    "allowance",
    [Continue(10_000), Stop(7, "no epochs are left"), Stop(0, "reached it", ("g01c02", "g01c03"))],
)
def test_allowance_of_a_try_is_parsed_as_printed(allowance):
    assert parse_allowance(str(allowance)) == allowance
