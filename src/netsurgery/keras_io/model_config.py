"""The configuration that Keras writes of a network's compiled model, without building the model."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from netsurgery.keras_io import layer_calls
from netsurgery.keras_io.checkpoints import order_in_keras, snake_case
from netsurgery.keras_io.serialization import serialized
from netsurgery.networks.layers import InputPart, Join, Layer, Shape
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology

MODEL_NAME, INPUT_NAME = "network", "input"  # of models without a parent

Config = dict[str, Any]


def model_config(
    topology: Topology, layers: Sequence[keras.Layer], compiled: Mapping[str, Any]
) -> Config:
    """The configuration that Keras writes of the compiled model.

    Args:
        topology: the network's.
        layers: an unbuilt Keras layer for each of the network's.
        compiled: Keras's optimizer, loss and metrics, as `compile` takes them.
    """
    shape = [None, *topology.input_shape]
    first = serialized(keras.layers.InputLayer(batch_shape=tuple(shape), name=INPUT_NAME))
    if is_functional(topology):
        config = _functional(topology, layers, first)
    else:
        config = _sequential(topology, layers, first, shape)
    return {
        **config,
        "compile_config": {
            **{key: serialized(value) for key, value in compiled.items()},
            "loss_weights": None,
            "weighted_metrics": None,
            "run_eagerly": False,
            "steps_per_execution": 1,
            "jit_compile": False,
        },
    }


def is_functional(topology: Topology) -> bool:
    """Whether a Keras model of a network must be functional, not sequential."""
    return any(isinstance(layer, Join) or getattr(layer, "call", "") for layer in topology.layers)


def _sequential(
    topology: Topology, layers: Sequence[keras.Layer], first: Config, shape: list[int | None]
) -> Config:
    configs = [_layer_config(topology, i, layer) for i, layer in enumerate(layers)]
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": MODEL_NAME,
            "trainable": True,
            "dtype": serialized(keras.config.dtype_policy()),
            "layers": [first, *configs],
            "build_input_shape": shape,
        },
        "registered_name": None,
        "build_config": {"input_shape": shape},
    }


def _functional(topology: Topology, layers: Sequence[keras.Layer], first: Config) -> Config:
    configs = [] if topology.inputs else [{**first, "name": INPUT_NAME, "inbound_nodes": []}]
    for i in order_in_keras(topology):
        tensors = [_tensor(topology, layers, j) for j in topology.steps[i].inputs]
        is_input = isinstance(topology.layers[i], InputPart)
        calls = [] if is_input else [_call(topology.layers[i], layers[i], tensors)]
        named = {"name": layers[i].name, "inbound_nodes": calls}
        configs.append({**_layer_config(topology, i, layers[i]), **named})
    several = [[part.name, 0, 0] for part in topology.inputs]
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {
            "name": MODEL_NAME,
            "trainable": True,
            "layers": configs,
            "input_layers": several or [INPUT_NAME, 0, 0],
            "output_layers": [layers[-1].name, 0, 0],
        },
        "registered_name": "Functional",
        "build_config": {"input_shape": None},
    }


def _call(layer: Layer, keras_layer: keras.Layer, tensors: Sequence[Config]) -> Config:
    """What a layer is called with."""
    if arguments := getattr(layer, "call", ""):
        args, kwargs = layer_calls.filled(json.loads(arguments), lambda number: tensors[number])
        return {"args": args, "kwargs": kwargs}
    argument = tensors if isinstance(layer, Join) else tensors[0]
    return {"args": [argument], "kwargs": _call_settings(keras_layer)}


def _call_settings(layer: keras.Layer) -> Config:
    """What Keras notes that a layer was called with, beside its inputs."""
    parameters = inspect.signature(layer.call).parameters
    settings: Config = {"mask": None} if "mask" in parameters else {}
    training = parameters.get("training")
    if training is not None and training.default is False:  # of dropout
        settings["training"] = False
    return settings


def _layer_config(topology: Topology, position: int, layer: keras.Layer) -> Config:
    config: Config = serialized(layer)
    if not getattr(layer, "built", True):
        shapes = [_batch(topology, i) for i in topology.steps[position].inputs]
        several = isinstance(topology.layers[position], Join)
        config["build_config"] = {"input_shape": shapes if several else shapes[0]}
    return config


def _tensor(topology: Topology, layers: Sequence[keras.Layer], position: int) -> Config:
    """The output of a layer, or the network's input, as Keras serializes an argument."""
    is_input = position == INPUT
    return {
        "class_name": "__keras_tensor__",
        "config": {
            "shape": _batch(topology, position),
            "dtype": keras.config.floatx()
            if is_input
            else getattr(layers[position], "compute_dtype", keras.config.floatx()),
            "keras_history": [INPUT_NAME if is_input else layers[position].name, 0, 0],
        },
    }


def _batch(topology: Topology, position: int) -> list[int | None]:
    shape: Shape = topology.input_shape if position == INPUT else topology.output_shapes[position]
    return [None, *shape]


def folders(topology: Topology, layers: Sequence[keras.Layer]) -> dict[int, str]:
    """The folder of the weights file for each layer, by position, in Keras's order.

    Keras names a folder for the class of the layer and numbers those of one class, from the second
    on.
    """
    found: dict[int, str] = {}
    counts: dict[str, int] = {}
    for position in order_in_keras(topology):
        if not isinstance(layers[position], keras.Layer):
            continue  # another operation of Keras, which holds nothing
        name = snake_case(type(layers[position]).__name__)
        number = counts[name] = counts.get(name, -1) + 1
        found[position] = f"{name}_{number}" if number else name
    return found
