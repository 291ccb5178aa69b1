"""The state of an optimizer in a `.keras` file, where Keras itself does not restore it.

Keras skips a state, with nothing but a warning, if it holds another number of variables than the
optimizer has after loading. This is so where layers were frozen after the model was compiled: the
optimizer then has slots for variables that are no longer trained.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from netsurgery.keras_io.checkpoints import STATE, WEIGHTS
from netsurgery.keras_io.compilation import copy_optimizer


def has_state(path: Path, model: keras.Sequential) -> bool:
    """Whether a model that Keras loaded has the optimizer's state; restores it if Keras did not.

    Args:
        path: of the file.
        model: the compiled model.
    """
    if getattr(model, "optimizer", None) is None:
        return True
    state = _read_state(path)
    if len(state) == len(model.optimizer.variables) or not any(array.ndim for array in state):
        return True  # loaded, or never trained
    optimizer = copy_optimizer(model.optimizer)
    trainable = [(layer, layer.trainable) for layer in model._flatten_layers()]
    for layer, _ in trainable:
        layer.trainable = True
    optimizer.build(model.trainable_variables)
    for layer, was_trainable in trainable:  # outer ones first, as they set the inner ones
        layer.trainable = was_trainable
    if [tuple(v.shape) for v in optimizer.variables] != [array.shape for array in state]:
        return False
    for variable, array in zip(optimizer.variables, state, strict=True):
        variable.assign(array)
    model.optimizer = optimizer
    return True


def _read_state(path: Path) -> list[np.ndarray]:
    """The variables of the optimizer in a `.keras` file, in Keras's order."""
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read(WEIGHTS))
    with h5py.File(weights, "r") as file:
        variables = file.get(STATE, {})
        return [np.asarray(variables[str(i)]) for i in range(len(variables))]
