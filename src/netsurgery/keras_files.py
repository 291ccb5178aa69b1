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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from netsurgery.activations import ACTIVATIONS
from netsurgery.files import written
from netsurgery.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    Other,
    Pool,
    Rescaling,
    Reshape,
    Shape,
)
from netsurgery.network import Arrays, Network, Topology
from netsurgery.surgery import Slots

POOLS = {"average": keras.layers.AveragePooling2D, "max": keras.layers.MaxPooling2D}
GLOBAL_POOLS = {
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}
FIXED_DATE = (1980, 1, 1, 0, 0, 0)


# --- layers ---------------------------------------------------------------------------------------


def _to_keras_layer(layer: Layer, name: str) -> keras.Layer:
    match layer:
        case Conv():
            return keras.layers.Conv2D(
                layer.channels,
                layer.kernel,
                strides=layer.strides,
                padding=layer.padding,
                activation=layer.activation,
                use_bias=layer.use_bias,
                name=name,
            )
        case Pool():
            return POOLS[layer.function](
                layer.size, strides=layer.strides, padding=layer.padding, name=name
            )
        case GlobalPool():
            return GLOBAL_POOLS[layer.function](name=name)
        case BatchNorm():
            return keras.layers.BatchNormalization(
                epsilon=layer.epsilon,
                momentum=layer.momentum,
                scale=layer.scale,
                center=layer.center,
                name=name,
            )
        case Activation(function="leaky_relu"):
            return keras.layers.LeakyReLU(negative_slope=layer.negative_slope, name=name)
        case Activation():
            return keras.layers.Activation(layer.function, name=name)
        case Dropout():
            return keras.layers.Dropout(layer.rate, name=name)
        case Flatten():
            return keras.layers.Flatten(name=name)
        case Reshape():
            return keras.layers.Reshape(layer.shape, name=name)
        case Rescaling():
            return keras.layers.Rescaling(layer.scale, layer.offset, name=name)
        case Dense():
            return keras.layers.Dense(
                layer.units, activation=layer.activation, use_bias=layer.use_bias, name=name
            )
        case Other():
            return keras.layers.deserialize(json.loads(layer.config))


def _function(activation: Any) -> str | None:
    """The name of an activation that surgery knows; None for any other."""
    name = keras.activations.serialize(activation)
    return name if isinstance(name, str) and name in ACTIVATIONS else None


def _square(*pairs: tuple[int, int]) -> bool:
    return all(one == other for one, other in pairs)


def _known(layer: keras.Layer, entering: Shape) -> Layer | None:
    """The layer as surgery knows it; None where it has a kind or a setting that it does not."""
    match layer:
        case keras.layers.Conv2D():
            function, padding = _function(layer.activation), layer.padding
            plain = _square(layer.kernel_size, layer.strides) and padding in ("same", "valid")
            if function and plain and layer.groups == 1 and tuple(layer.dilation_rate) == (1, 1):
                kernel, strides = layer.kernel_size[0], layer.strides[0]
                return Conv(layer.filters, kernel, function, layer.use_bias, strides, padding)
        case keras.layers.AveragePooling2D() | keras.layers.MaxPooling2D():
            function = "max" if isinstance(layer, keras.layers.MaxPooling2D) else "average"
            if _square(layer.pool_size, layer.strides):
                size, strides = layer.pool_size[0], layer.strides[0]
                return Pool(function, size, None if strides == size else strides, layer.padding)
        case keras.layers.GlobalAveragePooling2D() | keras.layers.GlobalMaxPooling2D():
            function = "max" if isinstance(layer, keras.layers.GlobalMaxPooling2D) else "average"
            if not layer.keepdims:
                return GlobalPool(function)
        case keras.layers.BatchNormalization():
            if layer.axis in (-1, len(entering)):
                return BatchNorm(layer.epsilon, layer.momentum, layer.scale, layer.center)
        case keras.layers.Activation():
            if function := _function(layer.activation):
                return Activation(function)
        case keras.layers.LeakyReLU():
            return Activation("leaky_relu", float(layer.negative_slope))
        case keras.layers.ReLU():
            settings = (layer.max_value, float(layer.negative_slope), float(layer.threshold))
            functions = {(None, 0.0, 0.0): "relu", (6.0, 0.0, 0.0): "relu6"}
            if settings in functions:
                return Activation(functions[settings])
        case keras.layers.ELU(alpha=1.0):
            return Activation("elu")
        case keras.layers.Softmax(axis=-1):
            return Activation("softmax")
        case keras.layers.Dropout():
            return Dropout(layer.rate)
        case keras.layers.Flatten():
            return Flatten()
        case keras.layers.Reshape():
            return Reshape(tuple(layer.output.shape[1:]))
        case keras.layers.Rescaling():
            if np.ndim(layer.scale) == np.ndim(layer.offset) == 0:
                return Rescaling(float(layer.scale), float(layer.offset))
        case keras.layers.Dense():
            function = _function(layer.activation)
            if function and len(entering) == 1:
                return Dense(layer.units, function, layer.use_bias)
    return None


