"""A whole search of Arbor with a trainer that trains nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.networks.costs import multiplications
from netsurgery.networks.layers import SeparableConv, input_parts
from netsurgery.networks.topologies import build, named
from netsurgery.networks.topology import Topology
from netsurgery.search.arbor import loop
from netsurgery.search.arbor.judgement import is_clearly_better
from netsurgery.search.arbor.plans import Allowance, FreshPlan, Part, RoundPlan
from netsurgery.search.arbor.settings import ArborSettings
from netsurgery.search.arbor.shapes import SCALED
from netsurgery.search.arbor.templates import TEMPLATES
from netsurgery.search.plans import FinalPlan
from netsurgery.search.records import Status
from netsurgery.search.speed import Speed
from netsurgery.search.steps import Phase, Step
from netsurgery.storage.fractions import floor_product
from netsurgery.storage.settings import from_settings
from tests.support.factories import search
from tests.support.fake_trainer import FakeTrainer

SETTINGS = search(algorithm="arbor", topology="cnn-tiny").settings
FINISHED = {Phase.WARM_UP, Phase.COOLED, Phase.FRESH}
SHAPES = {"cnn-tiny": (16, 16, 1), "cnn1d-small": (32, 2), "ff-small": (9,), "mlp-residual": (9,)}
SEVERAL = "several inputs"
INPUTS = input_parts({"features": (5,), "image": (16, 16, 3)})


def run(
    topology="cnn-tiny",
    per_epoch=100,
    failing=0.0,
    seed=0,
    speed=None,
    activation="softmax",
    validation_samples=1000,
    **changed,
):
    """The trainer, the plans and the final record of a search."""
    chosen = from_settings(ArborSettings, SETTINGS | changed)
    if topology == SEVERAL:
        start = build(named("cnn-tiny"), (INPUTS[-1].stop,), 10, inputs=INPUTS)
    else:
        start = build(named(topology), SHAPES[topology], 10, activation)
    trainer = FakeTrainer(start, per_epoch, failing, seed, speed, validation_samples)
    plans = []
    plan_generation = loop.plan_generation

    def recorded(*arguments):
        plans.append(plan_generation(*arguments))
        assert len(plans) < 100, "the search does not end"
        return plans[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loop, "plan_generation", recorded)
        final = loop.search(trainer, chosen, seed)
    return trainer, plans, final


@settings(deadline=None, max_examples=15)
@given(
    topology=st.sampled_from([*sorted(SHAPES), SEVERAL]),
    per_epoch=st.integers(1, 40),
    failing=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    seed=st.integers(0, 100),
    budget=st.integers(100, 12_000).map(lambda hundredths: hundredths / 100),
    search_fraction=st.sampled_from([0.0, 0.2, 1.0]),
    contest_fraction=st.sampled_from([0.0, 0.05, 0.25]),
    candidates=st.integers(1, 4),
    max_parameters=st.sampled_from([20_000, 40_000]),
)
def test_a_search_ends_and_keeps_its_budget_and_limits(budget, per_epoch, max_parameters, **given_):
    trainer, plans, final = run(
        budget=budget, per_epoch=per_epoch, max_parameters=max_parameters, **given_
    )
    assert isinstance(plans[-1], FinalPlan)
    allowed = floor_product(budget, per_epoch)
    assert sum(trainer.spent.values()) <= max(allowed, per_epoch)  # of the first epoch at least
    # what is left is less than an epoch of the final network and the smaller one
    if given_["failing"] == 0:
        assert sum(trainer.spent.values()) >= allowed - 3
    for record in trainer.records.values():
        assert record.parameters < max_parameters
    assert final.status == Status.OK or given_["failing"]


# a batch takes a second for each 100,000 multiplications, and a tenth in any case
SPEED = Speed(
    {"float32": {"batch": 0.1, "convolutions": 1e-5}, "scoring": {"batch": 1.0}}, 2.0, measuring=9.0
)


@settings(deadline=None, max_examples=15)
@given(
    per_epoch=st.integers(1, 40),
    failing=st.sampled_from([0.0, 0.3, 1.0]),
    seed=st.integers(0, 100),
    minutes=st.integers(20, 500),
    sizes=st.sampled_from([(), (4_000,), "auto"]),
)
def test_a_search_takes_as_long_as_it_may(minutes, failing, **given_):
    trainer, plans, _ = run(
        budget=f"{minutes}min", failing=failing, max_parameters=20_000, speed=SPEED, **given_
    )
    assert isinstance(plans[-1], FinalPlan)
    assert trainer.seconds <= 60 * minutes
    if not failing:
        assert trainer.seconds >= 0.95 * 60 * minutes


def test_networks_of_a_contest_take_the_same_time():
    _, plans, _ = run(budget="100h", max_parameters=20_000, speed=SPEED)
    contest = next(plan for plan in plans if isinstance(plan, FreshPlan))
    topologies = [Topology.from_json(network.topology) for network in contest.networks]
    for topology, network in zip(topologies, contest.networks, strict=True):
        assert SPEED.step(topology, network.batches, 100) == pytest.approx(18_000, rel=0.05)
    assert len({network.batches for network in contest.networks}) > 1


def test_the_parts_of_a_search_follow_each_other():
    _, plans, _ = run(budget=100)
    parts = [plan.part if isinstance(plan, FreshPlan) else "round" for plan in plans[:-1]]
    rounds = parts.count("round")
    assert rounds >= 2
    assert parts == ["round"] * rounds + [Part.CONTEST, Part.FINAL]


def test_the_best_finished_network_is_the_final_one():
    for seed in range(4):
        trainer, plans, final = run(budget=100, seed=seed)
        last, *others = [trainer.records[parent.model] for parent in plans[-1].parents]
        assert last.generation == len(plans) - 1
        assert {Step.parse(record.step).phase for record in (last, *others)} <= FINISHED
        assert all(is_clearly_better(record, last) for record in others)
        best = max((last, *others), key=lambda record: record.score)
        assert final.candidate == best.candidate


def test_a_larger_budget_leaves_rounds_as_they_are():
    few, more = (run(budget=budget)[1] for budget in (60, 120))
    rounds = [plan for plan in few if isinstance(plan, RoundPlan)]
    assert rounds
    assert more[: len(rounds)] == rounds
    assert isinstance(more[len(rounds)], RoundPlan)


def test_the_trunk_goes_on_from_before_its_rate_fell():
    _, plans, _ = run(budget=100)
    second, contest = plans[1], next(p for p in plans if isinstance(p, FreshPlan))
    for plan in (second, contest):
        (parent,) = plan.parents
        step = Step.parse(parent.model.split("/", 1)[1].removesuffix(".keras"))
        assert step.phase is Phase.RECUPERATION


def test_networks_of_a_contest_are_full_size():
    _, plans, _ = run(budget=100, max_parameters=20_000)
    contest = next(plan for plan in plans if isinstance(plan, FreshPlan))
    origins = [network.origin for network in contest.networks]
    assert origins == [*(template.name for template in TEMPLATES), SCALED]
    for network in contest.networks:
        assert 19_000 < Topology.from_json(network.topology).parameters < 20_000


def test_too_few_batches_to_compare_networks_train_the_template():
    _, plans, _ = run(budget=60, per_epoch=11)
    assert [plan.part for plan in plans[:-1]] == [Part.FINAL]
    assert plans[0].networks[0].origin == "template"


def test_too_few_validation_samples_compare_nothing():
    _, plans, _ = run(budget=100, validation_samples=99)
    (final,) = plans[:-1]
    assert final.part is Part.FINAL
    assert final.networks[0].origin == "template"
    _, plans, _ = run(budget=100, validation_samples=100)
    assert [type(plan) for plan in plans[:2]] == [RoundPlan, RoundPlan]
    assert Part.CONTEST in [plan.part for plan in plans if isinstance(plan, FreshPlan)]
    _, plans, _ = run(budget=100, validation_samples=7, min_validation_samples=7)
    assert isinstance(plans[0], RoundPlan)


def test_a_round_without_gain_ends_growth(monkeypatch):
    monkeypatch.setattr("netsurgery.search.arbor.allowance.loss_of", lambda _: 1.0)
    _, plans, _ = run(budget=400)
    assert sum(isinstance(plan, RoundPlan) for plan in plans) == 1 + SETTINGS["patience"]


def test_smaller_networks_train_beside_the_final_one():
    trainer, plans, _ = run(budget=100, max_parameters=20_000, sizes=[8_000, 4_000])
    last = plans[-2]
    sizes = [Topology.from_json(network.topology).parameters for network in last.networks]
    assert 19_000 < sizes[0] < 20_000
    assert 3_500 < sizes[1] < 4_000
    assert 7_500 < sizes[2] < 8_000
    final, *smaller = (Topology.from_json(network.topology) for network in last.networks)
    for network, topology in zip(last.networks[1:], smaller, strict=True):
        cost = multiplications(topology) / multiplications(final)
        assert network.epoch_cost == pytest.approx(cost)
        longer = network.batches / last.networks[0].batches
        assert longer == pytest.approx(max(1, min(3, 0.35 / cost)), abs=1e-3)
    assert sum(trainer.spent.values()) == pytest.approx(100 * 100, abs=3)
    assert plans[-1].parents[0].candidate == last.networks[0].candidate


@pytest.mark.parametrize(("topology", "separable"), [("cnn-tiny", 4), ("ff-small", 0)])
def test_a_tenth_of_the_final_network_trains_besides_it(topology, separable):
    _, plans, _ = run(topology, budget=100, max_parameters=20_000)
    final, smaller = (Topology.from_json(each.topology) for each in plans[-2].networks)
    assert smaller.parameters == pytest.approx(final.parameters / 10, rel=0.15)
    assert sum(isinstance(layer, SeparableConv) for layer in smaller.layers) == separable


@pytest.mark.parametrize(("activation", "has_teacher"), [("softmax", True), ("linear", False)])
def test_small_classifiers_learn_from_the_final_network(activation, has_teacher):
    _, plans, _ = run(activation=activation, budget=100, max_parameters=20_000)
    contest, last = [plan for plan in plans if isinstance(plan, FreshPlan)]
    final, small = last.networks
    assert small.teacher == (final.candidate if has_teacher else None)
    assert {each.teacher for each in (*contest.networks, final)} == {None}


@pytest.mark.parametrize(
    "allowed",
    [
        Allowance(Part.ROUND),
        Allowance(Part.END, (7,), "the budget is spent"),
        Allowance(Part.CONTEST, (70, 90)),
        Allowance(Part.FINAL, (70, 210, 90), smaller=(500, 900)),
    ],
)
def test_an_allowance_is_read_as_it_was_written(allowed):
    assert Allowance.parse(str(allowed)) == allowed
