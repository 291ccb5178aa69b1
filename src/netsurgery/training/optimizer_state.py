"""What an optimizer remembers: as files have it, in Keras's order, and as surgery carries it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import keras
import numpy as np

from netsurgery.networks.network import Arrays
from netsurgery.objectives import keras_catalog
from netsurgery.objectives.keras_catalog import Setting
from netsurgery.training.packing import VariablePacking

# that treat every number alike, whatever array it is in
BY_NUMBER = (
    *("sgd", "adadelta", "adagrad", "adam", "adamax", "adamw", "ftrl", "lion", "nadam"),
    *("rmsprop", "schedule_free_adamw"),
)
# but not with these: norms of arrays, and slots that lie in an order of their own
BY_ARRAY = ("clipnorm", "gradient_accumulation_steps", "amsgrad")
BY_SLOT = ("sgd", "rmsprop")  # Keras keeps their slots one after the other, others' by variable
ITERATES = ("schedule_free_adamw",)  # keep weights, not sums of gradients, which surgery carries
AHEAD = 2  # counters that every optimizer has ahead of its slots: steps, learning rate


def is_by_number(setting: Setting) -> bool:
    """Whether an optimizer treats every number alike, so that arrays may share a variable."""
    name, arguments = keras_catalog.named(setting)
    return name in BY_NUMBER and not any(arguments.get(key) for key in BY_ARRAY)


class OptimizerState:
    """The variables of an optimizer that has seen no step.

    Args:
        optimizer: built, of variables that lie as `packing` says.
        packing: how the network's arrays lie in them.
        setting: by which the optimizer was made.
    """

    def __init__(
        self, optimizer: keras.optimizers.Optimizer, packing: VariablePacking, setting: Setting
    ) -> None:
        self.optimizer, self.packing = optimizer, packing
        self.name, _ = keras_catalog.named(setting)
        self.packed = is_by_number(setting)
        self.starts = {name: self._start(slot) for name, slot in self._carried.items()}

    @staticmethod
    def _start(slot: list[keras.Variable]) -> np.float32:
        return np.float32(slot[0].numpy().flat[0])

    @property
    def variables(self) -> list[keras.Variable]:
        """All of them."""
        return self.optimizer.variables

    @cached_property
    def _counters(self) -> list[keras.Variable]:
        return [variable for variable in self.variables if not len(variable.shape)]

    @cached_property
    def _slots(self) -> dict[str, list[keras.Variable]]:
        """The variables of each slot, in the order of the weights."""
        found: dict[str, list[keras.Variable]] = {}
        for variable in self.variables:
            if len(variable.shape):
                _, _, name = variable.name.partition("_")  # behind that of the weights
                found.setdefault(name, []).append(variable)
        return found

    @cached_property
    def _carried(self) -> dict[str, list[keras.Variable]]:
        """The slots that surgery can carry: none, unless each has a number for each weight."""
        shapes, slots = self.packing.variable_shapes, self._slots
        fit = all([tuple(v.shape) for v in slot] == shapes for slot in slots.values())
        return slots if fit and self.name not in ITERATES else {}

    def _arrays(self, slot: Iterable[keras.Variable]) -> list[np.ndarray]:
        """A slot's arrays, in order."""
        return self.packing.unpack(variable.numpy() for variable in slot)

    def _assign(self, slot: Iterable[keras.Variable], arrays: Iterable[np.ndarray]) -> None:
        for variable, value in zip(slot, self.packing.pack(arrays), strict=True):
            variable.assign(value)

    @property
    def state(self) -> Arrays:
        """The values that a Keras model's optimizer would have, in their order."""
        if not self.packed:
            return tuple(variable.numpy() for variable in self.variables)
        slots = [self._arrays(slot) for slot in self._slots.values()]
        rows = slots if self.name in BY_SLOT else zip(*slots, strict=True)
        counters = [counter.numpy() for counter in self._counters]
        arrays = (array for row in rows for array in row)
        return (*counters[:AHEAD], *arrays, *counters[AHEAD:])

    @state.setter
    def state(self, state: Arrays) -> None:
        if not self.packed:
            for variable, value in zip(self.variables, state, strict=True):
                variable.assign(value)
            return
        counters, slots = self._counters, list(self._slots.values())
        end = len(state) - len(counters) + AHEAD
        for counter, value in zip(counters, (*state[:AHEAD], *state[end:]), strict=True):
            counter.assign(value)
        arrays, count = state[AHEAD:end], len(self.packing.shapes)
        for i, slot in enumerate(slots):
            one, block = slice(i, None, len(slots)), slice(i * count, (i + 1) * count)
            self._assign(slot, arrays[block if self.name in BY_SLOT else one])

    @property
    def steps(self) -> int:
        """Batches that the optimizer has seen."""
        return int(self.optimizer.iterations)

    @property
    def slots(self) -> dict[str, list[Any]]:
        """Each slot that surgery can carry: its arrays in order, less what they began with."""
        return {
            name: [array - self.starts[name] for array in self._arrays(slot)]
            for name, slot in self._carried.items()
        }

    def take_over(self, slots: dict[str, list[np.ndarray]], steps: int) -> None:
        """Set the slots that surgery carried, and the number of steps that they stand for."""
        for name, arrays in slots.items():
            began = self.starts[name]
            self._assign(self._carried[name], (array + began for array in arrays))
        if slots:
            self.optimizer.iterations.assign(steps)
