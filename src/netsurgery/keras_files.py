"""Networks to and from Keras models and `.keras` files: the only place that knows both.

Files are the same, byte for byte, for the same model: Keras writes dates and memory addresses into
its archives, `save` takes them out.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from netsurgery.files import written
from netsurgery.network import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Flatten,
    Layer,
    Network,
    Pool,
    Topology,
)

POOLS = {"average": keras.layers.AveragePooling2D, "max": keras.layers.MaxPooling2D}
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


def _to_keras_layer(layer: Layer, name: str) -> keras.Layer:
    match layer:
        case Conv():
            return keras.layers.Conv2D(
                layer.channels,
                layer.kernel,
                padding="same",
                activation=layer.activation,
                use_bias=layer.use_bias,
                name=name,
            )
        case Pool():
            return POOLS[layer.function](layer.size, padding="same", name=name)
        case BatchNorm():
            return keras.layers.BatchNormalization(
                epsilon=layer.epsilon, momentum=layer.momentum, name=name
            )
        case Activation():
            return keras.layers.Activation(layer.function, name=name)
        case Flatten():
            return keras.layers.Flatten(name=name)
        case Dense():
            return keras.layers.Dense(
                layer.units, activation=layer.activation, use_bias=layer.use_bias, name=name
            )


def _from_keras_layer(layer: keras.Layer) -> Layer:
    match layer:
        case keras.layers.Conv2D():
            activation = keras.activations.serialize(layer.activation)
            return Conv(layer.filters, layer.kernel_size[0], activation, layer.use_bias)
        case keras.layers.AveragePooling2D():
            return Pool("average", layer.pool_size[0])
        case keras.layers.MaxPooling2D():
            return Pool("max", layer.pool_size[0])
        case keras.layers.BatchNormalization():
            return BatchNorm(layer.epsilon, layer.momentum)
        case keras.layers.Activation():
            return Activation(keras.activations.serialize(layer.activation))
        case keras.layers.Flatten():
            return Flatten()
        case keras.layers.Dense():
            activation = keras.activations.serialize(layer.activation)
            return Dense(layer.units, activation, layer.use_bias)
        case _:
            raise ValueError(
                f"layer {layer.name}: a {type(layer).__name__} cannot be operated on; "
                f"conv, pooling, batch normalisation, activation, flatten and dense layers can"
            )


def to_keras(network: Network) -> keras.Sequential:
    """A Keras model that computes what the network does; layers are named kind_position."""
    layers = [
        _to_keras_layer(layer, f"{layer.kind}_{i}")
        for i, layer in enumerate(network.topology.layers)
    ]
    model = keras.Sequential(
        [keras.Input(network.topology.input_shape, name="input"), *layers], name="network"
    )
    for layer, arrays in zip(layers, network.weights, strict=True):
        for variable, array in zip(layer.weights, arrays, strict=True):
            variable.assign(array)
    return model


def from_keras(model: keras.Sequential) -> Network:
    """The network of a sequential Keras model.

    Raises:
        ValueError: naming a layer that surgery does not know.
    """
    layers = tuple(_from_keras_layer(layer) for layer in model.layers)
    topology = Topology(tuple(model.input_shape[1:]), layers)
    weights = tuple(tuple(np.asarray(w) for w in layer.get_weights()) for layer in model.layers)
    return Network(topology, weights)


def with_scaling(model: keras.Sequential, scale: float) -> keras.Sequential:
    """The same model behind a layer that multiplies raw input by `scale`; weights are shared."""
    return keras.Sequential(
        [
            keras.Input(model.input_shape[1:], name="input"),
            keras.layers.Rescaling(scale, name="scaling"),
            *model.layers,
        ],
        name="model",
    )


def _without_addresses(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_addresses(v) for k, v in value.items() if k != "shared_object_id"}
    if isinstance(value, list):
        return [_without_addresses(v) for v in value]
    return value


def save(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file, whole or not at all, with its optimizer's state if it is compiled."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".saving-") as folder:
        raw = os.path.join(folder, "model.keras")
        model.save(raw)
        archive = io.BytesIO()
        with zipfile.ZipFile(raw) as source, zipfile.ZipFile(archive, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name.endswith(".json"):
                    fields = _without_addresses(json.loads(content))
                    fields.pop("date_saved", None)
                    content = json.dumps(fields).encode()
                target.writestr(zipfile.ZipInfo(name, FIXED_DATE), content)
    with written(path) as temporary:
        temporary.write_bytes(archive.getvalue())


def load(path: Path) -> keras.Sequential:
    """Read a `.keras` file in Keras's safe mode, compiled as it was saved."""
    return keras.models.load_model(path, safe_mode=True)
