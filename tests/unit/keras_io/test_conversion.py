"""Networks as Keras models compute the same."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given

from netsurgery.keras_io import conversion
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import Activation, BatchNorm, Conv, Dense, Flatten, Pool
from netsurgery.networks.topology import Topology
from tests.support.keras_models import FEW, OF_ALL_KINDS, batch, compiled, content, example
from tests.support.random_networks import as_keras_takes, branched, with_several_inputs
from tests.support.strategies import Example, inputs, trained

KINDS = {
    Conv: {"Conv2D"},
    Pool: {"AveragePooling2D", "MaxPooling2D"},
    BatchNorm: {"BatchNormalization"},
    Activation: {"Activation", "LeakyReLU"},
    Flatten: {"Flatten"},
    Dense: {"Dense"},
}


@FEW
@given(OF_ALL_KINDS)
def test_keras_predicts_the_same(pair: Example) -> None:
    network, x = pair
    model = conversion.to_keras(network)
    found = model.predict(x.astype(np.float32), verbose=0)
    np.testing.assert_allclose(found, predict(network, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("function", ["average", "max"])
@pytest.mark.parametrize("image", [(1, 1), (1, 6), (7, 5), (8, 3)])
def test_keras_pools_odd_images_the_same(function: str, image: tuple[int, int]) -> None:
    layers = (Pool(function), Pool(function), Flatten(), Dense(3, "linear"))
    network = trained(Topology((*image, 2), layers), np.random.default_rng(0))
    x = inputs(network.topology, np.random.default_rng(1)) - 2  # padding must not count
    found = conversion.to_keras(network)(x.astype(np.float32), training=False)
    np.testing.assert_allclose(found, predict(network, x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "activation", ["linear", "relu", "leaky_relu", "sigmoid", "tanh", "softmax"]
)
def test_keras_activations_are_the_same(activation: str) -> None:
    layers = (
        Conv(3, activation=activation),
        Activation(activation),
        Flatten(),
        Dense(4, activation),
    )
    network = trained(Topology((4, 4, 2), layers), np.random.default_rng(0))
    x = inputs(network.topology, np.random.default_rng(1))
    model = conversion.to_keras(network)
    found = model(x.astype(np.float32), training=False)
    np.testing.assert_allclose(found, predict(network, x), rtol=1e-4, atol=1e-5)
    assert conversion.from_keras(model).topology == network.topology


@FEW
@given(OF_ALL_KINDS)
def test_positions_are_indices_into_model_layers(pair: Example) -> None:
    network, _ = pair
    model = conversion.to_keras(network)
    for i, (layer, arrays) in enumerate(zip(network.topology.layers, network.weights, strict=True)):
        assert type(model.layers[i]).__name__ in KINDS[type(layer)]
        assert model.layers[i].name == f"{layer.kind}_{i}"
        assert model.layers[i].output.shape[1:] == network.topology.output_shapes[i]
        for ours, theirs in zip(arrays, model.layers[i].get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert len(model.layers) == len(network.topology.layers)
    assert network.topology.parameters == sum(
        int(np.prod(w.shape)) for w in model.trainable_weights
    )


def test_training_a_model_leaves_its_networks_unchanged() -> None:
    network = example()
    model = compiled(network)
    taken = conversion.from_keras(model)
    before = content(network)
    model.train_on_batch(*batch(network))
    assert content(network) == content(taken) == before
    assert content(conversion.from_keras(model)) != before


def test_unknown_layers_are_kept_as_they_are() -> None:
    hidden = keras.layers.RMSNormalization(name="normed")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), hidden])
    network = conversion.from_keras(model)
    assert network.topology.parameters == model.count_params()
    copy = conversion.to_keras(network)
    assert copy.layers[1].get_config() == hidden.get_config() | {"name": "rms_normalization_1"}
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_array_equal(copy(x), model(x))


@pytest.mark.parametrize("seed", range(15))
def test_random_blocks_are_the_same_in_keras(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = trained((with_several_inputs if seed % 3 == 2 else branched)(rng), rng)
    model = conversion.to_keras(network)
    copy = conversion.from_keras(model)
    assert copy.topology == network.topology
    assert content(copy) == content(network)
    x = inputs(network.topology, rng)
    given = as_keras_takes(network.topology, x)
    found, expected = model(given, training=False), predict(network, x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_models_without_a_known_input_are_refused() -> None:
    with pytest.raises(ValueError, match="shape of its input"):
        conversion.from_keras(keras.Sequential([keras.layers.Dense(2)]))
