"""Networks to and from Keras models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from netsurgery.keras_io.layers import (
    from_keras_layer,
    resized_keras_layer,
    to_keras_layer,
    variables,
)
from netsurgery.networks.layers import Layer, Other, Shape
from netsurgery.networks.network import Network, Topology

MODEL_NAME = "network"  # of models without a parent


def layer_name(topology: Topology, position: int) -> str:
    """The name of a Keras layer that has no counterpart in the parent."""
    return f"{topology.layers[position].kind}_{position}"


def to_keras(
    network: Network,
    like: Sequence[keras.Layer | None] | None = None,
    parent: keras.Sequential | None = None,
) -> keras.Sequential:
    """A Keras model that computes what the network does.

    Args:
        network: the network.
        like: for each layer the Keras layer whose name and other settings (initializers,
            regularizers) it takes, or None; by default layers are named kind_position. A layer that
            surgery does not know is not copied: both models share it.
        parent: the model whose name and input it takes.
    """
    like = like or [None] * len(network.topology.layers)
    taken = {old.name for old in like if old is not None}
    layers: list[keras.Layer] = []
    for i, (layer, old) in enumerate(zip(network.topology.layers, like, strict=True)):
        if old is None:
            name = layer_name(network.topology, i)
            while name in taken:
                name += "_new"
            taken.add(name)
            new = to_keras_layer(layer, name)
            if neighbour := next(filter(None, [*reversed(like[:i]), *like[i:]]), None):
                new.dtype_policy = neighbour.dtype_policy
            layers.append(new)
        else:
            layers.append(old if isinstance(layer, Other) else resized_keras_layer(old, layer))
    model = keras.Sequential(
        [_input(network.topology.input_shape, parent), *layers],
        name=MODEL_NAME if parent is None else parent.name,
    )
    for built, arrays in zip(layers, network.weights, strict=True):
        for variable, array in zip(variables(built), arrays, strict=True):
            variable.assign(array)
        for part in built._flatten_layers():
            if isinstance(part, keras.layers.Normalization):
                part.finalize_state()  # it computes with a copy of its variables
    return model


def _input(shape: Shape, parent: keras.Sequential | None) -> Any:
    if parent is None:
        return keras.Input(shape, name="input")
    (parent_input,) = parent.inputs
    return keras.Input(
        shape, batch_size=parent_input.shape[0], dtype=parent_input.dtype, name=parent_input.name
    )


def from_keras(model: keras.Model) -> Network:
    """The network of a sequential Keras model.

    Raises:
        ValueError: the model is not sequential, or the shape of its input is unknown.
    """
    if not isinstance(model, keras.Sequential):
        raise ValueError(f"it is a {type(model).__name__} model: only sequential ones can be used")
    if not model.built or None in model.input_shape[1:]:
        raise ValueError("the shape of its input must be known: give the model an Input layer")
    layers: list[Layer] = []
    shape = tuple(model.input_shape[1:])
    for layer in model.layers:
        layers.append(from_keras_layer(layer, shape))
        shape = layers[-1].output_shape(shape)
    unsigned = keras.backend.standardize_dtype(model.inputs[0].dtype).startswith(("uint", "bool"))
    topology = Topology(tuple(model.input_shape[1:]), tuple(layers), unsigned)
    weights = tuple(
        tuple(np.asarray(variable) for variable in variables(layer)) for layer in model.layers
    )
    return Network(topology, weights)
