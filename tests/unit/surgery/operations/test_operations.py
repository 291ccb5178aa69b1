"""What all operations promise."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Dense, Flatten, conv_cell
from netsurgery.networks.network import Network
from netsurgery.surgery import (
    ECTONAS,
    OPERATIONS,
    SURGEON,
    IllegalMutation,
    Mutation,
    MutationSizes,
    Operation,
    is_exact,
    legal_mutations,
    mutate,
    mutate_topology,
    operations,
)
from tests.support.factories import SCHEMA
from tests.support.strategies import SEEDS, SIZES, VARIED, Example, networks, one_in, trained
from tests.support.surgery_helpers import CELLS, assert_computes_the_same, generator, legal

CHANGES = tuple(operation for operation in OPERATIONS if not operation.changes_nothing)
FIRST, SECOND = conv_cell(4), conv_cell(8, pooling="max")
TAIL = [Flatten(), Dense(10), Dense(30, "leaky_relu"), Dense(5, "softmax")]


def content(network: Network) -> list[list[tuple[np.dtype, bytes]]]:
    return [[(array.dtype, array.tobytes()) for array in arrays] for arrays in network.weights]


@given(networks(VARIED), SIZES)
def test_identity_returns_the_same_network(example: Example, sizes: MutationSizes) -> None:
    network, _ = example
    identity = Mutation(operations.IDENTITY)
    assert mutate(network, identity, generator()).network is network
    assert mutate_topology(network.topology, identity) == network.topology


def test_identity_takes_no_position() -> None:
    with pytest.raises(IllegalMutation, match="takes no position"):
        mutate_topology(CELLS, Mutation(operations.IDENTITY, 0))


@one_in(2)
@given(networks(VARIED), SIZES, SEEDS)
def test_weights_agree_with_the_topology(example: Example, sizes: MutationSizes, seed: int) -> None:
    network, x = example
    for mutation in legal_mutations(network.topology, sizes, operations=OPERATIONS):
        child = mutate(network, mutation, generator(seed)).network
        assert child.topology == mutate_topology(network.topology, mutation)
        assert child.finite
        assert {array.dtype for arrays in child.weights for array in arrays} == {np.dtype("f4")}
        assert predict(child, x).shape == predict(network, x).shape


@one_in(2)
@given(networks(VARIED), SIZES, SEEDS)
def test_parent_is_never_changed(example: Example, sizes: MutationSizes, seed: int) -> None:
    network, _ = example
    topology, before = network.topology, content(network)
    for mutation in legal_mutations(network.topology, sizes, operations=OPERATIONS):
        mutate(network, mutation, generator(seed))
        assert network.topology is topology
        assert content(network) == before


@one_in(2)
@given(networks(VARIED), SIZES, SEEDS)
def test_exact_mutations_keep_the_output(example: Example, sizes: MutationSizes, seed: int) -> None:
    network, x = example
    for mutation in legal_mutations(network.topology, sizes, operations=OPERATIONS):
        if is_exact(network.topology, mutation):
            child = mutate(network, mutation, generator(seed)).network
            assert_computes_the_same(child, network, x)


@one_in(2)
@given(networks(VARIED), SIZES, SEEDS)
def test_same_seed_gives_the_same_child(example: Example, sizes: MutationSizes, seed: int) -> None:
    network, _ = example
    for mutation in legal_mutations(network.topology, sizes, operations=OPERATIONS):
        one = mutate(network, mutation, generator(seed)).network
        other = mutate(network, mutation, generator(seed)).network
        assert content(one) == content(other)


@one_in(4)
@given(networks(VARIED), SIZES, SEEDS)
def test_mutations_can_be_chained(example: Example, sizes: MutationSizes, seed: int) -> None:
    network, x = example
    rng = generator(seed)
    for _ in range(6):
        mutations = legal_mutations(network.topology, sizes, operations=OPERATIONS)
        network = mutate(network, mutations[rng.integers(len(mutations))], rng).network
    assert network.finite
    assert np.isfinite(predict(network, x)).all()


@one_in(2)
@given(networks(VARIED))
def test_error_names_the_legal_positions(
    example: Example,
) -> None:
    network, _ = example
    everywhere = (None, -1, *range(len(network.topology.layers) + 2))
    for operation in CHANGES:
        allowed = [m.position for m in legal(network, MutationSizes(), operation)]
        for position in everywhere:
            if position in allowed:
                continue
            mutation = Mutation(operation, position)
            with pytest.raises(IllegalMutation) as refused:
                mutate(network, mutation, generator())
            what, _, where = str(refused.value).partition("; legal")
            assert what.startswith(f"{operation} at position {position}:")
            assert [int(place) for place in re.findall(r"\d+", where)] == allowed
            assert ("nowhere" in where) == (not allowed)


@pytest.mark.parametrize(
    ("mutation", "layers"),
    [
        (Mutation(operations.ADD_CHANNELS, 0), [*conv_cell(7), *SECOND, *TAIL]),
        (
            Mutation(operations.ADD_CHANNELS, 4),
            [*FIRST, *conv_cell(11, pooling="max"), *TAIL],
        ),
        (Mutation(operations.REMOVE_CHANNELS, 0), [*conv_cell(1), *SECOND, *TAIL]),
        (Mutation(operations.REMOVE_CONV_CELL, 0), [*SECOND, *TAIL]),
        (Mutation(operations.REMOVE_CONV_CELL, 4), [*FIRST, *TAIL]),
        (Mutation(operations.ADD_CONV_CELL, 0), [*conv_cell(2), *FIRST, *SECOND, *TAIL]),
        (
            Mutation(operations.ADD_CONV_CELL, 4, pooling="max"),
            [*FIRST, *conv_cell(4, pooling="max"), *SECOND, *TAIL],
        ),
        (
            Mutation(operations.ADD_CONV_CELL, 8, pooling="average"),
            [*FIRST, *SECOND, *conv_cell(8), *TAIL],
        ),
        (
            Mutation(operations.ADD_UNITS, 9),
            [*FIRST, *SECOND, TAIL[0], Dense(12), *TAIL[2:]],
        ),
        (
            Mutation(operations.ADD_UNITS, 10),
            [*FIRST, *SECOND, *TAIL[:2], Dense(33, "leaky_relu"), TAIL[3]],
        ),
        (
            Mutation(operations.REMOVE_UNITS, 10),
            [*FIRST, *SECOND, *TAIL[:2], Dense(27, "leaky_relu"), TAIL[3]],
        ),
        (Mutation(operations.REMOVE_DENSE, 9), [*FIRST, *SECOND, TAIL[0], *TAIL[2:]]),
        (
            Mutation(operations.ADD_DENSE, 10),
            [*FIRST, *SECOND, *TAIL[:2], Dense(10), *TAIL[2:]],
        ),
        (
            Mutation(operations.ADD_DENSE, 11),
            [*FIRST, *SECOND, *TAIL[:3], Dense(30, "linear"), TAIL[3]],
        ),
    ],
    ids=lambda value: f"{value.operation}-{value.position}" if isinstance(value, Mutation) else "",
)
def test_mutation_changes_the_layers_at_its_position(mutation: Mutation, layers: list) -> None:
    pixels = replace(CELLS, non_negative_input=True)
    child = mutate(trained(pixels, generator()), mutation, generator()).network
    assert list(child.topology.layers) == layers


@pytest.mark.parametrize(
    ("factor", "wider", "narrower"),
    [(2, [2, 14], [0, 3]), (1.5, [2, 11], [0, 4]), (1.01, [2, 8], [0, 6])],
)
def test_widths_change_by_a_factor(factor: float, wider: list[int], narrower: list[int]) -> None:
    sizes = MutationSizes(width_factor=factor)
    assert [sizes.wider(width, 3) for width in (1, 7)] == wider
    assert [sizes.narrower(width, 3) for width in (1, 7)] == narrower


def test_units_change_by_a_tenth_but_at_least_by_two() -> None:
    assert [MutationSizes().units(n) for n in (1, 10, 29, 30, 39, 100)] == [2, 2, 2, 3, 3, 10]
    for percent in range(1, 101):
        sizes = MutationSizes(units_change_fraction=percent / 100, min_units_change=1)
        widths = (1, 10, 50, 100, 1000)
        assert [sizes.units(n) for n in widths] == [max(1, percent * n // 100) for n in widths]


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_operation_describes_itself(operation: Operation) -> None:
    assert operations.by_name(operation.name) is operation
    assert str(operation) == operation.name
    assert operation.label
    assert type(operation).__doc__
    mutation = Mutation(operation, 1 if operation.takes_position else None)
    assert Mutation.from_json(json.loads(json.dumps(mutation.to_json()))) == mutation


def test_operations_of_the_papers() -> None:
    assert len(ECTONAS) == 9
    assert set(SURGEON) - set(ECTONAS) == {operations.TRUNCATE}
    assert {*ECTONAS, *SURGEON} <= set(OPERATIONS)
    assert {operation.name for operation in SURGEON} == {
        *("identity", "add_dense", "remove_dense", "add_units", "remove_units", "truncate")
    }


def test_schema_has_the_default_recuperation_of_each_operation() -> None:
    settings = {
        "recuperation": {each.name: each.recuperation_epochs for each in ECTONAS},
        "recuperation_factors": {each.name: each.recuperation_factor for each in SURGEON},
    }
    for key, expected in settings.items():
        (found,) = find_properties(yaml.safe_load(SCHEMA.read_text()), key)
        assert {name: entry["default"] for name, entry in found.items()} == expected


def find_properties(schema: Any, key: str) -> list[dict[str, Any]]:
    """The properties of the setting `key`, wherever a schema defines it."""
    if not isinstance(schema, dict):
        return []
    found = [part["properties"] for name, part in schema.items() if name == key]
    return found + [each for part in schema.values() for each in find_properties(part, key)]
