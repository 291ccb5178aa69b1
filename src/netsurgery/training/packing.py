"""TensorFlow variables for a network's arrays: small arrays share one, large arrays have their own.

A variable costs a dozen operations in every training step, and in tracing it; taking an array out
of a shared variable copies it. An elementwise optimizer sees no difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from netsurgery.networks.layers import Shape

LARGE = 4096  # numbers; a larger array has its own variable


@dataclass(frozen=True)
class VariablePacking:
    """Which arrays share a variable."""

    shapes: tuple[Shape, ...]
    groups: tuple[tuple[int, ...], ...]  # the arrays of each variable; several are stored flat

    @classmethod
    def of(cls, shapes: Sequence[Shape], *, shared: bool = True) -> VariablePacking:
        """The packing of arrays of these shapes; unless `shared`, each has its own variable."""
        limit = LARGE if shared else -1
        large = [i for i, shape in enumerate(shapes) if math.prod(shape) > limit]
        small = tuple(i for i in range(len(shapes)) if i not in large)
        return cls(tuple(shapes), ((small,) if small else ()) + tuple((i,) for i in large))

    @property
    def variable_shapes(self) -> list[Shape]:
        """The shapes of the variables."""
        return [
            self.shapes[group[0]]
            if len(group) == 1
            else (sum(math.prod(self.shapes[i]) for i in group),)
            for group in self.groups
        ]

    def pack(self, arrays: Iterable[np.ndarray]) -> list[np.ndarray]:
        """The values of the variables, from the arrays in order."""
        arrays = list(arrays)
        return [
            arrays[group[0]]
            if len(group) == 1
            else np.concatenate([np.ravel(arrays[i]) for i in group])
            for group in self.groups
        ]

    def unpack(self, variables: Iterable[np.ndarray]) -> list[np.ndarray]:
        """The arrays in order, from the values of the variables."""

        def split(variable: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
            return np.split(variable, np.cumsum(sizes)[:-1])

        return self._unpack(variables, split, np.reshape)

    def tensors(self, variables: Iterable[tf.Variable]) -> list[Any]:
        """The arrays in order, as tensors."""
        return self._unpack(variables, tf.split, tf.reshape)

    def _unpack(
        self, variables: Iterable[Any], split: Callable[..., Any], reshape: Callable[..., Any]
    ) -> list[Any]:
        arrays: dict[int, Any] = {}
        for group, variable in zip(self.groups, variables, strict=True):
            if len(group) == 1:
                arrays[group[0]] = variable
                continue
            parts = split(variable, [math.prod(self.shapes[i]) for i in group])
            for i, part in zip(group, parts, strict=True):
                shape = self.shapes[i]
                arrays[i] = part if len(shape) == 1 else reshape(part, shape)
        return [arrays[i] for i in range(len(self.shapes))]
