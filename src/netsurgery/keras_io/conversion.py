"""Networks to and from Keras models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from netsurgery.keras_io import functional, kept_layers, layer_calls, reading
from netsurgery.keras_io.checkpoints import layer_name
from netsurgery.keras_io.layer_copies import copy_layer
from netsurgery.keras_io.layers_to_keras import to_keras_layer
from netsurgery.keras_io.model_config import INPUT_NAME, MODEL_NAME, is_functional
from netsurgery.keras_io.variables import variables
from netsurgery.networks.layers import (
    InputPart,
    Join,
    KeptJoin,
    Layer,
    Other,
    PerChannel,
    Regularization,
    Shape,
)
from netsurgery.networks.network import Network
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology

FLOATS = ("float16", "bfloat16", "float32", "float64")  # that layers may compute in


def from_keras(model: keras.Model) -> Network:
    """The network of a sequential or functional Keras model.

    Raises:
        ValueError: it cannot be one (see `netsurgery.keras_io.reading.read`).
    """
    network, _ = reading.read(model)
    return network


def to_keras(
    network: Network,
    like: Sequence[Any] | None = None,
    parent: keras.Model | None = None,
) -> keras.Model:
    """A Keras model that computes what the network does; see `build`."""
    model, _ = build(network, like, parent)
    return model


def build(
    network: Network, like: Sequence[Any] | None = None, parent: keras.Model | None = None
) -> tuple[keras.Model, list[Any]]:
    """A Keras model that computes what the network does, and its layer for each of the network's.

    Args:
        network: the network.
        like: for each layer the Keras layer whose name and other settings (initializers,
            regularizers) it takes, or None; by default layers are named kind_place. A layer that
            surgery does not know is not copied: both models share it.
        parent: the model whose class, name, input and dtype policy it takes. By default the model
            is sequential if the network has no blocks.

    Raises:
        ValueError: the parent's class cannot hold blocks, or a layer cannot be made again.
    """
    topology = network.topology
    like = like or [None] * len(topology.layers)
    taken = {old.name for old in like if old is not None}
    layers: list[Any] = []
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
        elif _is_shared(layer, old):
            layers.append(old)
        else:
            layers.append(copy_layer(old, layer, topology.array_shapes[i]))
    model = _connected(topology, layers, like, parent)
    if parent is not None:
        model.dtype_policy = parent.dtype_policy
        if not parent.trainable:
            model.trainable = False
    for built, layer, arrays in zip(layers, topology.layers, network.weights, strict=True):
        for variable, array in zip(variables(built, layer), arrays, strict=True):
            variable.assign(array)
        for part in kept_layers.inner_layers(built):
            if isinstance(part, keras.layers.Normalization):
                part.finalize_state()  # it computes with a copy of its variables
    return model, layers


def _is_shared(layer: Layer, old: Any) -> bool:
    """Whether parent and child share a Keras layer: surgery cannot copy it."""
    if isinstance(layer, PerChannel | Regularization):
        return False
    return isinstance(layer, Other | KeptJoin) or not isinstance(old, keras.Layer)


def _connected(
    topology: Topology, layers: Sequence[Any], like: Sequence[Any], parent: keras.Model | None
) -> keras.Model:
    """A model of these layers, connected as the topology says."""
    name = MODEL_NAME if parent is None else parent.name
    inputs, values = _entering(topology, layers, parent)
    if not is_functional(topology) and (parent is None or isinstance(parent, keras.Sequential)):
        kind = keras.Sequential if parent is None else type(parent)
        return kind([inputs, *layers], name=name)
    if parent is None or type(parent) is keras.Sequential:
        kind = keras.Model
    elif isinstance(parent, keras.Sequential):
        raise ValueError(f"its class {type(parent).__name__} is sequential: it cannot hold blocks")
    else:
        kind = type(parent)
    calls = functional.calls(parent) if functional.is_functional(parent) else []
    by_layer = {id(call.layer): call for call in calls}
    swapped = reading.with_shortcut_first(parent) if calls else set()
    for i, (step, layer) in enumerate(zip(topology.steps, layers, strict=True)):
        if i in values:
            continue
        tensors = [values[j] for j in step.inputs]
        if id(like[i]) in swapped:
            tensors.reverse()
        before = None if like[i] is None else by_layer.get(id(like[i]))
        if before is not None and not before.is_plain:
            values[i] = before.again(tensors)
        else:
            arguments = "" if before is not None else getattr(step.layer, "call", "")
            several = isinstance(step.layer, Join)
            values[i] = layer_calls.apply(layer, arguments, tensors, several=several)
    return kind(inputs, values[len(layers) - 1], name=name)


def _entering(
    topology: Topology, layers: Sequence[Any], parent: keras.Model | None
) -> tuple[Any, dict[int, Any]]:
    """The model's input, or its several ones as the parent has them, and their positions."""
    if not topology.inputs:
        only = _input(topology.input_shape, parent)
        return only, {INPUT: only}
    values = {i: layers[i].output for i in topology.positions(InputPart)}
    if parent is None:
        order = sorted(values, key=lambda i: topology.layer(i, InputPart).start)
        return [values[i] for i in order], values
    by_name = {layers[i].name: tensor for i, tensor in values.items()}
    return functional.inputs_like(parent, by_name), values


def _neighbours_policy(like: Sequence[Any], position: int) -> Any:
    """The dtype policy of the nearest existing layer that computes with floats, or None."""
    for old in [*reversed(like[:position]), *like[position:]]:
        policy: Any = getattr(old, "dtype_policy", None)
        # policies of other classes are those of quantized layers
        if type(policy) is keras.DTypePolicy and policy.compute_dtype in FLOATS:
            return policy
    return None


def _input(shape: Shape, parent: keras.Model | None) -> Any:
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
