"""The state of a Keras model's optimizer, carried over to the model after surgery.

A slot (momentum and the like) holds a number for each trained one of the model, so it follows the
weights through surgery. A few optimizers keep less for each variable (Adafactor's sums by row and
column) or an average of the weights (`use_ema`): these stay where the variable itself does. All
other variables (the step, the learning rate, the loss scale) belong to the whole model and stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from netsurgery.keras_io.compilation import copy_optimizer
from netsurgery.keras_io.kept_layers import trained_variables
from netsurgery.keras_io.variables import to_array
from netsurgery.networks.layers import Arrays
from netsurgery.surgery import Slots

# Keras has no public way from a variable to its slots, and names of variables are not unique:
# optimizers keep them as lists, in the order of this one
TRAINED = "_trainable_variables"
NO_SLOTS = (TRAINED, "_variables")
AVERAGES = "model_variables_moving_average"  # of the weights themselves, not of gradients

Variables = dict[int, Any]  # by the id of the model's variable


def _nested(optimizer: Any) -> Iterator[Any]:
    """The optimizer, and the one that it wraps (loss scaling)."""
    while optimizer is not None:
        yield optimizer
        optimizer = getattr(optimizer, "inner_optimizer", None)


def _by_variable(optimizer: Any) -> dict[str, Variables]:
    """Everything that an optimizer keeps for each variable, by name."""
    found: dict[str, Variables] = {}
    for part in _nested(optimizer):
        own = {id(variable) for variable in part.variables}
        trained = getattr(part, TRAINED)
        for name, entries in vars(part).items():
            is_list = isinstance(entries, list) and len(entries) == len(trained)
            if name in NO_SLOTS or not is_list:
                continue
            # Muon has None for some variables, Adafactor placeholders that are not in its state
            kept = {id(v): e for v, e in zip(trained, entries, strict=True) if id(e) in own}
            if kept:
                found[name.strip("_")] = kept
    return found


def _counters(optimizer: Any) -> list[Any]:
    """The variables that belong to the whole model."""
    slots = {id(slot) for kept in _by_variable(optimizer).values() for slot in kept.values()}
    return [variable for variable in optimizer.variables if id(variable) not in slots]


def _follows_weights(name: str, kept: Variables, trained: list[list[Any]]) -> bool:
    """Whether a slot holds a number for each one of the variables that have it."""
    if name == AVERAGES:
        return False
    return all(
        tuple(kept[id(variable)].shape) == tuple(variable.shape)
        for layer in trained
        for variable in layer
        if id(variable) in kept
    )


def _is_ready(model: keras.Model) -> bool:
    optimizer = getattr(model, "optimizer", None)
    return optimizer is not None and optimizer.built


def read_slots(model: keras.Model, layers: Sequence[Any]) -> dict[str, tuple[Arrays, ...]]:
    """The slots of a compiled model's optimizer that follow the weights, by name and layer.

    A variable that the optimizer keeps no slot for has zeros; frozen layers have no arrays.

    Args:
        model: the model.
        layers: its layers, in the order of the network.
    """
    if not _is_ready(model):
        return {}
    trained = [trained_variables(layer) for layer in layers]

    def read(kept: Variables, variable: Any) -> np.ndarray:
        slot = kept.get(id(variable))
        return np.zeros(variable.shape, np.float32) if slot is None else to_array(slot)

    return {
        name: tuple(tuple(read(kept, variable) for variable in layer) for layer in trained)
        for name, kept in _by_variable(model.optimizer).items()
        if _follows_weights(name, kept, trained)
    }


def _write_slots(model: keras.Model, layers: Sequence[Any], slots: Slots) -> None:
    kept = _by_variable(model.optimizer)
    trained = [trained_variables(layer) for layer in layers]
    for name, by_layer in slots.items():
        for variables, arrays in zip(trained, by_layer, strict=True):
            if not variables:  # frozen layers have none
                continue
            for variable, array in zip(variables, arrays, strict=True):
                if (slot := kept.get(name, {}).get(id(variable))) is not None:
                    slot.assign(array)


def initial_values(model: keras.Model) -> dict[str, float]:
    """The value of each slot of a compiled model's optimizer before the first step."""
    if not _is_ready(model):
        return {}
    optimizer = copy_optimizer(model.optimizer)
    variable = keras.Variable(np.zeros(1), name="any", dtype="float32")
    optimizer.build([variable])
    return {
        name: float(to_array(kept[id(variable)]).ravel()[0])
        for name, kept in _by_variable(optimizer).items()
        if id(variable) in kept
    }


def add_constant(
    slots: Slots, constants: Mapping[str, float], sign: int
) -> dict[str, tuple[Arrays, ...]]:
    """The slots with a constant per slot added to (sign 1) or subtracted from (-1) all values."""
    return {
        name: tuple(
            tuple(array + np.float32(sign * constants.get(name, 0.0)) for array in layer)
            for layer in layers
        )
        for name, layers in slots.items()
    }


def transfer_state(
    parent: keras.Model,
    child: keras.Model,
    layers: Sequence[Any],
    slots: Slots,
    unchanged: Mapping[int, Any],
) -> None:
    """Give the optimizer of a compiled child the state of its parent's.

    Args:
        parent: the model before surgery; nothing happens if its optimizer has no state.
        child: the model after it; its optimizer is built.
        layers: the child's, in the order of its network.
        slots: the child's slots that follow the weights.
        unchanged: by the id of a variable of the child the parent's one that it is a copy of.
    """
    if not _is_ready(parent):
        return
    before, after = _by_variable(parent.optimizer), _by_variable(child.optimizer)
    _write_slots(child, layers, slots)
    for name in after.keys() & before.keys() - slots.keys():
        for variable, slot in after[name].items():
            source = before[name].get(id(unchanged.get(variable)))
            if source is not None:
                slot.assign(source)
    for old, new in zip(_counters(parent.optimizer), _counters(child.optimizer), strict=False):
        if old.shape == new.shape:
            new.assign(old)
