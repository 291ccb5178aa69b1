"""The layers of a network that surgery keeps as they are, and variables for what is not trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from netsurgery.keras_io import kept_calls
from netsurgery.networks.layers import Arrays, KeptJoin, Other
from netsurgery.networks.network import Network


class KeptLayers:
    """These layers, made for calls.

    Their trained arrays are among those of the network; each of the others has a variable here.

    Args:
        network: with the initial values.

    Attributes:
        calls: the layers by position.
        held: by position the variables of the arrays that are not trained.
    """

    def __init__(self, network: Network) -> None:
        layers = enumerate(network.topology.layers)
        kept = {i: layer for i, layer in layers if isinstance(layer, Other | KeptJoin)}
        self.calls = {i: kept_calls.make(layer) for i, layer in kept.items()}
        self.held = {
            i: [keras.Variable(array, trainable=False, dtype=array.dtype.name) for array in arrays]
            for i, arrays in self._of(network).items()
        }

    def _of(self, network: Network) -> dict[int, Arrays]:
        """The arrays of a network that have a variable here."""
        return {i: network.weights[i][each.layer.trainable :] for i, each in self.calls.items()}

    @property
    def draw(self) -> bool:
        """Whether any of the layers draws in training."""
        return any(each.draws for each in self.calls.values())

    @property
    def variables(self) -> list[Any]:
        """All variables."""
        return [variable for held in self.held.values() for variable in held]

    @property
    def tensors(self) -> dict[int, list[Any]]:
        """The variables of TensorFlow, by position."""
        return {i: [variable.value for variable in held] for i, held in self.held.items()}

    @property
    def arrays(self) -> dict[int, list[Any]]:
        """The present values, by position."""
        return {i: [variable.numpy() for variable in held] for i, held in self.held.items()}

    def update(self, states: Mapping[int, Sequence[tf.Tensor | None]]) -> None:
        """Take over what a pass in training mode made of the variables; None keeps one."""
        for i, values in states.items():
            for variable, value in zip(self.held[i], values, strict=True):
                if value is not None:
                    variable.assign(value)

    def load(self, network: Network) -> None:
        """Take over the arrays of a network of the same topology."""
        for i, arrays in self._of(network).items():
            for variable, array in zip(self.held[i], arrays, strict=True):
                variable.assign(array)
