"""Networks to and from Keras models."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import getattr_static
from typing import Any

import keras

from netsurgery.keras_io.checkpoints import layer_name
from netsurgery.keras_io.layer_copies import copy_layer
from netsurgery.keras_io.layers import from_keras_layer, to_array, to_keras_layer, variables
from netsurgery.keras_io.model_config import INPUT_NAME, MODEL_NAME
from netsurgery.networks.layers import Arrays, Join, Layer, Other, PerChannel, Regularization, Shape
from netsurgery.networks.network import Network
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology

FLOATS = ("float16", "bfloat16", "float32", "float64")  # that layers may compute in


# methods of keras.Sequential that a subclass must leave as they are
RELIED_ON = (
    "__init__",
    "__call__",
    "add",
    "build",
    "call",
    "compile",
    "compile_from_config",
    "compute_output_shape",
    "from_config",
    "get_compile_config",
    "get_config",
)


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
        parent: the model whose class, name, input and dtype policy it takes.
    """
    topology = network.topology
    like = like or [None] * len(topology.layers)
    taken = {old.name for old in like if old is not None}
    layers: list[keras.Layer] = []
    for i, (layer, old) in enumerate(zip(topology.layers, like, strict=True)):
        if old is None:
            name = layer_name(topology, i)
            while name in taken:
                name += "_new"
            taken.add(name)
            new = to_keras_layer(layer, name, topology.input_shapes[i])
            if policy := _neighbours_policy(like, i):
                new.dtype_policy = policy
            layers.append(new)
        elif isinstance(layer, Other) and not isinstance(layer, PerChannel | Regularization):
            layers.append(old)
        else:
            layers.append(copy_layer(old, layer, topology.array_shapes[i]))
    model = _connected(topology, layers, parent)
    if parent is not None:
        model.dtype_policy = parent.dtype_policy
        if not parent.trainable:
            model.trainable = False
    for built, layer, arrays in zip(layers, topology.layers, network.weights, strict=True):
        for variable, array in zip(variables(built, layer), arrays, strict=True):
            variable.assign(array)
        for part in built._flatten_layers():
            if isinstance(part, keras.layers.Normalization):
                part.finalize_state()  # it computes with a copy of its variables
    return model


def _connected(
    topology: Topology, layers: Sequence[keras.Layer], parent: keras.Model | None
) -> keras.Model:
    """A model of these layers, connected as the topology says: sequential without blocks."""
    name = MODEL_NAME if parent is None else parent.name
    entering = _input(topology.input_shape, parent)
    if not any(isinstance(layer, Join) for layer in topology.layers):
        return (keras.Sequential if parent is None else type(parent))(
            [entering, *layers], name=name
        )
    values = {INPUT: entering}
    for i, (step, layer) in enumerate(zip(topology.steps, layers, strict=True)):
        inputs = [values[j] for j in step.inputs]
        values[i] = layer(inputs if isinstance(step.layer, Join) else inputs[0])
    return keras.Model(entering, values[len(layers) - 1], name=name)


def _neighbours_policy(like: Sequence[keras.Layer | None], position: int) -> Any:
    """The dtype policy of the nearest existing layer that computes with floats, or None."""
    for old in [*reversed(like[:position]), *like[position:]]:
        policy: Any = None if old is None else old.dtype_policy
        # policies of other classes are those of quantized layers
        if type(policy) is keras.DTypePolicy and policy.compute_dtype in FLOATS:
            return policy
    return None


def _input(shape: Shape, parent: keras.Sequential | None) -> Any:
    if parent is None:
        return keras.Input(shape, name=INPUT_NAME)
    (parent_input,) = parent.inputs
    return keras.Input(
        shape,
        batch_size=parent_input.shape[0],
        dtype=parent_input.dtype,
        sparse=parent_input.sparse,
        name=parent_input.name,
    )


def from_keras(model: keras.Model) -> Network:
    """The network of a sequential Keras model.

    Raises:
        ValueError: the model is not sequential, it computes anything but its layers one after the
            other, or the shape of its input is unknown.
    """
    if not isinstance(model, keras.Sequential):
        raise ValueError(f"it is a {type(model).__name__} model: only sequential ones can be used")
    if changed := _changed_methods(model):
        raise ValueError(
            f"its class {type(model).__name__} has {changed} of its own: only the training of a"
            " keras.Sequential may be changed"
        )
    if not (model.built and getattr(model, "inputs", None)):
        raise ValueError("the shape of its input must be known: give the model an Input layer")
    layers: list[Layer] = []
    shape = tuple(model.input_shape[1:])
    for layer in model.layers:
        layers.append(from_keras_layer(layer, shape))
        shape = layers[-1].output_shape(shape)
    unsigned = keras.backend.standardize_dtype(model.inputs[0].dtype).startswith(("uint", "bool"))
    topology = Topology(tuple(model.input_shape[1:]), tuple(layers), unsigned)
    return Network(topology, tuple(map(_arrays, model.layers, layers)))


def _arrays(keras_layer: keras.Layer, layer: Layer) -> Arrays:
    return tuple(to_array(variable) for variable in variables(keras_layer, layer))


def _changed_methods(model: keras.Sequential) -> str:
    """The methods that a subclass of keras.Sequential replaces, and that surgery relies on."""
    return ", ".join(
        name
        for name in RELIED_ON
        if getattr_static(type(model), name) is not getattr_static(keras.Sequential, name)
    )
