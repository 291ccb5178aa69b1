"""Keras models for tests: an example network, compiled, and a batch for it."""

from __future__ import annotations

import keras
import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from netsurgery.keras_io import conversion
from netsurgery.networks.network import Network
from netsurgery.networks.topologies import build, named
from tests.support.strategies import inputs, networks, one_in, topologies, trained

# a Keras model takes a tenth of a second to build: few examples, and no search for a smaller one
FEW = settings(
    one_in(4),
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # one folder serves them all
)
OUTPUTS = st.sampled_from(["softmax", "linear"])
OF_ALL_KINDS = networks(topologies(output_activations=OUTPUTS))


def content(network: Network) -> list[list[tuple[np.dtype, bytes]]]:
    return [[(array.dtype, array.tobytes()) for array in arrays] for arrays in network.weights]


def example() -> Network:
    return trained(build(named("cnn-medium"), (9, 10, 2), 4), np.random.default_rng(0))


def compiled(network: Network) -> keras.Sequential:
    model = conversion.to_keras(network)
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.9, name="optimizer"),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.optimizer.build(model.trainable_variables)
    return model


def batch(network: Network) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = inputs(network.topology, rng, batch=16).astype(np.float32)
    return x, rng.integers(network.topology.output_shape[0], size=16)


def random_model(shape: tuple[int, ...], *hidden: keras.Layer) -> keras.Sequential:
    """A model whose weights and statistics are not neutral."""
    model, rng = keras.Sequential([keras.Input(shape), *hidden]), np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization | keras.layers.RandomFlip):
            continue
        for variable in layer.weights:
            statistic = "variance" in variable.name
            drawn = rng.uniform(0.4, 2, variable.shape) if statistic else None
            variable.assign(rng.normal(0, 0.4, variable.shape) if drawn is None else drawn)
    return model


def frozen(layer: keras.Layer) -> keras.Layer:
    """The layer, which no longer trains."""
    layer.trainable = False
    return layer
