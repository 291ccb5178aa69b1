"""The rules of the authors' code."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks import inference, topologies
from netsurgery.networks.layers import CONV_CELL_LENGTH
from netsurgery.networks.presets import OF_PAPERS
from netsurgery.reproduction.studies.outputs import change, logits
from netsurgery.reproduction.studies.published import (
    aggregate_blocks,
    apply_published_rule,
    repeat_blocks,
)
from netsurgery.surgery import Mutation, legal_mutations, mutate_topology, operations
from tests.support.strategies import SEEDS, inputs, trained

NAMED = st.sampled_from(sorted(OF_PAPERS))
SIDES = st.integers(8, 17)


def network(topology="cnn-medium", shape=(9, 11, 2), seed=0, classes=4):
    built = topologies.build(topologies.named(topology), shape, classes)
    return trained(built, np.random.default_rng(seed))


@given(NAMED, SIDES, SIDES, st.integers(1, 4), SEEDS)
def test_published_rules_give_the_mutated_topology(name, height, width, channels, seed):
    parent = network(name, (height, width, channels), seed)
    rng = np.random.default_rng(seed)
    for mutation in legal_mutations(parent.topology):
        child = apply_published_rule(parent, mutation)
        if child is None:
            continue
        if mutation.operation is not operations.REMOVE_UNITS:  # it may leave fewer
            assert child.topology == mutate_topology(parent.topology, mutation)
        assert np.isfinite(inference.predict(child, inputs(child.topology, rng))).all()


@given(SEEDS)
def test_published_growth_of_units_is_exact(seed):
    parent = network("ff-large", (6, 5, 1), seed)
    x = inputs(parent.topology, np.random.default_rng(seed))
    for mutation in legal_mutations(parent.topology, operations=[operations.ADD_UNITS]):
        child = apply_published_rule(parent, mutation)
        np.testing.assert_allclose(
            inference.predict(child, x), inference.predict(parent, x), atol=1e-5
        )


def test_published_growth_of_channels_is_not_exact():
    parent = network()
    x = inputs(parent.topology, np.random.default_rng(0))
    for mutation in legal_mutations(parent.topology, operations=[operations.ADD_CHANNELS]):
        moved = change(logits(parent, x), logits(apply_published_rule(parent, mutation), x))
        assert moved > 0.01


def test_a_published_cell_mixes_the_channels():
    child = apply_published_rule(
        network(), Mutation(operations.ADD_CONV_CELL, CONV_CELL_LENGTH, pooling="average")
    )
    kernel, _ = child.weights[CONV_CELL_LENGTH]
    assert kernel.shape == (3, 3, 3, 3)
    assert (kernel[1, 1] == 1).all()
    assert kernel.sum() == 9


@given(st.integers(1, 9), st.integers(1, 9), SEEDS, st.sampled_from(["average", "max"]))
def test_published_pooling_reverts_its_removal(height, width, seed, pooling):
    small = np.random.default_rng(seed).normal(size=((height + 1) // 2, (width + 1) // 2, 3, 2))
    larger = repeat_blocks(small, height, width)
    assert larger.shape == (height, width, 3, 2)
    np.testing.assert_allclose(aggregate_blocks(larger, pooling), small)


def test_a_published_maximum_keeps_the_sign():
    kernel = np.array([[-5.0, 1.0], [2.0, -9.0]]).reshape(2, 2, 1, 1)
    assert aggregate_blocks(kernel, "max").item() == 2
    assert aggregate_blocks(kernel, "average").item() == -2.75


def test_a_published_removal_adds_beta_to_every_bias():
    parent = network("cnn-medium")
    gamma, beta, *_ = parent.weights[CONV_CELL_LENGTH + 2]
    gone = np.argsort(gamma)[:3]
    (mutation,) = legal_mutations(parent.topology, operations=[operations.REMOVE_CHANNELS])
    child, consumer = (
        apply_published_rule(parent, mutation),
        parent.topology.consumer(CONV_CELL_LENGTH),
    )
    shift = child.weights[consumer][1] - parent.weights[consumer][1]
    np.testing.assert_allclose(shift, beta[gone].sum(), rtol=1e-5)


def test_published_rules_return_none_if_equal_to_ours():
    parent = network()
    position = parent.topology.positions(type(parent.topology.layers[-1]))[0]
    assert apply_published_rule(parent, Mutation(operations.IDENTITY)) is None
    assert apply_published_rule(parent, Mutation(operations.REMOVE_DENSE, position)) is None
