"""Which training steps go first: an estimate of their work, and of the work behind them."""

from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.topologies import NAMED, build
from netsurgery.networks.topology import Topology
from netsurgery.search.ectonas.planning import plan_generation
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.ectonas.priorities import (
    BATCH,
    HIGHEST,
    START,
    critical_path_seconds,
    ranks,
    seconds_of_batch,
)
from netsurgery.search.steps import recuperation_step
from netsurgery.surgery import mutate_topology
from tests.support.factories import rules, start, winners

SHAPE = (32, 32, 3)


def planned(*parents, seed=0, **changed):
    """A plan, and its parents by candidate."""
    plan = plan_generation(winners(*parents), 1, GenerationBudget(), rules(**changed), seed)
    return plan, {parent.candidate: parent for parent in parents}


def seconds(layers, shape=SHAPE):
    return seconds_of_batch(build(layers, shape, 10))


def test_larger_images_and_layers_take_longer():
    cell, dense = {"conv_cell": {"channels": 3}}, {"dense": {"units": 100}}
    small = seconds([cell, dense])
    assert seconds([cell, dense], (64, 64, 3)) > 2 * small
    assert seconds([{"conv_cell": {"channels": 30}}, dense]) > 2 * small
    assert seconds([{"dense": {"units": 200}}]) > seconds([dense]) > BATCH


def test_small_cells_cost_more_than_they_save():
    """As measured: 0.65 and 1.45 ms."""
    dense = [{"dense": {"units": units}} for units in (100, 50, 10)]
    with_cell = seconds([{"conv_cell": {"channels": 3}}, *dense])
    assert 1.5 * seconds(dense) < with_cell < 3 * seconds(dense)


@given(
    st.lists(st.sampled_from(sorted(NAMED)), min_size=1, max_size=2),
    st.integers(1, 4),
    st.integers(0, 1000),
)
def test_contenders_have_longer_critical_paths(names, rounds, seed):
    parents = [
        start(name, SHAPE, candidate=f"g00c{i:02d}", batches_per_epoch=100)
        for i, name in enumerate(names)
    ]
    plan, known = planned(*parents, rounds=rounds, seed=seed)
    found = critical_path_seconds(plan, known)
    assert found.keys() == plan.rounds.keys()
    for step, contenders in plan.contenders.items():
        assert all(found[contender] >= found[step] + START for contender in contenders)
    order = ranks(plan, known)
    assert max(order.values()) == HIGHEST
    assert min(order.values()) >= 0
    by_work, by_rank = sorted(found, key=found.get), sorted(found, key=order.get)
    assert [order[step] for step in by_work] == [order[step] for step in by_rank]


def test_the_last_match_has_nothing_behind_it():
    parent = start("ff-large", SHAPE, batches_per_epoch=100)
    plan, known = planned(parent)
    (last, *_), *_ = plan.winners
    epochs = plan.round_epochs * len(plan.rounds[last])
    slowest = max(
        seconds_of_batch(mutate_topology(Topology.from_json(parent.topology), mutation))
        for mutation in (child.mutation for child in plan.offspring)
    )
    assert START < critical_path_seconds(plan, known)[last] < START + 100 * epochs * slowest


def test_a_slow_network_of_many_equals_goes_first():
    plan, known = planned(start("ff-large", SHAPE, batches_per_epoch=1000))
    order = ranks(plan, known)
    (slow,) = (c for c in plan.offspring if c.mutation.operation.name == "add_conv_cell")
    assert order[recuperation_step(slow.candidate)] == HIGHEST
