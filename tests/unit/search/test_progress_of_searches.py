"""Every search comes to its end: no plan trains nothing, and no budget is left over."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.networks.topologies import NAMED, build, named
from netsurgery.search.ectonas import loop as ectonas
from netsurgery.search.ectonas.settings import EctonasSettings
from netsurgery.search.plans import FinalPlan
from netsurgery.search.size_limit import DEFAULT_MAX_PARAMETERS
from netsurgery.search.surgeon import loop as surgeon
from netsurgery.search.surgeon.settings import SurgeonSettings
from netsurgery.storage.fractions import floor_product
from netsurgery.storage.settings import from_settings
from tests.support.factories import search
from tests.support.fake_trainer import FakeTrainer

ECTONAS = search(round_epochs=1, warm_up_epochs=1, objective="val_accuracy").settings
SURGEON = search(algorithm="surgeon", topology="surgeon-small").settings
TOO_MANY = 1000  # generations of small budgets

LIMITS = st.none() | st.integers(1, 200) | st.integers(200, 20_000)
SHARES = st.sampled_from([0.0, 0.2, 0.9, 1.0])
EPOCHS = st.integers(100, 4000).map(lambda hundredths: hundredths / 100)


def planned(loop, monkeypatch, name):
    """Record the plans of a loop, and end it where it does not end by itself."""
    plans, plan_next = [], getattr(loop, name)

    def recorded(*arguments):
        plans.append(plan_next(*arguments))
        assert len(plans) < TOO_MANY, "the search does not end"
        return plans[-1]

    monkeypatch.setattr(loop, name, recorded)
    return plans


def run_ectonas(topology, per_epoch=10, failing=0.0, seed=0, **changed):
    chosen = from_settings(EctonasSettings, {**ECTONAS, **changed})
    trainer = FakeTrainer(topology, per_epoch, failing, seed)
    with pytest.MonkeyPatch.context() as patched:
        plans = planned(ectonas, patched, "plan_generation")
        final = ectonas.search(trainer, chosen, seed)
    return trainer, plans, final


@settings(deadline=None, max_examples=60)
@given(
    topology=st.sampled_from(sorted(NAMED)),
    max_parameters=LIMITS,
    max_multiplications=LIMITS,
    max_model_bytes=LIMITS,
    max_growth=st.sampled_from([0.001, 0.1, 3.0]),
    budget=EPOCHS,
    per_epoch=st.integers(1, 40),
    failing=SHARES,
    parents=st.integers(1, 3),
    mode=st.sampled_from(["greedy", "balanced", "random"]),
    strict=st.booleans(),
    seed=st.integers(0, 100),
)
def test_every_generation_of_ectonas_trains(
    topology, per_epoch, failing, seed, budget, strict, **changed
):
    trainer, plans, final = run_ectonas(
        build(named(topology), (8, 8, 1), 10),
        per_epoch,
        failing,
        seed,
        budget=budget,
        budget_mode="strict" if strict else "overshoot",
        rounds=2,
        **changed,
    )
    *generations, end = plans
    assert isinstance(end, FinalPlan)
    for plan in generations:
        operations = [child.mutation.operation for child in plan.offspring]
        identities = sum(operation.changes_nothing for operation in operations)
        assert identities == len(plan.parents)
        assert len(operations) > identities
        assert trainer.spent[plan.generation] > 0
        before = {parent.candidate: parent for parent in plan.parents}
        assert before.keys() >= {child.parent for child in plan.offspring}
    total, allowed = sum(trainer.spent.values()), floor_product(budget, per_epoch)
    assert total == allowed if strict else total >= allowed
    assert final.status == "ok"


@settings(deadline=None, max_examples=40)
@given(
    max_parameters=LIMITS,
    max_multiplications=LIMITS,
    max_model_bytes=LIMITS,
    epochs=st.integers(1, 30),
    budget=st.none() | EPOCHS,
    decision_epochs=st.integers(1, 5),
    branches=st.integers(1, 3),
    max_redraws=st.integers(0, 3),
    on_no_improvement=st.sampled_from(["keep_best", "backtrack"]),
    selection=st.sampled_from(["by_type", "top"]),
    top_k=st.integers(1, 3),
    mode=st.sampled_from(["recommended", "random"]),
    per_epoch=st.integers(1, 40),
    failing=SHARES,
    seed=st.integers(0, 100),
)
def test_every_decision_point_of_the_surgeon_trains(per_epoch, failing, seed, budget, **changed):
    given_ = {**SURGEON, "warm_up_epochs": 1, **changed}
    chosen = from_settings(SurgeonSettings, given_ | ({"budget": budget} if budget else {}))
    topology = build(named("surgeon-medium"), (8, 8, 1), 10, "linear")
    trainer = FakeTrainer(topology, per_epoch, failing, seed)
    with pytest.MonkeyPatch.context() as patched:
        plans = planned(surgeon, patched, "plan_next")
        final = surgeon.search(trainer, chosen, seed)
    *_, end = plans
    assert isinstance(end, FinalPlan)
    for generation in range(1, end.generation):
        # surgery may ruin all candidates of a decision point; the schedule goes on nevertheless
        folder = f"generation{generation:02d}/recuperation/"
        born = {r.status for name, r in trainer.records.items() if name.startswith(folder)}
        assert trainer.spent[generation] > 0 or born == {"degenerate"}
    total, allowed = sum(trainer.spent.values()), floor_product(budget or 0, per_epoch)
    assert budget is None or total <= allowed
    if "epochs are trained" not in end.reason:  # neither schedule nor budget leaves anything
        assert total == allowed or final.batches_trained >= trainer.spent[end.generation] > 0


def test_where_nothing_may_grow_the_budget_trains_the_best():
    start = build(named("ff-small"), (8, 8, 1), 10)
    trainer, plans, final = run_ectonas(start, budget=30, max_parameters=1)
    children = [child for plan in plans[:-1] for child in plan.offspring]
    assert all(child.parameters <= start.parameters for child in children)
    assert final.parameters < start.parameters  # it may still shrink
    assert sum(trainer.spent.values()) == 300


@pytest.mark.parametrize("budget_mode", ["strict", "overshoot"])
def test_without_any_mutation_the_budget_trains_the_start(budget_mode):
    start = build([{"dense": {"units": 1}}], (64,), 10)
    changed = {"max_growth": 0.001, "budget_mode": budget_mode}
    trainer, (end,), final = run_ectonas(start, budget=30, max_parameters=85, **changed)
    assert end.reason == "no mutation is within max_growth and the limits on size"
    assert (final.candidate, final.batches_trained) == ("g00c00", 300)
    assert trainer.spent == {0: 10, 1: 290}


def test_without_a_limit_a_large_start_may_shrink_only():
    start = build(named("ff-large"), (300, 300, 1), 10)
    assert start.parameters > DEFAULT_MAX_PARAMETERS
    _, plans, _ = run_ectonas(start, budget=150)
    assert len(plans) > 1
    first = plans[0]
    for child in first.offspring:
        if not child.mutation.operation.changes_nothing:
            assert child.parameters < start.parameters
    assert {each.mutation.operation.name for each in first.rejected} >= {"add_dense"}


@pytest.mark.parametrize("budget", [None, 40])
def test_where_all_modifications_are_tried_the_rest_trains_the_best(budget):
    topology = build(named("surgeon-small"), (8, 8, 1), 10, "linear")
    changed = {"on_no_improvement": "backtrack", "warm_up_epochs": 1, "decision_epochs": 1}
    values = {**SURGEON, **changed, "epochs": 60} | ({"budget": budget} if budget else {})
    trainer = FakeTrainer(topology, failing=1.0)
    with pytest.MonkeyPatch.context() as patched:
        plans = planned(surgeon, patched, "plan_next")
        final = surgeon.search(trainer, from_settings(SurgeonSettings, values), 0)
    end = plans[-1]
    assert (end.reason, end.remaining_batches) == ("all modifications are tried", None)
    assert final.candidate == "g00c00"
    decided = end.generation - 1
    spent = sum(trainer.spent[generation] for generation in range(end.generation))
    left = (60 - 1 - decided) * 10
    assert trainer.spent[end.generation] == (left if budget is None else min(left, 400 - spent)) > 0
