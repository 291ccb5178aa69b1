"""Narrower groups of channels: stages, branches and gates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from netsurgery.networks.blocks import Parallel, Residual, Row
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import (
    Activation,
    Arrays,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Pool,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, MutationSizes, legal_mutations, mutate, operations
from netsurgery.surgery.channel_groups import channel_groups
from tests.support.random_networks import branched, inputs, trained
from tests.support.strategies import SEEDS, SIZES, one_in
from tests.support.surgery_helpers import assert_computes_the_same, generator

NARROWING = (operations.REMOVE_UNITS, operations.REMOVE_CHANNELS)
BODY: Row = (Conv(3, 1), BatchNorm(), Activation(), Conv(6, 1), BatchNorm())
# the group that changes is the first one that the network writes
NETWORKS: dict[str, tuple[Row, str | int]] = {
    "a stage": ((Conv(6), BatchNorm(), Residual(BODY), Residual(BODY), GlobalPool()), 0),
    "a branch": ((Parallel(((Conv(6), BatchNorm()), (Conv(2),))), Pool(), Flatten()), "0.0.0"),
    "a stage of branches": (
        (Conv(6), BatchNorm(), Parallel(((), (Conv(2, 1),))), Activation(), Flatten()),
        0,
    ),
}


def with_dead_channels(network: Network, position: int, dead: list[int]) -> Network:
    """The network where some channels of a group are constant: gamma and kernel are zero."""
    topology, group = network.topology, channel_groups(network.topology).owned(position)
    changed: dict[int, Arrays] = {}
    for writer in group.writers:
        kernel, bias = (array.copy() for array in network.weights[writer])
        kernel[..., dead] = 0
        bias[dead] = 0
        changed[writer] = (kernel, bias)
        for i in topology.chain(writer)[:1]:
            if isinstance(topology.layers[i], BatchNorm):
                gamma, beta, mean, variance = (array.copy() for array in network.weights[i])
                gamma[dead] = mean[dead] = 0
                changed[i] = (gamma, beta, mean, variance)
    return network.with_arrays(changed)


@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_constant_channels_go_without_a_change(name: str, calibrated: bool) -> None:
    """What is left of them goes to the biases; 1x1 kernels, where padding does not matter."""
    row, place = NETWORKS[name]
    topology = Topology((1, 1, 3), (*row, Dense(4)))
    position = topology.position(place)
    network = with_dead_channels(trained(topology, generator(1)), position, [1, 4])
    x = inputs(topology, generator(2), 300)
    mutation = Mutation(operations.REMOVE_CHANNELS, place, 4)
    child = mutate(network, mutation, calibration=x if calibrated else None).network
    assert child.topology.output_shapes[position][-1] == 4
    assert_computes_the_same(child, network, x[:20])


@pytest.mark.parametrize("calibrated", [False, True])
@one_in(2)
@given(seed=SEEDS, sizes=SIZES)
def test_narrowing_keeps_shapes_and_finite_weights(
    calibrated: bool, seed: int, sizes: MutationSizes
) -> None:
    rng = generator(seed)
    network = trained(branched(rng), rng)
    x = inputs(network.topology, rng, 20)
    slots = {
        "momentum": tuple(
            arrays[: layer.trainable_arrays]
            for layer, arrays in zip(network.topology.layers, network.weights, strict=True)
        )
    }
    for mutation in legal_mutations(network.topology, sizes, operations=NARROWING):
        result = mutate(network, mutation, calibration=x if calibrated else None, slots=slots)
        child = result.network
        assert child.finite
        shapes = tuple(tuple(array.shape for array in arrays) for arrays in child.weights)
        assert shapes == child.topology.array_shapes
        carried = tuple(tuple(array.shape for array in a) for a in result.slots["momentum"])
        layers = zip(shapes, child.topology.layers, strict=True)
        assert carried == tuple(s[: layer.trainable_arrays] for s, layer in layers)
        assert predict(child, x).shape == predict(network, x).shape
        assert child.topology.parameters < network.topology.parameters


def test_samples_tell_which_channels_a_stage_needs() -> None:
    """Least squares over all that read a stage keeps more than the strongest channels do."""
    errors = {False: 0.0, True: 0.0}
    for seed in range(5):
        topology = Topology((5, 5, 3), (*NETWORKS["a stage"][0], Dense(4)))
        network = trained(topology, generator(seed))
        x = inputs(topology, generator(seed + 100), 200)
        for calibrated in errors:
            child = mutate(
                network,
                Mutation(operations.REMOVE_CHANNELS, 0, 4),
                calibration=x[:100] if calibrated else None,
            ).network
            errors[calibrated] += float(
                np.square(predict(child, x[100:]) - predict(network, x[100:])).mean()
            )
    assert errors[True] < 0.5 * errors[False]
