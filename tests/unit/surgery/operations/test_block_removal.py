"""Blocks and branches go, and what reads them goes on without them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

import numpy as np
import pytest

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    KernelLayer,
    Layer,
    Pool,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, Operation, legal_mutations, mutate, operations, why_illegal
from tests.support.random_networks import branched, inputs, trained
from tests.support.surgery_helpers import assert_computes_the_same, generator

SHIFTING = ("sigmoid", "softmax")
BLOCK, BRANCH = operations.REMOVE_BLOCK, operations.REMOVE_BRANCH
HEAD = (GlobalPool(), Dense(3, "linear"))
PLAIN = Residual((Conv(5, activation="relu"), Conv(4)))
PROJECTED = Residual((Conv(4, strides=2, activation="tanh"), Conv(4)), (Conv(4, 1, strides=2),))
INCEPTION = Parallel(((Conv(2), Conv(3)), (Pool(size=3, strides=1), Conv(4, 1)), ()))
NETWORK = Topology(
    (8, 8, 2),
    (
        Conv(4),
        PLAIN,
        BatchNorm(),
        PROJECTED,
        INCEPTION,
        BatchNorm(),
        Activation("relu"),
        Conv(4),
        *HEAD,
    ),
)


def silenced(network: Network, position: int) -> Network:
    """The network in which the layer at `position` gives zero."""
    zero = tuple(np.zeros_like(array) for array in network.weights[position])
    return network.with_arrays({position: zero})


def not_kernel(layer: Layer) -> bool:
    return not isinstance(layer, KernelLayer)


def removals(operation: Operation) -> Iterator[tuple[Network, Mutation, int]]:
    """Removals in random networks, and the last layer of what goes: one that can be silenced.

    No bias or normalization makes more than zero of what it then gives.
    """
    for seed in range(200):
        rng = generator(seed)
        network = trained(branched(rng), rng)
        topology = network.topology
        for mutation in legal_mutations(topology, operations=[operation]):
            end = position = mutation.at(topology)
            if operation == BLOCK:
                end = topology.steps[position].inputs[0]
            layer, chain = topology.layers[end], topology.chain(topology.readers[end][0])
            behind = takewhile(not_kernel, (topology.layers[i] for i in chain))
            shifts = any(each.has_channel_arrays for each in behind)
            is_zero = isinstance(layer, KernelLayer) and layer.activation not in SHIFTING
            if is_zero and not (operation == BRANCH and shifts):
                yield network, mutation, end


@pytest.mark.parametrize("operation", [BLOCK, BRANCH], ids=str)
def test_removal_is_exact_for_what_gives_zero(operation: Operation) -> None:
    count = 0
    for network, mutation, end in removals(operation):
        x = inputs(network.topology, generator())
        parent = silenced(network, end)
        child = mutate(parent, mutation).network
        assert_computes_the_same(child, parent, x)
        count += 1
    assert count >= 20


def test_removal_undoes_an_addition() -> None:
    network = trained(NETWORK, generator())
    wider = mutate(network, Mutation(operations.ADD_RESIDUAL_BLOCK, 3), generator()).network
    back = mutate(wider, Mutation(BLOCK, 4)).network
    assert back.topology == network.topology
    assert back.weights == network.weights


def test_identity_leaves_nothing_and_a_projection_stays() -> None:
    network = trained(NETWORK, generator())
    row = mutate(network, Mutation(BLOCK, 1)).network.topology.row
    assert row == (*NETWORK.row[:1], *NETWORK.row[2:])
    child = mutate(network, Mutation(BLOCK, 3)).network
    assert child.topology.row == (*NETWORK.row[:3], *PROJECTED.shortcut, *NETWORK.row[4:])
    projection = NETWORK.position("3.shortcut.0")
    assert child.weights[child.topology.position(3)] is network.weights[projection]


def test_projection_is_fitted_to_the_whole_block() -> None:
    network, x = trained(NETWORK, generator()), generator(1).normal(size=(200, 8, 8, 2))
    mutation = Mutation(BLOCK, 3)

    def loss(child: Network) -> float:
        """Of what leaves the projection, compared with the block."""
        end = child.topology.position(3)
        rows = zip((child, network), (end, NETWORK.position(3)), strict=True)
        child_gives, block_gives = (
            predict(Network(Topology((8, 8, 2), n.topology.row[:4]), n.weights[: i + 1]), x)
            for n, i in rows
        )
        return float(np.square(child_gives - block_gives).mean())

    without, fitted = (mutate(network, mutation, calibration=s).network for s in (None, x))
    assert loss(fitted) < 0.8 * loss(without)


def test_samples_keep_more_of_the_output() -> None:
    losses: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(2):
        rng = generator(seed)
        network = trained(NETWORK, rng)
        x, other = rng.normal(size=(2, 100, 8, 8, 2))
        before = predict(network, other)
        for mutation in legal_mutations(NETWORK, operations=[BLOCK, BRANCH]):
            for samples in (None, x):
                child = mutate(network, mutation, calibration=samples).network
                change = np.square(predict(child, other) - before).mean() / before.var()
                losses[samples is not None].append(float(change))
    assert np.median(losses[True]) < 0.5 * np.median(losses[False])


@pytest.mark.parametrize(
    ("place", "row"),
    [
        ("4.0.1", [Parallel(INCEPTION.branches[1:])]),
        ("4.1.1", [Parallel((INCEPTION.branches[0], ()))]),
    ],
)
def test_concatenation_loses_the_channels_of_a_branch(place: str, row: list[Parallel]) -> None:
    network = trained(NETWORK, generator())
    child = mutate(network, Mutation(BRANCH, place)).network
    assert list(child.topology.row) == [*NETWORK.row[:4], *row, *NETWORK.row[5:]]
    gone = slice(0, 3) if place == "4.0.1" else slice(3, 7)
    norm, conv = (network.topology.position(i) for i in (5, 7))
    after = child.topology.position
    kept = np.delete(np.arange(11), gone)
    for old, new in zip(network.weights[norm], child.weights[after(5)], strict=True):
        np.testing.assert_array_equal(new, old[kept])
    kernel = network.weights[conv][0]
    np.testing.assert_array_equal(child.weights[after(7)][0], kernel[:, :, kept])


def test_last_branch_takes_the_place_of_the_block() -> None:
    two = Parallel(((Conv(2), Conv(3)), (Conv(4), Flatten())[:1]), "concatenate")
    topology = Topology((8, 8, 2), (two, Conv(2), *HEAD))
    child = mutate(trained(topology, generator()), Mutation(BRANCH, "0.0.1")).network
    assert child.topology.row == (Conv(4), Conv(2), *HEAD)


GATED = Topology(
    (4, 4, 2),
    (
        Conv(3),
        Parallel(((), (GlobalPool(), Dense(3, "sigmoid"))), "multiply"),
        Residual((Residual((Conv(3),)),)),
        Parallel(((Conv(2),), (Conv(3),))),
        Residual((Conv(2), Conv(5))),
        *HEAD,
        Residual((Dense(3),)),
    ),
)


@pytest.mark.parametrize(
    ("mutation", "reason"),
    [
        (Mutation(BLOCK, 0), "the layer there is conv 3 (3x3), not a residual block"),
        (Mutation(BLOCK, 1), "the layer there is multiply of"),
        (Mutation(BLOCK, "2.body.0"), "it is all that its row holds"),
        (Mutation(BLOCK, 7), "it gives the network's output"),
        (Mutation(BRANCH, 0), "no branch of a block ends there"),
        (Mutation(BRANCH, "1.1.1"), "its block multiplies rows"),
        (Mutation(BRANCH, "1.1.0"), "no branch of a block ends there"),
        (Mutation(BRANCH, "3.0.0"), "no single layer reads the channels of its block"),
        (Mutation(BRANCH, "4.body.1"), "no branch of a block ends there"),
        (Mutation(BLOCK, 2), None),
        (Mutation(BLOCK, 4), None),
    ],
    ids=lambda value: str(value.position) if isinstance(value, Mutation) else "",
)
def test_reason_says_why_not_there(mutation: Mutation, reason: str | None) -> None:
    found = why_illegal(GATED, mutation)
    assert found is None if reason is None else reason in str(found)
