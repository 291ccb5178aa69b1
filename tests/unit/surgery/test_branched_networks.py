"""Every operation on networks with residual blocks, branches and gates, or several inputs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from netsurgery.networks.inference import predict
from netsurgery.networks.network import Network
from netsurgery.surgery import (
    OPERATIONS,
    Mutation,
    Operation,
    is_exact,
    legal_mutations,
    mutate,
    mutate_topology,
)
from tests.support.random_networks import branched, inputs, trained, with_several_inputs
from tests.support.surgery_helpers import assert_computes_the_same, generator

NETWORKS = 50
CHANGES = [operation for operation in OPERATIONS if operation.takes_position]


@cache
def networks() -> list[Network]:
    """Random networks, shared by all tests."""
    kinds = [branched, branched, branched, branched, with_several_inputs]
    pairs = zip(map(generator, range(NETWORKS)), itertools.cycle(kinds))
    return [trained(drawn(rng), rng) for rng, drawn in pairs]


@cache
def offers(operation: Operation) -> list[list[Mutation]]:
    """What the operation can do in each network."""
    return [legal_mutations(network.topology, operations=[operation]) for network in networks()]


def mutations(operation: Operation) -> Iterator[tuple[Network, Mutation, np.random.Generator]]:
    """One of the things that an operation can do, for each random network."""
    for seed, (network, legal) in enumerate(zip(networks(), offers(operation), strict=True)):
        if legal:
            rng = generator(seed)
            yield network, legal[rng.integers(len(legal))], rng


def slots_of(network: Network) -> dict[str, tuple[tuple[np.ndarray, ...], ...]]:
    layers = zip(network.topology.layers, network.weights, strict=True)
    return {"momentum": tuple(arrays[: layer.trainable_arrays] for layer, arrays in layers)}


@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_child_computes_outputs_of_the_same_shape(operation: Operation) -> None:
    for network, mutation, rng in mutations(operation):
        x = inputs(network.topology, rng)
        result = mutate(network, mutation, rng, slots=slots_of(network))
        child = result.network
        assert child.topology == mutate_topology(network.topology, mutation)
        assert child.finite
        assert predict(child, x).shape == predict(network, x).shape
        own = slots_of(child)["momentum"]
        for mine, given in zip(own, result.slots["momentum"], strict=True):
            assert [array.shape for array in mine] == [array.shape for array in given]


@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_samples_can_calibrate_the_child(operation: Operation) -> None:
    for network, mutation, rng in mutations(operation):
        child = mutate(network, mutation, rng, calibration=inputs(network.topology, rng, 8)).network
        assert child.finite
        assert np.isfinite(predict(child, inputs(network.topology, rng))).all()


@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_exact_mutations_keep_the_output(operation: Operation) -> None:
    for network, mutation, rng in mutations(operation):
        if is_exact(network.topology, mutation):
            x = inputs(network.topology, rng)
            for samples in (None, inputs(network.topology, rng, 8)):
                child = mutate(network, mutation, rng, calibration=samples).network
                assert_computes_the_same(child, network, x)
