"""The variables of Keras layers, and their values."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from netsurgery.keras_io import kept_layers
from netsurgery.networks.layers import KeptJoin, Layer, Other


def variables(keras_layer: keras.Layer, layer: Layer) -> list[Any]:
    """A Keras layer's variables in the order of `Network.weights`, trainable ones first."""
    if isinstance(layer, Other | KeptJoin):
        return kept_layers.variables(keras_layer)
    # in this order also if the layer is frozen; an operation such as `x + y` has none
    return getattr(keras_layer, "weights", [])


def to_array(variable: Any) -> np.ndarray:
    """The value of a Keras variable; half precision, which numpy cannot compute in, as float32."""
    array = np.asarray(variable)
    return array.astype(np.float32) if "float16" in array.dtype.name else array
