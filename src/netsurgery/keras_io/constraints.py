"""Constraints of Keras layers, which the weights after surgery must satisfy.

Keras applies a constraint after each training step to whatever the weights are then. Weights that
break it would change the model in the first step, even at a learning rate of zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from netsurgery.keras_io.keras_errors import first_line
from netsurgery.keras_io.variables import variables
from netsurgery.networks.layers import Join, Other
from netsurgery.networks.network import Network
from netsurgery.storage.files import UnusableFileError

ROUNDING = 1e-5  # relative to the largest weight: what a constraint may move without effect
REPEATS = 5  # a norm close to zero needs more than one projection


def satisfy(network: Network, parent: Network, like: Sequence[Any]) -> tuple[Network, list[str]]:
    """The network with constrained weights projected, and the names of the layers that it changed.

    Args:
        network: after surgery.
        parent: before it; arrays that both share stay, whether they satisfy a constraint or not.
        like: for each layer of the network the Keras layer that it comes from, or None.

    Raises:
        UnusableFileError: a constraint does not accept weights of the new shape.
    """
    shared = {id(array) for arrays in parent.weights for array in arrays}
    changed, names = {}, []
    for i, (layer, old) in enumerate(zip(network.topology.layers, like, strict=True)):
        if old is None or isinstance(layer, Other | Join) or not old.trainable:
            continue
        held = [variable.constraint for variable in variables(old, layer)]
        held += [None] * (len(network.weights[i]) - len(held))  # a bias that the layer had not
        arrays = tuple(
            array if id(array) in shared else _project(constraint, array, old.name)
            for array, constraint in zip(network.weights[i], held, strict=True)
        )
        if any(new is not now for new, now in zip(arrays, network.weights[i], strict=True)):
            changed[i] = arrays
            names.append(old.name)
    return network.with_arrays(changed), names


def _project(constraint: Any, array: np.ndarray, layer: str) -> np.ndarray:
    """What a constraint makes of an array: the array itself if only rounding differs."""
    if constraint is None:
        return array
    now = array
    try:
        for _ in range(REPEATS):
            projected = np.asarray(constraint(keras.ops.convert_to_tensor(now)), array.dtype)
            moved = np.abs(projected - now).max(initial=0)
            if moved <= ROUNDING * np.abs(now).max(initial=0):
                break
            now = projected
    except Exception as failed:  # whatever a constraint of the user raises
        raise UnusableFileError(
            f"the constraint of layer {layer} does not accept weights of shape {array.shape}:"
            f" {first_line(failed)}"
        ) from None
    return now
