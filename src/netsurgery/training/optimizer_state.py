"""The state of an optimizer: in Keras's order, as in files, and as slot variables, for surgery."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import keras
import numpy as np

from netsurgery.networks.layers import Arrays
from netsurgery.objectives import keras_catalog
from netsurgery.objectives.keras_catalog import Setting
from netsurgery.training.packing import VariablePacking

# optimizers that update every number alike, whatever array it is in
ELEMENTWISE = (
    *("sgd", "adadelta", "adagrad", "adam", "adamax", "adamw", "ftrl", "lion", "nadam"),
    *("rmsprop", "schedule_free_adamw"),
)
# except with these arguments: norms of arrays, and slots in an order of their own
ARRAYWISE_ARGUMENTS = ("clipnorm", "gradient_accumulation_steps", "amsgrad")
# optimizers that list their variables slot by slot; others list them weight by weight
SLOT_BY_SLOT = ("sgd", "rmsprop")
# optimizers whose slots hold weights; surgery transfers sums of gradients only
WITH_WEIGHT_SLOTS = ("schedule_free_adamw",)
AVERAGE = "average"  # the slot with the moving average of the weights; Keras lists it first
LEADING_COUNTERS = 2  # every optimizer's variables begin with the iterations and the learning rate


def is_elementwise(setting: Setting) -> bool:
    """Whether an optimizer updates every number alike, so that arrays may share a variable."""
    name, arguments = keras_catalog.split_setting(setting)
    return name in ELEMENTWISE and not any(arguments.get(key) for key in ARRAYWISE_ARGUMENTS)


class OptimizerState:
    """The state of an optimizer that has made no step yet.

    Args:
        optimizer: built for the variables of `packing`.
        packing: which arrays of the network share a variable.
        setting: that the optimizer was made from.
    """

    def __init__(
        self, optimizer: keras.optimizers.Optimizer, packing: VariablePacking, setting: Setting
    ) -> None:
        self.optimizer, self.packing = optimizer, packing
        self.name, _ = keras_catalog.split_setting(setting)
        self.is_packed = is_elementwise(setting)
        self.initial = {name: self._first(slot) for name, slot in self._transferable.items()}

    @staticmethod
    def _first(slot: list[keras.Variable]) -> np.float32:
        """The first number of a slot; a new optimizer's slots are constant."""
        return np.float32(slot[0].numpy().flat[0])

    @property
    def variables(self) -> list[keras.Variable]:
        """All variables of the optimizer."""
        return self.optimizer.variables

    @cached_property
    def _counters(self) -> list[keras.Variable]:
        return [variable for variable in self.variables if not len(variable.shape)]

    @property
    def averages(self) -> list[keras.Variable]:
        """The moving averages of the weights, in their order; none if the optimizer keeps none."""
        return self._every_slot.get(AVERAGE, [])

    @cached_property
    def _slots(self) -> dict[str, list[keras.Variable]]:
        """The variables of each slot but the averages, in the order of the weights."""
        return {name: slot for name, slot in self._every_slot.items() if name != AVERAGE}

    @cached_property
    def _every_slot(self) -> dict[str, list[keras.Variable]]:
        found: dict[str, list[keras.Variable]] = {}
        for variable in self.variables:
            if len(variable.shape):
                _, _, name = variable.name.partition("_")  # before it stands that of the weights
                found.setdefault(name, []).append(variable)
        return found

    @cached_property
    def _transferable(self) -> dict[str, list[keras.Variable]]:
        """The slots that surgery can transfer: none, unless each has one number per weight."""
        shapes, slots = self.packing.variable_shapes, self._slots
        fit = all([tuple(v.shape) for v in slot] == shapes for slot in slots.values())
        return slots if fit and self.name not in WITH_WEIGHT_SLOTS else {}

    def _arrays(self, slot: Iterable[keras.Variable]) -> list[np.ndarray]:
        """A slot's arrays, in order."""
        return self.packing.unpack(variable.numpy() for variable in slot)

    def _assign(self, slot: Iterable[keras.Variable], arrays: Iterable[np.ndarray]) -> None:
        for variable, value in zip(slot, self.packing.pack(arrays), strict=True):
            variable.assign(value)

    @property
    def values(self) -> Arrays:
        """The values of the variables that a Keras model's optimizer would have, in their order."""
        if not self.is_packed:
            return tuple(variable.numpy() for variable in self.variables)
        slots = [self._arrays(slot) for slot in self._slots.values()]
        rows = slots if self.name in SLOT_BY_SLOT else zip(*slots, strict=True)
        counters = [counter.numpy() for counter in self._counters]
        arrays = (array for row in rows for array in row)
        averages = self._arrays(self.averages) if self.averages else []
        return (*counters[:LEADING_COUNTERS], *averages, *arrays, *counters[LEADING_COUNTERS:])

    @values.setter
    def values(self, values: Arrays) -> None:
        if not self.is_packed:
            for variable, value in zip(self.variables, values, strict=True):
                variable.assign(value)
            return
        counters, slots = self._counters, list(self._slots.values())
        end = len(values) - len(counters) + LEADING_COUNTERS
        scalars = (*values[:LEADING_COUNTERS], *values[end:])
        for counter, value in zip(counters, scalars, strict=True):
            counter.assign(value)
        arrays, count = values[LEADING_COUNTERS:end], len(self.packing.shapes)
        if self.averages:
            self._assign(self.averages, arrays[:count])
            arrays = arrays[count:]
        for i, slot in enumerate(slots):
            interleaved, block = slice(i, None, len(slots)), slice(i * count, (i + 1) * count)
            self._assign(slot, arrays[block if self.name in SLOT_BY_SLOT else interleaved])

    @property
    def steps(self) -> int:
        """The optimizer's iterations: batches it was trained on."""
        return int(self.optimizer.iterations)

    @property
    def slots(self) -> dict[str, list[Any]]:
        """Each slot that surgery can transfer: its arrays in order, minus their initial value."""
        return {
            name: [array - self.initial[name] for array in self._arrays(slot)]
            for name, slot in self._transferable.items()
        }

    def restore_slots(self, slots: dict[str, list[np.ndarray]], steps: int) -> None:
        """Set the slots that surgery transferred, and the iterations they result from."""
        for name, arrays in slots.items():
            initial = self.initial[name]
            self._assign(self._transferable[name], (array + initial for array in arrays))
        if slots:
            self.optimizer.iterations.assign(steps)
