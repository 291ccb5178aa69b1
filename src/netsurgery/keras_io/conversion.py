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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from netsurgery.keras_io.checkpoints import STATE, WEIGHTS, Checkpoint, folders
from netsurgery.networks.activations import ACTIVATIONS
from netsurgery.networks.layers import (
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
    array_shapes,
    output_shape,
)
from netsurgery.networks.network import Arrays, Network, Topology
from netsurgery.storage.files import atomic_path

POOLS = {"average": keras.layers.AveragePooling2D, "max": keras.layers.MaxPooling2D}
GLOBAL_POOLS = {
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}
FIXED_DATE = (1980, 1, 1, 0, 0, 0)
NAME = "network"  # of models that are not made like another one
METADATA, CONFIG = "metadata.json", "config.json"  # in the archive


# --- layers ---------------------------------------------------------------------------------------


def to_keras_layer(layer: Layer, name: str) -> keras.Layer:
    """The Keras layer of that name, not yet built."""
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
            return Reshape(_leaving(layer, entering))
        case keras.layers.Rescaling():
            if np.ndim(layer.scale) == np.ndim(layer.offset) == 0:
                return Rescaling(float(layer.scale), float(layer.offset))
        case keras.layers.Dense():
            function = _function(layer.activation)
            if function and len(entering) == 1:
                return Dense(layer.units, function, layer.use_bias)
    return None


def _from_keras_layer(layer: keras.Layer, entering: Shape) -> Layer:
    shapes = tuple(tuple(variable.shape) for variable in _variables(layer))
    # a subclass may compute anything; adapters and the like bring arrays of their own
    usual = type(layer).__module__.partition(".")[0] == "keras"
    if usual and getattr(layer, "data_format", "channels_last") == "channels_last":
        known = _known(layer, entering)
        if known is not None and shapes == array_shapes(known, entering):
            return known
    return Other(
        type(layer).__name__,
        json.dumps(keras.layers.serialize(layer)),
        entering,
        _leaving(layer, entering),
        shapes,
        len(layer.trainable_weights),
    )


def _leaving(layer: keras.Layer, entering: Shape) -> Shape:
    return tuple(layer.compute_output_shape((None, *entering))[1:])


def _variables(layer: keras.Layer) -> list[Any]:
    """A layer's variables as a network holds them: the trainable ones first."""
    if isinstance(
        layer, keras.layers.Conv2D | keras.layers.Dense | keras.layers.BatchNormalization
    ):
        return layer.weights  # in this order also where the layer is frozen
    return [*layer.trainable_weights, *layer.non_trainable_weights]


# --- models ---------------------------------------------------------------------------------------


def to_keras(
    network: Network,
    like: Sequence[keras.Layer | None] | None = None,
    parent: keras.Sequential | None = None,
) -> keras.Sequential:
    """A Keras model that computes what the network does.

    Args:
        network: to be written.
        like: for each layer the Keras layer whose name and other settings (initialisers,
            regularisers) it has, or None; by default layers are named kind_position. A layer that
            surgery does not know is not copied: both models share it.
        parent: the model whose name and input it has.
    """
    like = like or [None] * len(network.topology.layers)
    taken = {old.name for old in like if old is not None}
    layers: list[keras.Layer] = []
    for i, (layer, old) in enumerate(zip(network.topology.layers, like, strict=True)):
        if old is None:
            name = _layer_name(network.topology, i)
            while name in taken:
                name += "_new"
            taken.add(name)
            new = to_keras_layer(layer, name)
            if beside := next(filter(None, [*reversed(like[:i]), *like[i:]]), None):
                new.dtype_policy = beside.dtype_policy
            layers.append(new)
        else:
            layers.append(old if isinstance(layer, Other) else _resized(old, layer))
    model = keras.Sequential(
        [_input(network.topology.input_shape, parent), *layers],
        name=NAME if parent is None else parent.name,
    )
    for built, arrays in zip(layers, network.weights, strict=True):
        for variable, array in zip(_variables(built), arrays, strict=True):
            variable.assign(array)
        for part in built._flatten_layers():
            if isinstance(part, keras.layers.Normalization):
                part.finalize_state()  # it computes with a copy of its variables
    return model


