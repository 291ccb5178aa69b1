"""Preprocessing as Keras layers, so that a trained model takes data as its user has them."""

from __future__ import annotations

import keras
import numpy as np

from netsurgery.datasets import Scaling


def _scaling_layer(scaling: Scaling) -> keras.Layer:
    if not np.any(scaling.shift) and scaling.scale.ndim == 0:
        return keras.layers.Rescaling(float(scaling.scale), name="scaling")
    shift, scale = (np.ravel(values) for values in (scaling.shift, scaling.scale))
    return keras.layers.Normalization(
        axis=-1, mean=shift.tolist(), variance=(scale.astype(float) ** -2).tolist(), name="scaling"
    )


def with_scaling(model: keras.Sequential, scaling: Scaling) -> keras.Sequential:
    """The same model behind a layer that scales raw samples; weights are shared."""
    return keras.Sequential(
        [keras.Input(model.input_shape[1:], name="input"), _scaling_layer(scaling), *model.layers],
        name="model",
    )
