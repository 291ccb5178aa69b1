"""The state of a Keras model's optimizer: slot variables by layer, and counters.

A slot (momentum and the like) holds a number for each trainable one of the model, so surgery can
transfer it; counters (steps, the learning rate) belong to the whole model and stay unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from netsurgery.networks.layers import Arrays
from netsurgery.surgery import Slots

AVERAGE = "average"  # of the weights themselves (use_ema), not of gradients


def _partition(optimizer: Any, variables: list[Any]) -> tuple[dict[str, dict[int, Any]], list[Any]]:
    """The optimizer's variables: slots by name and the model's variable, and others."""
    paths = {variable.path.replace("/", "_"): i for i, variable in enumerate(variables)}
    slots: dict[str, dict[int, Any]] = {}
    others = []
    for variable in optimizer.variables:
        owners = [path for path in paths if variable.name.startswith(f"{path}_")]
        if owners:
            owner = max(owners, key=len)
            slots.setdefault(variable.name[len(owner) + 1 :], {})[paths[owner]] = variable
        else:
            others.append(variable)
    return slots, others


def _state(model: keras.Sequential) -> tuple[dict[str, list[list[Any]]], list[Any]] | None:
    """The optimizer's variables: slots by name and layer, and the counters.

    None if surgery cannot transfer them: there is no optimizer, or its slots do not hold a number
    for each trainable one (Adafactor, Muon, averages of the weights).
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not optimizer.built:
        return None
    trained = [list(layer.trainable_weights) for layer in model.layers]
    variables = [variable for layer in trained for variable in layer]
    slots, counters = _partition(optimizer, variables)
    expected, names = set(range(len(variables))), {variable.name for variable in variables}
    if AVERAGE in slots or any(set(slot) != expected for slot in slots.values()):
        return None
    if any(slot[i].shape != variables[i].shape for slot in slots.values() for i in slot):
        return None
    if any(len(counter.shape) or counter.name in names for counter in counters):
        return None
    by_layer = {}
    for name, slot in slots.items():
        in_order = iter(slot[i] for i in range(len(variables)))
        by_layer[name] = [[next(in_order) for _ in layer] for layer in trained]
    return by_layer, counters


def read_slots(model: keras.Sequential) -> dict[str, tuple[Arrays, ...]]:
    """The slots of a compiled model's optimizer, by name and layer; empty if not transferable.

    Frozen layers have no slots.
    """
    slots, _ = _state(model) or ({}, [])
    return {
        name: tuple(tuple(np.asarray(variable) for variable in layer) for layer in layers)
        for name, layers in slots.items()
    }


def write_slots(model: keras.Sequential, slots: Slots, steps: int) -> None:
    """Set the slots and the number of steps of a compiled model's optimizer."""
    variables_by_slot, _ = _state(model) or ({}, [])
    for name, layers in variables_by_slot.items():
        for variables, arrays in zip(layers, slots.get(name, ()), strict=False):
            if variables:  # frozen layers have none
                for variable, array in zip(variables, arrays, strict=True):
                    variable.assign(array)
    if slots:
        model.optimizer.iterations.assign(steps)


def initial_values(model: keras.Sequential) -> dict[str, float]:
    """The value of each slot of a compiled model's optimizer before the first step."""
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    variable = keras.Variable(np.zeros(1), name="any")
    optimizer.build([variable])
    slots, _ = _partition(optimizer, [variable])
    return {name: float(np.asarray(slot[0])[0]) for name, slot in slots.items()}


def add_constant(
    slots: Slots, constants: Mapping[str, float], sign: int
) -> dict[str, tuple[Arrays, ...]]:
    """The slots with a constant per slot added to (sign 1) or subtracted from (-1) all values."""
    return {
        name: tuple(
            tuple(array + np.float32(sign * constants[name]) for array in layer) for layer in layers
        )
        for name, layers in slots.items()
    }


def transfer_state(parent: keras.Sequential, child: keras.Sequential, slots: Slots) -> bool:
    """Set the slots of a compiled child's optimizer, and its counters to those of its parent.

    Returns:
        Whether this was possible; otherwise the optimizer starts from its initial state.
    """
    before, after = _state(parent), _state(child)
    if before is None or after is None:
        return False
    write_slots(child, slots, int(parent.optimizer.iterations))
    for old, new in zip(before[1], after[1], strict=True):
        new.assign(old)
    return True
