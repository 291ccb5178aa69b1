"""Keras layers that surgery keeps as they are, as functions of their arrays and their inputs.

Where this module is imported, numpy inference computes them as well: through Keras, in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from netsurgery.keras_io import kept_layers, layer_calls
from netsurgery.keras_io.functional import MASK
from netsurgery.keras_io.layers_to_keras import to_keras_layer
from netsurgery.networks import inference
from netsurgery.networks.layers import Arrays, KeptJoin, Other, PerChannel, Regularization

Kept = Other | KeptJoin


@dataclass(frozen=True)
class KeptOutput:
    """What a layer gives.

    Attributes:
        output: (n, *output_shape).
        states: what its arrays that are not trained become; None for those that stay.
        penalties: what it adds to the loss, scalars.
    """

    output: tf.Tensor
    states: tuple[tf.Tensor | None, ...]
    penalties: tuple[tf.Tensor, ...]


@dataclass(frozen=True, eq=False)
class KeptCall:
    """A layer, made for calls that leave its own variables alone.

    Attributes:
        layer: the layer.
        keras_layer: the same in Keras, built.
    """

    layer: Kept
    keras_layer: Any

    @cached_property
    def variables(self) -> list[Any]:
        """Those that the arrays stand for, in their order."""
        return kept_layers.variables(self.keras_layer)

    @cached_property
    def draws(self) -> list[Any]:
        """The states of its random generators."""
        held = {id(variable) for variable in self.variables}
        return [v for v in getattr(self.keras_layer, "variables", ()) if id(v) not in held]

    def __call__(
        self,
        arrays: Sequence[Any],
        inputs: Sequence[tf.Tensor],
        *,
        training: bool,
        seed: tf.Tensor | None = None,
    ) -> KeptOutput:
        """What the layer gives.

        Args:
            arrays: its arrays.
            inputs: (n, *shape) each.
            training: whether to compute in training mode.
            seed: (2,), of what it draws in training.
        """
        values = list(zip(self.variables, arrays, strict=True))
        if seed is not None:
            fold = tf.random.experimental.stateless_fold_in
            values += [(state, fold(seed, i)) for i, state in enumerate(self.draws)]
        is_layer = isinstance(self.keras_layer, keras.Layer)
        mode = {"training": training} if is_layer else {}
        with keras.StatelessScope(values, collect_losses=True) as scope:
            states = self.variables[self.layer.trainable :]
            before = [scope.get_current_value(variable) for variable in states]
            self._update_constants()
            several = isinstance(self.layer, KeptJoin)
            output = layer_calls.apply(
                self.keras_layer, self.layer.call, inputs, several=several, **mode
            )
            penalties = tuple(self.keras_layer.losses) if is_layer else ()
        after = [scope.get_current_value(variable) for variable in states]
        pairs = zip(before, after, strict=True)
        changed = tuple(new if new is not old else None for old, new in pairs)
        return KeptOutput(output, changed, penalties)

    def _update_constants(self) -> None:
        for part in kept_layers.inner_layers(self.keras_layer):
            if isinstance(part, keras.layers.Normalization):
                part.finalize_state()  # it computes with a copy of its variables


def make(layer: Kept) -> KeptCall:
    """A Keras layer for calls.

    Raises:
        ValueError: Keras cannot make the layer again from its configuration.
    """
    shape = layer.entering[0] if isinstance(layer, KeptJoin) else layer.entering
    try:
        made = KeptCall(layer, to_keras_layer(layer, "kept", shape))
        if not getattr(made.keras_layer, "built", True) and not layer.call:
            made.keras_layer.build((None, *shape))
    except Exception as failed:  # Keras raises many types
        raise ValueError(f"Keras cannot make the layer {layer} again: {failed}") from None
    if tuple(tuple(variable.shape) for variable in made.variables) != layer.arrays:
        raise ValueError(f"Keras cannot make the layer {layer} again with the same arrays")
    return made


def mask_passed_on(inputs: Sequence[Any], output: Any) -> Any:
    """The output of a layer that keeps the steps of a series apart, with the mask of its inputs."""
    masks = [getattr(x, MASK, None) for x in inputs]
    if masks[0] is not None and all(mask is masks[0] for mask in masks):
        setattr(output, MASK, masks[0])
    return output


# --- in numpy inference ---------------------------------------------------------------------------

_made = lru_cache(maxsize=64)(make)


class _Masked(np.ndarray):
    """A series with Keras's mask of its steps, which elementwise functions pass on."""

    mask: Any = None

    def __array_finalize__(self, source: Any) -> None:
        self.mask = getattr(source, "mask", None)


def _infer(layer: Kept, arrays: Arrays, inputs: list[np.ndarray]) -> np.ndarray:
    tensors = [tf.constant(np.asarray(x), tf.float32) for x in inputs]
    for x, tensor in zip(inputs, tensors, strict=True):
        if isinstance(x, _Masked):
            setattr(tensor, MASK, x.mask)
    given = _made(layer)(arrays, tensors, training=False).output
    output = np.asarray(given).astype(inputs[0].dtype)
    if (mask := getattr(given, MASK, None)) is not None:
        masked = output.view(_Masked)
        masked.mask = mask
        return masked
    return output


inference.KEPT.update(dict.fromkeys((Other, PerChannel, Regularization, KeptJoin), _infer))
