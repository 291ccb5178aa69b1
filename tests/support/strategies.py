"""Hypothesis strategies for random networks and inputs."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    Layer,
    Pool,
    Shape,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import MutationSizes
from tests.support.random_networks import inputs, trained, varied

Example = tuple[Network, np.ndarray]


def one_in(share: int) -> settings:
    """Examples for a slow property: one in so many of those of the profile."""
    return settings(max_examples=max(1, settings().max_examples // share))


SEEDS = st.integers(0, 2**32 - 1)
MOSTLY = st.sampled_from([True, True, True, False])
SELDOM = st.sampled_from([False, False, False, False, True])
ACTIVATIONS = st.sampled_from(["relu", "leaky_relu", "linear"])
POOLINGS = st.sampled_from(["average", "max"])
KERNELS = st.sampled_from([3, 3, 3, 1, 2, 5])
SIDES = st.integers(1, 13)
CELLS = st.integers(0, 3)
CHANNELS = st.integers(1, 6)
HIDDEN = st.integers(1, 3)
AT_MOST_TWO = st.integers(0, 2)
LINEAR = st.just("linear")

SIZES = st.builds(
    MutationSizes,
    units_change_fraction=st.sampled_from([0.1, 0.5]),
    min_units_change=st.integers(1, 3),
    channels_change=st.integers(1, 4),
    pooling=POOLINGS,
)


@st.composite
def topologies(
    draw: st.DrawFn,
    *,
    images: st.SearchStrategy[bool] = MOSTLY,
    sides: st.SearchStrategy[int] = SIDES,
    cells: st.SearchStrategy[int] = CELLS,
    bare: st.SearchStrategy[bool] = SELDOM,
    kernels: st.SearchStrategy[int] = KERNELS,
    channels: st.SearchStrategy[int] = CHANNELS,
    poolings: st.SearchStrategy[str] = POOLINGS,
    cell_activations: st.SearchStrategy[str] = ACTIVATIONS,
    hidden: st.SearchStrategy[int] = HIDDEN,
    activations: st.SearchStrategy[str] = ACTIVATIONS,
    biases: st.SearchStrategy[bool] = MOSTLY,
    output_activations: st.SearchStrategy[str] = LINEAR,
) -> Topology:
    """Conv cells (sometimes a bare convolution), hidden dense layers, an output layer."""
    layers: list[Layer] = []
    if draw(images):
        input_shape: Shape = (draw(sides), draw(sides), draw(st.integers(1, 4)))
        for _ in range(draw(cells)):
            width, kernel, bias = draw(channels), draw(kernels), draw(biases)
            if draw(bare):
                layers.append(Conv(width, kernel, draw(cell_activations), bias))
                continue
            layers += [
                Conv(width, kernel, use_bias=bias),
                Pool(draw(poolings)),
                BatchNorm(),
                Activation(draw(cell_activations)),
            ]
        layers.append(Flatten())
    else:
        input_shape = (draw(st.integers(1, 12)),)
    for _ in range(draw(hidden)):
        layers.append(Dense(draw(st.integers(1, 8)), draw(activations), draw(biases)))
    activation = draw(output_activations)
    outputs = draw(st.integers(2 if activation == "softmax" else 1, 4))
    layers.append(Dense(outputs, activation, draw(biases)))
    return Topology(input_shape, tuple(layers))


def of_any_kind(seed: int) -> Topology:
    """Any arrangement of the layers that surgery supports."""
    return varied(np.random.default_rng(seed))


TOPOLOGIES = topologies()
VARIED = st.builds(of_any_kind, SEEDS)


@st.composite
def networks(draw: st.DrawFn, topologies: st.SearchStrategy[Topology] = TOPOLOGIES) -> Example:
    """A network with a batch of inputs."""
    topology, rng = draw(topologies), np.random.default_rng(draw(SEEDS))
    return trained(topology, rng), inputs(topology, rng)


@st.composite
def pointwise_topologies(draw: st.DrawFn, cells: st.SearchStrategy[int] = AT_MOST_TWO) -> Topology:
    """Conv cells with 1x1 kernels and relu, on images that can be halved once more after them.

    On an image that is constant within blocks, such a network computes block by block.
    """
    count = draw(cells)
    return draw(
        topologies(
            images=st.just(True),
            sides=st.integers(2**count + 1, 13),
            cells=st.just(count),
            bare=st.just(False),
            kernels=st.just(1),
            cell_activations=st.just("relu"),
            biases=st.just(True),
        )
    )


def images_constant_in_blocks(
    topology: Topology, size: int, rng: np.random.Generator, batch: int = 4
) -> np.ndarray:
    """Images that hold one value per channel and block of size x size.

    Of either sign, unless the topology takes no negative ones.
    """
    height, width, channels = topology.input_shape
    blocks = (batch, math.ceil(height / size), math.ceil(width / size), channels)
    values = rng.uniform(0 if topology.non_negative_input else -1.5, 1.5, blocks)
    return values.repeat(size, axis=1).repeat(size, axis=2)[:, :height, :width]


def with_layer(network: Network, position: int, layer: Layer, *arrays: np.ndarray) -> Network:
    """The network with another layer of the same width, with given arrays, at `position`."""
    changed = {position: tuple(array.astype(np.float32) for array in arrays)}
    weights = tuple(changed.get(i, old) for i, old in enumerate(network.weights))
    return Network(network.topology.replace(position, layer), weights)