def _input(shape: Shape, parent: keras.Sequential | None) -> Any:
    if parent is None:
        return keras.Input(shape, name="input")
    (given,) = parent.inputs
    return keras.Input(shape, batch_size=given.shape[0], dtype=given.dtype, name=given.name)


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
    layers: list[Layer] = []
    shape = tuple(model.input_shape[1:])
    for layer in model.layers:
        layers.append(_from_keras_layer(layer, shape))
        shape = output_shape(layers[-1], shape)
    topology = Topology(tuple(model.input_shape[1:]), tuple(layers))
    weights = tuple(
        tuple(np.asarray(variable) for variable in _variables(layer)) for layer in model.layers
    )
    return Network(topology, weights)


# --- files ----------------------------------------------------------------------------------------


def without_addresses(value: Any) -> Any:
    """What Keras serialised, without what differs from one process to the next."""
    if isinstance(value, dict):
        return {k: without_addresses(v) for k, v in value.items() if k != "shared_object_id"}
    if isinstance(value, list):
        return [without_addresses(v) for v in value]
    return value


def save(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file, whole or not at all, with its optimizer's state if it is compiled."""
    with tempfile.TemporaryDirectory(prefix="netsurgery-") as folder:
        raw = os.path.join(folder, "model.keras")
        model.save(raw)
        archive = io.BytesIO()
        with zipfile.ZipFile(raw) as source, zipfile.ZipFile(archive, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name.endswith(".json"):
                    fields = without_addresses(json.loads(content))
                    fields.pop("date_saved", None)
                    content = json.dumps(fields).encode()
                target.writestr(zipfile.ZipInfo(name, FIXED_DATE), content)
    with atomic_path(path) as temporary:
        temporary.write_bytes(archive.getvalue())


def _layer_name(topology: Topology, position: int) -> str:
    return f"{topology.layers[position].kind}_{position}"


def _plain(value: Any) -> Any:
    return without_addresses(keras.saving.serialize_keras_object(value))


def _config(topology: Topology, compiled: Mapping[str, Any]) -> dict[str, Any]:
    """What Keras says of the compiled model."""
    shape = [None, *topology.input_shape]
    layers = [_plain(keras.layers.InputLayer(batch_shape=tuple(shape), name="input"))]
    for i, layer in enumerate(topology.layers):
        unbuilt = to_keras_layer(layer, _layer_name(topology, i))
        layers.append(_plain(unbuilt))
        if not unbuilt.built:
            layers[-1]["build_config"] = {"input_shape": [None, *topology.shapes[i]]}
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": NAME,
            "trainable": True,
            "dtype": layers[1]["config"]["dtype"],
            "layers": layers,
            "build_input_shape": shape,
        },
        "registered_name": None,
        "build_config": {"input_shape": shape},
        "compile_config": {
            **{key: _plain(value) for key, value in compiled.items()},
            "loss_weights": None,
            "weighted_metrics": None,
            "run_eagerly": False,
            "steps_per_execution": 1,
            "jit_compile": False,
        },
    }


def _put(file: h5py.File, folder: str, name: str, arrays: Arrays) -> None:
    group = file.create_group(folder)
    group.attrs["name"] = name
    for i, array in enumerate(arrays):
        group[str(i)] = array


def write_checkpoint(path: Path, checkpoint: Checkpoint, compiled: Mapping[str, Any]) -> None:
    """Write a candidate without building a model, whole or not at all.

    The file is the one that Keras would write of the compiled model, with the state of its
    optimizer; like those of `save` it is the same, byte for byte, for the same candidate.

    Args:
        path: of the `.keras` file.
        checkpoint: the candidate.
        compiled: Keras's optimizer, loss and metrics, as `compile` takes them.
    """
    network, topology = checkpoint.network, checkpoint.network.topology
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        _put(file, "vars", NAME, ())
        for position, folder in folders(topology).items():
            _put(file, folder, _layer_name(topology, position), network.weights[position])
        _put(file, STATE, compiled["optimizer"].name, checkpoint.state)
    content: dict[str, str | bytes] = {
        METADATA: json.dumps({"keras_version": keras.__version__}),
        CONFIG: json.dumps(_config(topology, compiled)),
        WEIGHTS: weights.getvalue(),
    }
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, value in content.items():
            archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), value)


def load(path: Path, *, compiled: bool = True) -> keras.Sequential:
    """Read a `.keras` file in Keras's safe mode, by default compiled as it was saved."""
    return keras.models.load_model(path, safe_mode=True, compile=compiled)
