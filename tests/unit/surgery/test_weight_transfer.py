"""Optimizer slots follow the weights through surgery."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.networks.layers import Arrays, BatchNorm, KernelLayer
from netsurgery.networks.network import Network
from netsurgery.networks.topologies import build
from netsurgery.networks.topology import Topology
from netsurgery.surgery import (
    OPERATIONS,
    Mutation,
    MutationSizes,
    legal_mutations,
    mutate,
    operations,
)
from netsurgery.surgery.structure import flattened_image_reader
from tests.support.strategies import (
    SEEDS,
    SIZES,
    TOPOLOGIES,
    VARIED,
    Example,
    inputs,
    networks,
    one_in,
    trained,
)

ANY_KIND = networks(st.one_of(TOPOLOGIES, VARIED))
SELECTING = (operations.ADD_UNITS, operations.ADD_CHANNELS, operations.REMOVE_CHANNELS)

# conv cells at 0 and 4, flatten at 8, dense layers at 9, 10 and 11
CELLS = trained(
    build(
        [
            {"conv_cell": {"channels": 4}},
            {"conv_cell": {"channels": 5}},
            {"dense": {"units": 6}},
            {"dense": {"units": 7}},
        ],
        (9, 9, 2),
        5,
    ),
    np.random.default_rng(0),
)


FITTED_AND_KEPT = ((4, 9, 10, 11), (0, 2, 6))  # when channels of the first cell are removed


def trainable(network: Network) -> tuple[Arrays, ...]:
    """The trainable arrays by layer; used as slots they show the source of each number."""
    layers = zip(network.topology.layers, network.weights, strict=True)
    return tuple(arrays[: layer.trainable_arrays] for layer, arrays in layers)


def grown_slots(network: Network, mutation: Mutation, **options: object) -> tuple[Arrays, ...]:
    slots = {"momentum": trainable(network)}
    result = mutate(network, mutation, np.random.default_rng(0), slots=slots, **options)  # type: ignore[arg-type]
    return result.slots["momentum"]


def touched(parent: Topology, child: Topology, position: int) -> tuple[range, range]:
    """The layers of the child, and of the parent, that an operation may have changed.

    These are the layers from the changed one to the one that reads it; later layers keep their
    distance from the end.
    """
    grown = len(child.layers) - len(parent.layers)
    reader = parent.consumer(position)
    end = max(i for i in (position, reader, flattened_image_reader(parent)) if i is not None) + 1
    return range(position, end + grown), range(position, end)


@one_in(2)
@given(ANY_KIND, SIZES)
def test_slots_have_the_shapes_of_trainable_arrays(example: Example, sizes: MutationSizes) -> None:
    network, _ = example
    for mutation in legal_mutations(network.topology, sizes, operations=OPERATIONS):
        slots = {"momentum": trainable(network), "velocity": trainable(network)}
        result = mutate(network, mutation, slots=slots)
        wanted = [[array.shape for array in arrays] for arrays in trainable(result.network)]
        for carried in result.slots.values():
            assert [[array.shape for array in arrays] for arrays in carried] == wanted
        assert set(result.slots) == set(slots)


@one_in(2)
@given(ANY_KIND, SIZES)
def test_unaffected_layers_keep_their_slots(example: Example, sizes: MutationSizes) -> None:
    network, _ = example
    before = trainable(network)
    for mutation in legal_mutations(network.topology, sizes, operations=OPERATIONS)[1:]:
        after = grown_slots(network, mutation)
        child = mutate(network, mutation).network.topology
        position = mutation.at(network.topology)
        if mutation.operation == operations.MERGE_NORMALIZATION:  # into the layer before it
            position = max(i for i in network.topology.positions(KernelLayer) if i < position)
        new, old = touched(network.topology, child, position)
        kept = [
            *zip(before[: old.start], after[: new.start], strict=True),
            *zip(before[old.stop :], after[new.stop :], strict=True),
        ]
        for expected, found in kept:
            for one, other in zip(expected, found, strict=True):
                np.testing.assert_array_equal(other, one)


@given(ANY_KIND, SIZES, SEEDS)
def test_surviving_and_copied_weights_keep_their_slots(
    example: Example, sizes: MutationSizes, seed: int
) -> None:
    network, _ = example
    for mutation in legal_mutations(network.topology, sizes, operations=SELECTING):
        position = mutation.at(network.topology)
        slots = {"momentum": trainable(network)}
        result = mutate(network, mutation, np.random.default_rng(seed), slots=slots)
        child, found = result.network, result.slots["momentum"]
        consumer = network.topology.consumer(position)
        assert consumer is not None
        # incoming weights are copied or dropped, and so are their slots
        for i in range(position, consumer):
            for weights, slot in zip(trainable(child)[i], found[i], strict=True):
                np.testing.assert_array_equal(slot, weights)
        # outgoing weights are shared among copies, slots are not
        writer, reader = (network.topology.layers[i] for i in (position, consumer))
        assert isinstance(writer, KernelLayer)
        assert isinstance(reader, KernelLayer)
        old, new = (each.weights[position][writer.mixing] for each in (network, child))
        width = old.shape[-1]
        sources = [
            next(s for s in range(width) if np.array_equal(old[..., s], new[..., c]))
            for c in range(new.shape[-1])
        ]
        reading = network.weights[consumer][reader.mixing]
        reading = reading.reshape(-1, width, reading.shape[-1])
        slot = found[consumer][reader.mixing].reshape(-1, len(sources), reading.shape[-1])
        np.testing.assert_array_equal(slot, reading[:, sources])


@pytest.mark.parametrize(
    ("mutation", "zero"),
    [
        (Mutation(operations.ADD_DENSE, 10), [10]),
        (Mutation(operations.REMOVE_DENSE, 9), [9]),
        (Mutation(operations.REMOVE_UNITS, 9), [9, 10]),
        (Mutation(operations.TRUNCATE, 10), [10, 11]),
        (Mutation(operations.ADD_CONV_CELL, 4), [4, 6, 13]),
        (Mutation(operations.ADD_CONV_CELL, 8), [8, 10, 13]),
        (Mutation(operations.REMOVE_CONV_CELL, 0), [0, 5]),
        (Mutation(operations.ADD_UNITS, 9), []),
        (Mutation(operations.ADD_CHANNELS, 0), []),
        (Mutation(operations.REMOVE_CHANNELS, 0), []),
    ],
    ids=lambda value: f"{value.operation}-{value.position}" if isinstance(value, Mutation) else "",
)
def test_only_new_and_mixed_weights_start_at_zero(mutation: Mutation, zero: list[int]) -> None:
    slots = grown_slots(CELLS, mutation)
    found = [i for i, arrays in enumerate(slots) if arrays and not any(a.any() for a in arrays)]
    assert found == zero


def test_refitted_weights_start_at_zero() -> None:
    samples = inputs(CELLS.topology, np.random.default_rng(1), batch=40)
    slots = grown_slots(CELLS, Mutation(operations.REMOVE_CHANNELS, 0), calibration=samples)
    fitted, kept = ([array for i in found for array in slots[i]] for found in FITTED_AND_KEPT)
    assert not any(array.any() for array in fitted)
    assert all(array.any() for array in kept)


def test_moving_statistics_have_no_slots() -> None:
    slots = grown_slots(CELLS, Mutation(operations.ADD_CHANNELS, 0))
    assert [len(slots[i]) for i in CELLS.topology.positions(BatchNorm)] == [2, 2]


def test_identity_keeps_all_slots() -> None:
    slots = {"momentum": trainable(CELLS)}
    assert mutate(CELLS, Mutation(operations.IDENTITY), slots=slots).slots is slots
