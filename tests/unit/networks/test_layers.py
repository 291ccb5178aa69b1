"""Layers: their JSON form and initial arrays."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given

from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    Layer,
    Pool,
    layer_from_json,
)
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from tests.support.strategies import SEEDS, TOPOLOGIES


@pytest.mark.parametrize(
    "layer",
    [
        Conv(5, 7, "relu", False),
        Pool("max", 3),
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
