"""What Keras layers are called with beside a tensor, or a list of tensors, as text and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import keras

from netsurgery.keras_io.serialization import serialized

MARK = "input"  # a mapping of this alone stands for a tensor: its number among the inputs


def written(args: Sequence[Any], kwargs: dict[str, Any], inputs: Sequence[Any]) -> str:
    """The arguments of a call as JSON.

    Args:
        args: positional ones.
        kwargs: the others.
        inputs: the Keras tensors among them.

    Raises:
        Exception: whatever objects raise that Keras cannot serialize.
    """
    numbers = {id(tensor): number for number, tensor in enumerate(inputs)}

    def mark(value: Any) -> Any:
        return {MARK: numbers[id(value)]} if isinstance(value, keras.KerasTensor) else value

    return json.dumps(serialized(keras.tree.map_structure(mark, [list(args), kwargs])))


def read(call: str, fill: Callable[[int], Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that `written` wrote.

    Args:
        call: the text.
        fill: gives what stands at a tensor's place, by the tensor's number.
    """
    args, kwargs = keras.saving.deserialize_keras_object(json.loads(call))
    return filled(args, fill), filled(kwargs, fill)


def filled(value: Any, fill: Callable[[int], Any]) -> Any:
    """A structure with something else at the places of the tensors."""
    if isinstance(value, dict):
        if value.keys() == {MARK}:
            return fill(value[MARK])
        return {key: filled(part, fill) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(filled(part, fill) for part in value)
    return value


def apply(keras_layer: Any, call: str, inputs: Sequence[Any], *, several: bool, **more: Any) -> Any:
    """The output of a layer, or of another operation of Keras.

    Args:
        keras_layer: what to call.
        call: its arguments, see `written`; empty if it takes the inputs alone.
        inputs: tensors of any kind.
        several: whether it takes a list of them if it takes them alone.
        more: further arguments, which replace those of `call`, as in Keras's functional models.
    """
    args: list[Any] = [list(inputs) if several else inputs[0]]
    kwargs: dict[str, Any] = {}
    if call:
        args, kwargs = read(call, lambda number: inputs[number])
    return keras_layer(*args, **kwargs | more)
