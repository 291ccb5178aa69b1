"""What tests of operations share: a topology, and checks of a network and its child."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Conv, Dense
from netsurgery.networks.network import Network
from netsurgery.networks.topologies import build
from netsurgery.networks.topology import Topology
from netsurgery.surgery import Mutation, MutationSizes, Operation, legal_mutations

ROUNDING = 2e-6  # by float32 weights, relative to outputs of ordinary size

# conv cells at 0 and 4, flatten at 8, dense layers at 9, 10 and 11
CELLS = build(
    [
        {"conv_cell": {"channels": 4}},
        {"conv_cell": {"channels": 8, "pooling": "max"}},
        {"dense": {"units": 10}},
        {"dense": {"units": 30, "activation": "leaky_relu"}},
    ],
    (9, 9, 2),
    5,
)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def legal(network: Network, sizes: MutationSizes, *operations: Operation) -> list[Mutation]:
    return legal_mutations(network.topology, sizes, operations=operations)


def assert_computes_the_same(child: Network, parent: Network, x: np.ndarray) -> None:
    expected = predict(parent, x)
    tolerance = ROUNDING * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(predict(child, x), expected, rtol=0, atol=tolerance)


def next_with_kernel(topology: Topology, position: int) -> int:
    return next(
        i
        for i in range(position + 1, len(topology.layers))
        if isinstance(topology.layers[i], Conv | Dense)
    )


def outgoing(network: Network, position: int) -> np.ndarray:
    """The kernel that reads the layer at `position`, as (taps, channels, out)."""
    kernel = network.weights[next_with_kernel(network.topology, position)][0]
    width = network.topology.output_shapes[position][-1]
    return kernel.reshape(-1, width, kernel.shape[-1])


def up_to(network: Network, position: int) -> Network:
    """The network up to and including the layer at `position`."""
    topology = Topology(network.topology.input_shape, network.topology.layers[: position + 1])
    return Network(topology, network.weights[: position + 1])


def hidden_layer(network: Network, choice: int) -> int:
    """The position of one of the hidden dense layers."""
    hidden = network.topology.positions(Dense)[:-1]
    return hidden[choice % len(hidden)]
