"""Layers: their JSON form and initial arrays."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given

from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    ClippedReLU,
    Conv,
    Cropping,
    Dense,
    DepthwiseConv,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    LayerNorm,
    OnePixel,
    Pool,
    PReLU,
    SeparableConv,
    ZeroPadding,
    layer_from_json,
)
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from tests.support.strategies import SEEDS, TOPOLOGIES


@pytest.mark.parametrize(
    "layer",
    [
        Conv(5, 7, "relu", False),
        Conv(5, (3, 1), dilation=(1, 2)),
        DepthwiseConv(5, strides=2),
        SeparableConv(4, (2, 3), padding="valid"),
        LayerNorm(1e-6, scale=False),
        ClippedReLU(6.0, threshold=0.5),
        PReLU(),
        Dropout(0.5, (1, 2)),
        OnePixel(2),
        ZeroPadding(((1, 2), (0, 1))),
        Cropping(((1, 0),)),
        GlobalPool("max", True),
        Pool("max", 3),
        Pool("average", (1, 2), (2, 1)),
        BatchNorm(1e-5, 0.9),
        Activation("tanh"),
        Flatten(),
        Dense(4, "sigmoid", False),
    ],
    ids=lambda layer: layer.kind,
)
def test_layers_with_unusual_settings_survive_json(layer: Layer) -> None:
    spec = layer.to_json()
    assert next(iter(spec)) == "kind"
    assert layer_from_json(json.loads(json.dumps(spec))) == layer


def test_equal_sides_are_one_number() -> None:
    assert Conv(4, (3, 3), strides=(1, 1)) == Conv(4, 3)
    assert Pool("average", (2,)) == Pool("average", 2)
    assert "strides" not in Conv(4, (3, 3), strides=(1, 1)).to_json()


REFUSED = {
    "units": (Conv(4), (7,), r"conv 4 \(3x3\) needs a series \(steps, channels\) or an image"),
    "an oblong kernel over a series": (Conv(4, (3, 1)), (9, 2), "3x1 .* a series of steps"),
    "a causal image": (Conv(4, padding="causal"), (9, 9, 2), "causal padding needs a series"),
    "too small": (Conv(4, 5, padding="valid"), (4, 2), "is larger than its input of 4"),
    "too small with holes": (Conv(4, dilation=2, padding="valid"), (4, 9, 1), "of 4x9"),
    "pixels": (OnePixel(2), (2, 3), "needs an input of one pixel"),
    "nothing left": (Cropping(((2, 2),)), (4, 1), "leaves nothing"),
    "other sides": (ZeroPadding(((1, 1),)), (4, 4, 1), "margins of 1 sides"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_layers_say_what_input_they_need(name: str) -> None:
    layer, shape, message = REFUSED[name]
    with pytest.raises(ValueError, match=message) as refused:
        layer.output_shape(shape)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv(4, strides=2, dilation=2), "strides and a dilation"),
        (lambda: DepthwiseConv(strides=(1, 2)), "strides of 1x2: TensorFlow takes equal ones"),
        (lambda: SeparableConv(4, padding="causal"), "causal padding"),
    ],
)
def test_settings_that_keras_lacks_are_refused(make: Callable[[], Layer], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@given(TOPOLOGIES, SEEDS)
def test_initial_arrays_are_keras_defaults(topology: Topology, seed: int) -> None:
    network = initialise(topology, np.random.default_rng(seed))
    assert network.topology is topology
    for layer, arrays in zip(topology.layers, network.weights, strict=True):
        assert all(array.dtype == np.float32 for array in arrays)
        if isinstance(layer, BatchNorm):
            assert [set(array) for array in arrays] == [{1}, {0}, {0}, {1}]
        elif arrays:
            kernel, *bias = arrays
            *taps, entering, leaving = kernel.shape
            limit = math.sqrt(6 / (math.prod(taps) * (entering + leaving)))
            assert np.abs(kernel).max() <= limit * (1 + 1e-6)
            assert not any(array.any() for array in bias)
            if kernel.size > 200:
                assert np.abs(kernel).max() > 0.9 * limit
                assert kernel.min() < 0 < kernel.max()
