"""The graph of a functional Keras model: which layer takes the outputs of which others.

Keras has no public way to the calls of a model's layers, and this is the only module that reads
what it keeps of them. (`get_config` fails where a layer holds Python objects of the user.)
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from netsurgery.keras_io import layer_calls
from netsurgery.networks.layers import InputPart, Shape, input_parts
from netsurgery.networks.steps import INPUT

MASK = "_keras_mask"  # where Keras keeps the mask of a tensor


@dataclass(frozen=True, eq=False)
class Call:
    """A call of a layer, or of another operation of Keras, in a functional model.

    Attributes:
        layer: what is called; one of several inputs is a call of its own, of an `InputLayer`.
        inputs: positions of the calls whose outputs it takes, `INPUT` for the model's input, or for
            all of several. Only a list, such as that of `Add`, may hold one twice.
        entering: shapes of these outputs, without the batch axis.
        leaving: shape of its own output.
        arguments: other arguments of the call, such as `training=False`, for display.
        masked: whether one of the inputs has a mask.
        part: which input of several it is; None for all other calls.
    """

    layer: Any
    inputs: tuple[int, ...]
    entering: tuple[Shape, ...]
    leaving: Shape
    arguments: tuple[str, ...]
    masked: bool
    _node: Any = field(repr=False)
    part: InputPart | None = None

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer, not another operation such as `keras.ops.relu`."""
        return isinstance(self.layer, keras.Layer)

    @property
    def is_plain(self) -> bool:
        """Whether it is a layer that is called with one tensor, or a list, and nothing else."""
        node = self._node
        lone = len(node.input_tensors) == 1 and not _takes_list(node)
        several = len(node.input_tensors) > 1 and _takes_list(node)
        return self.is_layer and not self.arguments and (lone or several)

    @property
    def written(self) -> str:
        """The arguments as text, see `layer_calls`; empty if it is plain.

        Raises:
            Exception: whatever objects raise that Keras cannot serialize.
        """
        if self.is_plain:
            return ""
        given = self._node.arguments
        return layer_calls.written(given.args, given.kwargs, _inputs(self._node))

    def again(self, tensors: Sequence[Any]) -> Any:
        """The output of the same layer, with the same other arguments, for other tensors.

        Args:
            tensors: one for each of `inputs`.
        """
        before = map(id, _inputs(self._node))
        args, kwargs = self._node.arguments.fill_in(dict(zip(before, tensors, strict=True)))
        return self.layer(*args, **kwargs)


def is_functional(model: Any) -> bool:
    """Whether a model is made of Keras tensors, by itself or as a subclass."""
    return hasattr(model, "_nodes_by_depth")


def calls(model: keras.Model) -> list[Call]:
    """The calls of a functional model, each after those whose outputs it takes.

    Raises:
        ValueError: the model has several outputs, a layer is called twice or gives several outputs,
            or one of several inputs leads nowhere.
    """
    if len(model.outputs) != 1:
        names = ", ".join(tensor._keras_history.operation.name for tensor in model.outputs)
        raise ValueError(f"it has {len(model.outputs)} outputs ({names}): only one can be used")
    parts = _parts(model) if len(model.inputs) > 1 else {}
    nodes = [node for _, row in sorted(model._nodes_by_depth.items(), reverse=True) for node in row]
    nodes = [node for node in nodes if parts or not node.is_input]
    called: set[int] = set()
    positions = {} if parts else {id(model.inputs[0]): INPUT}
    found = []
    for position, node in enumerate(nodes):
        if id(node.operation) in called:
            raise ValueError(f"its layer {node.operation.name} is shared: it is called twice")
        if len(node.outputs) != 1:
            raise ValueError(f"its layer {node.operation.name} gives {len(node.outputs)} outputs")
        called.add(id(node.operation))
        tensors = _inputs(node)
        found.append(
            Call(
                node.operation,
                tuple(positions[id(tensor)] for tensor in tensors) or (INPUT,),
                tuple(tuple(tensor.shape[1:]) for tensor in tensors),
                tuple(node.outputs[0].shape[1:]),
                _arguments(node),
                any(map(_has_mask, tensors)),
                node,
                parts.get(node.operation.name),
            )
        )
        positions[id(node.outputs[0])] = position
    return found


def _parts(model: keras.Model) -> dict[str, InputPart]:
    """The inputs of a model that has several, by their names."""
    for tensor in model.inputs:
        layer = tensor._keras_history.operation
        if None in tensor.shape[1:]:
            raise ValueError(
                f"its input {layer.name} has no fixed size, which each of several inputs needs"
            )
        if not isinstance(layer, keras.layers.InputLayer):
            raise ValueError(f"its input {layer.name} is the output of another layer")
        nodes = {id(node) for row in model._nodes_by_depth.values() for node in row}
        if nodes.isdisjoint(id(node) for node in layer._outbound_nodes):
            raise ValueError(f"its input {layer.name} leads to no output")
    shapes = {each._keras_history.operation.name: tuple(each.shape[1:]) for each in model.inputs}
    return {part.name: part for part in input_parts(shapes)}


def inputs_like(model: keras.Model, tensors: Mapping[str, Any]) -> Any:
    """Tensors, by the names of a model's inputs, in a list or dictionary as the model has them."""
    return keras.tree.map_structure(
        lambda each: tensors[each._keras_history.operation.name], model.input
    )


def takes_mask(layer: keras.Layer) -> bool:
    """Whether a layer of a model takes an input with a mask of its steps."""
    return any(_has_mask(tensor) for node in layer._inbound_nodes for tensor in node.input_tensors)


def _has_mask(tensor: Any) -> bool:
    return getattr(tensor, MASK, None) is not None


def through(network: keras.Model, x: Any) -> Any:
    """The output of a sequential or functional model for other tensors; it shares the layers.

    Args:
        network: the model.
        x: a Keras tensor; of several inputs a mapping from their names.
    """
    if not is_functional(network):
        for layer in network.layers:
            x = layer(x)
        return x
    values = {INPUT: x}
    for position, call in enumerate(calls(network)):
        if call.part is not None:
            values[position] = x[call.part.name]
        else:
            values[position] = call.again([values[i] for i in call.inputs])
    return values[len(values) - 2]


def first_layer(network: keras.Model) -> str:
    """The name of a layer of a sequential or functional model that takes the input alone."""
    if not is_functional(network):
        return str(network.layers[0].name)
    return next(str(call.layer.name) for call in calls(network) if call.inputs == (INPUT,))


def _takes_list(node: Any) -> bool:
    args = node.arguments.args
    return len(args) == 1 and isinstance(args[0], list | tuple)


def _inputs(node: Any) -> list[Any]:
    """The tensors of a call, in order: each one once, unless the call takes a list of them."""
    tensors = list(node.input_tensors)
    return tensors if _takes_list(node) else list({id(each): each for each in tensors}.values())


def _arguments(node: Any) -> tuple[str, ...]:
    """The arguments of a call besides its first one, but for those that are as by default."""
    _, *positional = node.arguments.args or (None,)
    parameters = inspect.signature(node.operation.call).parameters
    named = [
        f"{name}={value}"
        for name, value in node.arguments.kwargs.items()
        if not (value is None or isinstance(value, keras.KerasTensor))
        and not (name in parameters and parameters[name].default is value)
    ]
    others = [str(value) for value in positional if not isinstance(value, keras.KerasTensor)]
    return (*others, *named)