def _from_keras_layer(layer: keras.Layer) -> Layer:
    entering, leaving = tuple(layer.input.shape[1:]), tuple(layer.output.shape[1:])
    channels_first = getattr(layer, "data_format", "channels_last") == "channels_first"
    if not channels_first and (known := _known(layer, entering)):
        return known
    return Other(
        type(layer).__name__,
        json.dumps(keras.layers.serialize(layer)),
        entering,
        leaving,
        tuple(tuple(variable.shape) for variable in _variables(layer)),
        len(layer.trainable_weights),
    )


def _variables(layer: keras.Layer) -> list[Any]:
    """A layer's variables as a network holds them: the trainable ones first."""
    if isinstance(
        layer, keras.layers.Conv2D | keras.layers.Dense | keras.layers.BatchNormalization
    ):
        return layer.weights  # in this order also where the layer is frozen
    return [*layer.trainable_weights, *layer.non_trainable_weights]


# --- models ---------------------------------------------------------------------------------------


def to_keras(
    network: Network, like: Sequence[keras.Layer | None] | None = None
) -> keras.Sequential:
    """A Keras model that computes what the network does.

    Args:
        network: to be written.
        like: for each layer the Keras layer whose name and other settings (initialisers,
            regularisers) it has, or None; by default layers are named kind_position.
    """
    layers: list[keras.Layer] = []
    for i, (layer, old) in enumerate(
        zip(network.topology.layers, like or [None] * len(network.topology.layers), strict=True)
    ):
        if old is None:
            taken = {other.name for other in (*layers, *(like or ())) if other is not None}
            name = f"{layer.kind}_{i}"
            while name in taken:
                name += "_new"
            layers.append(_to_keras_layer(layer, name))
        else:
            layers.append(_resized(old, layer))
    model = keras.Sequential(
        [keras.Input(network.topology.input_shape, name="input"), *layers], name="network"
    )
    for built, arrays in zip(layers, network.weights, strict=True):
        for variable, array in zip(_variables(built), arrays, strict=True):
            variable.assign(array)
    return model


def _resized(old: keras.Layer, layer: Layer) -> keras.Layer:
    """A fresh Keras layer with the settings of an old one, but as wide as `layer`."""
    config = old.get_config()
    if isinstance(layer, Dense):
        config["units"] = layer.units
    elif isinstance(layer, Conv):
        config["filters"] = layer.channels
    return type(old).from_config(config)


def from_keras(model: keras.Model) -> Network:
    """The network of a sequential Keras model.

    Raises:
        ValueError: the model is not sequential, or does not know the shape of its input.
    """
    if not isinstance(model, keras.Sequential):
        raise ValueError(f"it is a {type(model).__name__} model: only sequential ones can be used")
    if not model.built or None in model.input_shape[1:]:
        raise ValueError("the shape of its input must be known: give the model an Input layer")
    topology = Topology(
        tuple(model.input_shape[1:]), tuple(_from_keras_layer(layer) for layer in model.layers)
    )
    weights = tuple(
        tuple(np.asarray(variable) for variable in _variables(layer)) for layer in model.layers
    )
    return Network(topology, weights)


# --- optimizer slots ------------------------------------------------------------------------------


def _slot_variables(model: keras.Sequential) -> Iterator[tuple[str, list[list[Any]]]]:
    """The optimizer's variables by slot, then by layer, in the order of the layer's variables."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not optimizer.built:
        return
    paths = {
        variable.path.replace("/", "_"): (i, j)
        for i, layer in enumerate(model.layers)
        for j, variable in enumerate(layer.trainable_weights)
    }
    slots: dict[str, dict[tuple[int, int], Any]] = {}
    for variable in optimizer.variables:
        owners = [path for path in paths if variable.name.startswith(f"{path}_")]
        if owners:  # else it counts steps, or holds the learning rate
            owner = max(owners, key=len)
            slots.setdefault(variable.name[len(owner) + 1 :], {})[paths[owner]] = variable
    for name, found in slots.items():
        yield (
            name,
            [
                [found[i, j] for j in range(len(layer.trainable_weights)) if (i, j) in found]
                for i, layer in enumerate(model.layers)
            ],
        )


def read_slots(model: keras.Sequential) -> dict[str, tuple[Arrays, ...]]:
    """The state of a compiled model's optimizer, by slot and layer; empty if it keeps none."""
    return {
        name: tuple(tuple(np.asarray(variable) for variable in layer) for layer in layers)
        for name, layers in _slot_variables(model)
    }


def write_slots(model: keras.Sequential, slots: Slots, steps: int) -> None:
    """Give a compiled model's optimizer a state, and the number of steps it stands for."""
    for name, layers in _slot_variables(model):
        for variables, arrays in zip(layers, slots.get(name, ()), strict=False):
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
    if slots:
        model.optimizer.iterations.assign(steps)


# --- files ----------------------------------------------------------------------------------------


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
