"""Multiplications, memory and bytes of networks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery.networks import costs, inference
from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.layers import (
    VALID,
    Activation,
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Flatten,
    GlobalPool,
    LinearLayer,
    Other,
    Pool,
    SeparableConv,
)
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology
from tests.support.random_networks import branched, inputs, trained, varied

IMAGE = (8, 8, 3)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (Dense(10), (20,), 200),
        (Dense(10, use_bias=False), (20,), 200),
        (Conv(4), IMAGE, 3 * 3 * 3 * 4 * 8 * 8),
        (Conv(4, 1), IMAGE, 3 * 4 * 8 * 8),
        (Conv(4, (3, 1)), IMAGE, 3 * 3 * 4 * 8 * 8),
        (Conv(4, strides=2), IMAGE, 3 * 3 * 3 * 4 * 4 * 4),
        (Conv(4, padding=VALID), IMAGE, 3 * 3 * 3 * 4 * 6 * 6),
        (Conv(4), (8, 3), 3 * 3 * 4 * 8),
        (DepthwiseConv(), IMAGE, 3 * 3 * 3 * 8 * 8),
        (SeparableConv(4), IMAGE, (3 * 3 * 3 + 3 * 4) * 8 * 8),
        (BatchNorm(), IMAGE, 0),
        (Pool(), IMAGE, 0),
        (Activation("relu"), IMAGE, 0),
        (Other("Conv2DTranspose", "", IMAGE, (16, 16, 4), ((3, 3, 4, 3), (4,)), 2), IMAGE, 6912),
        (Other("LeakyThing", "", IMAGE, IMAGE, ((3,),), 1), IMAGE, 0),
    ],
)
def test_layers_count_multiplications_by_their_kernels(layer, shape, expected):
    assert layer.multiplications(shape) == expected


def test_the_costs_of_a_row_are_as_counted_by_hand():
    topology = Topology(IMAGE, (Conv(4), BatchNorm(), Flatten(), Dense(10)))
    assert costs.Costs.of(topology) == costs.Costs(
        multiplications=3 * 3 * 3 * 4 * 64 + 256 * 10,
        peak_memory=4 * (2 * 256),  # what normalization reads and writes
        model_bytes=4 * (108 + 4 + 4 * 4 + 2560 + 10),
    )


def test_a_shortcut_keeps_its_value_in_memory():
    body = (Conv(12), Conv(12), Conv(3))
    row = Topology(IMAGE, body)
    residual = Topology(IMAGE, (Residual(body),))
    block = costs.peak_memory(residual) - costs.peak_memory(row)
    assert block == 4 * 8 * 8 * 3
    assert costs.multiplications(residual) == costs.multiplications(row)


def test_branches_add_up():
    rows = ((Conv(2),), (Conv(4), Conv(2, 1)), ())
    topology = Topology(IMAGE, (Parallel(rows), GlobalPool(), Dense(2)))
    assert costs.multiplications(topology) == 64 * (9 * 3 * 2 + 9 * 3 * 4 + 4 * 2) + 7 * 2
    # the input, both outputs and what joins them
    assert costs.peak_memory(topology) == 4 * 64 * (3 + 2 + 2 + 7)


@given(seed=st.integers(0, 10**6))
def test_what_has_a_kernel_multiplies(seed):
    topology = branched(np.random.default_rng(seed))
    for layer, shape in zip(topology.layers, topology.input_shapes, strict=True):
        has_kernel = isinstance(layer, LinearLayer)
        assert (layer.multiplications(shape) > 0) == has_kernel, layer


def measured(network):
    """The most bytes of float32 that inference in numpy holds for one sample."""
    x = inputs(network.topology, np.random.default_rng(0), 1)
    values, most = inference.as_input(x), 0
    for position in range(len(network.weights)):
        needed = {i: values[i] for i in inference.live(network.topology, position)}
        values = needed | inference.run_layers(network, needed, position, position + 1)
        most = max(most, sum(each.size for each in values.values()))
    return 4 * most


@pytest.mark.parametrize("kind", [varied, branched])
@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6))
def test_memory_and_bytes_are_those_of_inference(kind, seed):
    rng = np.random.default_rng(seed)
    network = trained(kind(rng), rng)
    assert costs.peak_memory(network.topology) == measured(network)
    arrays = [array for layer in network.weights for array in layer]
    assert costs.model_bytes(network.topology) == sum(array.nbytes for array in arrays)
    assert INPUT not in inference.live(network.topology, len(network.weights))
