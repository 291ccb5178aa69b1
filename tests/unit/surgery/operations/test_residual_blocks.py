"""Added residual blocks: where they go, what they are made of, and what they learn first."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.inference import layer_input, predict
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Layer,
    Other,
    Pool,
)
from netsurgery.networks.network import Network
from netsurgery.networks.steps import Place
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, legal_mutations, mutate, operations, why_illegal
from tests.support.random_networks import trained
from tests.support.surgery_helpers import generator

BLOCK, BOTTLENECK = operations.ADD_RESIDUAL_BLOCK, operations.ADD_BOTTLENECK_BLOCK
NORMED = Topology(
    (8, 8, 2),
    (
        Conv(8),
        Pool("max"),
        BatchNorm(),
        Activation("leaky_relu"),
        Residual((Conv(3, activation="relu"), Conv(8))),
        GlobalPool(),
        Dense(6, "tanh"),
        Dense(3, "softmax"),
    ),
)
PLAIN = Topology((8, 8, 2), (Conv(8, activation="elu"), Pool(), Flatten(), Dense(5), Dense(2)))


def added(topology: Topology, mutation: Mutation) -> Residual:
    row = mutate(trained(topology, generator()), mutation, generator()).network.topology.row
    old = list(map(id, topology.row))
    (block,) = (node for node in row if id(node) not in old)
    assert isinstance(block, Residual)
    return block


@pytest.mark.parametrize(
    ("mutation", "body"),
    [
        (
            Mutation(BLOCK, 3),
            (
                Conv(8, use_bias=False),
                BatchNorm(),
                Activation("leaky_relu"),
                Conv(8, use_bias=False),
                BatchNorm(),
            ),
        ),
        (
            Mutation(BOTTLENECK, 4, 5),
            (
                Conv(5, 1, use_bias=False),
                BatchNorm(),
                Activation("relu"),
                Conv(5, 3, use_bias=False),
                BatchNorm(),
                Activation("relu"),
                Conv(8, 1, use_bias=False),
                BatchNorm(),
            ),
        ),
        (Mutation(BLOCK, 6, 4), (Dense(4, "linear"), Activation("tanh"), Dense(6, "linear"))),
    ],
)
def test_body_follows_the_network(mutation: Mutation, body: tuple[Layer, ...]) -> None:
    assert added(NORMED, mutation).body == body


def test_body_is_not_normalized_where_nothing_is() -> None:
    body = added(PLAIN, Mutation(BLOCK, 0)).body
    assert body == (Conv(8), Activation("elu"), Conv(8))
    narrow = added(PLAIN, Mutation(BOTTLENECK, 0)).body[::2]
    assert narrow == (Conv(2, 1), Conv(2, 3), Conv(8, 1))


def test_activation_of_a_gate_is_not_that_of_a_body() -> None:
    gate = Parallel(((), (GlobalPool(), Dense(8, "sigmoid"))), "multiply")
    topology = Topology((8, 8, 2), (Conv(8, activation="silu"), gate, *PLAIN.row[1:]))
    assert added(topology, Mutation(BLOCK, 1)).body == (Conv(8), Activation("silu"), Conv(8))


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        (0, "the batch norm at 2 belongs to it"),
        (1, "the batch norm at 2 belongs to it"),
        (2, "the leaky_relu at 3 belongs to it"),
        (7, "it gives the network's output"),
        (3, None),
        ("4.body.0", None),
        ("4.body.1", None),
        (4, None),
        (5, None),
        (6, None),
    ],
)
def test_blocks_go_behind_cells_and_blocks(position: Place, reason: str | None) -> None:
    found = why_illegal(NORMED, Mutation(BLOCK, position))
    assert (found or "").startswith(reason or "")
    assert (found is None) == (reason is None)


def test_nothing_goes_behind_a_flattened_image() -> None:
    assert [m.position for m in legal_mutations(PLAIN, operations=[BLOCK])] == [0, 1, 3]
    assert "no layer with a kernel" in str(why_illegal(PLAIN, Mutation(BLOCK, 2)))
    assert "flat" in str(why_illegal(PLAIN, Mutation(BOTTLENECK, 3)))
    assert "at least one" in str(why_illegal(PLAIN, Mutation(BLOCK, 0, 0)))


def test_sum_of_layers_that_surgery_does_not_know_takes_no_block() -> None:
    """Their channels may be anywhere."""
    unknown = Other("Conv2D", "", (2, 8, 8), (2, 8, 8))
    head = (Flatten(), Dense(2))
    of_unknown = Topology((2, 8, 8), (Residual((unknown,)), *head))
    assert not legal_mutations(of_unknown, operations=[BLOCK])
    of_known = Topology((2, 8, 8), (Residual((Conv(8),)), *head))
    assert [m.position for m in legal_mutations(of_known, operations=[BLOCK])] == ["0.body.0", 0]


@pytest.mark.parametrize("topology", [NORMED, PLAIN], ids=["normalized", "plain"])
def test_output_stays_the_same_to_the_bit(topology: Topology) -> None:
    network, x = trained(topology, generator()), generator(1).normal(size=(5, 8, 8, 2))
    for samples in (None, x):
        for mutation in legal_mutations(topology, operations=[BLOCK, BOTTLENECK]):
            child = mutate(network, mutation, generator(2), calibration=samples).network
            np.testing.assert_array_equal(predict(child, x), predict(network, x))


def test_only_the_end_of_the_body_is_zero() -> None:
    child = mutate(trained(NORMED, generator()), Mutation(BLOCK, 3), generator()).network
    kernel, gamma, last, last_gamma = (child.weights[i][0] for i in (4, 5, 7, 8))
    assert kernel.any()
    assert gamma.any()
    assert last.any()
    assert not last_gamma.any()
    child = mutate(trained(PLAIN, generator()), Mutation(BLOCK, 0), generator()).network
    assert child.weights[1][0].any()
    assert not child.weights[3][0].any()


def test_statistics_are_those_of_the_samples() -> None:
    network, x = trained(NORMED, generator()), generator(1).normal(size=(50, 8, 8, 2))
    child = mutate(network, Mutation(BLOCK, 3), generator(), calibration=x).network
    assert_statistics(child, [5, 8], x)


def assert_statistics(network: Network, positions: list[int], x: np.ndarray) -> None:
    for position in positions:
        entering = layer_input(network, position, x)
        *_, mean, variance = network.weights[position]
        np.testing.assert_allclose(mean, entering.mean(axis=(0, 1, 2)), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(variance, entering.var(axis=(0, 1, 2)), rtol=1e-5)


def test_block_goes_into_the_row_of_its_place() -> None:
    network = trained(NORMED, generator())
    child = mutate(network, Mutation(BLOCK, "4.body.0", 2), generator()).network
    (outer,) = (node for node in child.topology.row if isinstance(node, Residual))
    assert [type(node) for node in outer.body] == [Conv, Residual, Conv]
