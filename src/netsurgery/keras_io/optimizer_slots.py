"""What a Keras model's optimizer remembers: its slots by layer, and its counters.

A slot (momentum and the like) has a number for each trainable one of the model, so that surgery can
carry it; counters (steps, the learning rate) belong to the whole model and stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from netsurgery.networks.layers import Arrays
from netsurgery.surgery import Slots

AVERAGE = "average"  # of the weights themselves (use_ema): no sum of gradients


def _partition(optimizer: Any, variables: list[Any]) -> tuple[dict[str, dict[int, Any]], list[Any]]:
    """The optimizer's variables: by slot and index of the variable served, and the others."""
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
    """The optimizer's variables: by slot and layer, and the counters.

    None where surgery cannot carry them: there is no optimizer, or it keeps other things than a
    number for each trainable one (Adafactor, Muon, averages of the weights).
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not optimizer.built:
        return None
    trained = [list(layer.trainable_weights) for layer in model.layers]
    variables = [variable for layer in trained for variable in layer]
    slots, counters = _partition(optimizer, variables)
    owned, names = set(range(len(variables))), {variable.name for variable in variables}
    if AVERAGE in slots or any(set(slot) != owned for slot in slots.values()):
        return None
    if any(slot[i].shape != variables[i].shape for slot in slots.values() for i in slot):
        return None
    if any(len(counter.shape) or counter.name in names for counter in counters):
        return None
    layered = {}
    for name, slot in slots.items():
        inorder = iter(slot[i] for i in range(len(variables)))
        layered[name] = [[next(inorder) for _ in layer] for layer in trained]
    return layered, counters


def read_slots(model: keras.Sequential) -> dict[str, tuple[Arrays, ...]]:
    """The state of a compiled model's optimizer, by slot and layer; empty if none can be carried.

    Layers that are frozen have no slots.
    """
    slots, _ = _state(model) or ({}, [])
    return {
        name: tuple(tuple(np.asarray(variable) for variable in layer) for layer in layers)
        for name, layers in slots.items()
    }


def write_slots(model: keras.Sequential, slots: Slots, steps: int) -> None:
    """Give a compiled model's optimizer a state, and the number of steps it stands for."""
    found, _ = _state(model) or ({}, [])
    for name, layers in found.items():
        for variables, arrays in zip(layers, slots.get(name, ()), strict=False):
            if variables:  # frozen layers have none
                for variable, array in zip(variables, arrays, strict=True):
                    variable.assign(array)
    if slots:
        model.optimizer.iterations.assign(steps)


def starts(model: keras.Sequential) -> dict[str, float]:
    """What each slot of a compiled model's optimizer holds before its first step."""
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    variable = keras.Variable(np.zeros(1), name="any")
    optimizer.build([variable])
    slots, _ = _partition(optimizer, [variable])
    return {name: float(np.asarray(slot[0])[0]) for name, slot in slots.items()}


def shifted(slots: Slots, by: Mapping[str, float], sign: int) -> dict[str, tuple[Arrays, ...]]:
    """The slots with a number per slot added to, or (sign -1) taken from, all their values."""
    return {
        name: tuple(
            tuple(array + np.float32(sign * by[name]) for array in layer) for layer in layers
        )
        for name, layers in slots.items()
    }


def carry(parent: keras.Sequential, child: keras.Sequential, slots: Slots) -> bool:
    """Give a compiled child's optimizer the counters of its parent's, and slots.

    Returns:
        Whether it could; else the optimizer starts afresh.
    """
    before, after = _state(parent), _state(child)
    if before is None or after is None:
        return False
    write_slots(child, slots, int(parent.optimizer.iterations))
    for old, new in zip(before[1], after[1], strict=True):
        new.assign(old)
    return True
