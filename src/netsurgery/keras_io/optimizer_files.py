"""The state of an optimizer in a user's file, where Keras itself does not restore it.

Keras skips a state, with nothing but a warning, if it holds another number of variables than the
optimizer has after loading. This is so where layers were frozen after the model was compiled: the
optimizer then has slots for variables that are no longer trained. Of HDF5 files, Keras 3 restores
none but the counters.
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

HDF5_STATE = "optimizer_weights"  # in an HDF5 file of a whole model


def has_state(path: Path, model: keras.Model) -> bool:
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
    return _restore(model, state, thawed=False) or _restore(model, state, thawed=True)


def _restore(model: keras.Model, state: list[np.ndarray], *, thawed: bool) -> bool:
    """Give a model an optimizer with this state, if it fits the trainable or all layers."""
    optimizer = copy_optimizer(model.optimizer)
    trainable = [(layer, layer.trainable) for layer in model._flatten_layers()]
    if thawed:
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
    """The variables of the optimizer in a file, in Keras's order."""
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            group = file.get(HDF5_STATE, {})
            names = group.attrs["weight_names"] if group else []
            return [np.asarray(group[name]) for name in names]
    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read(WEIGHTS))
    with h5py.File(weights, "r") as file:
        variables = file.get(STATE, {})
        return [np.asarray(variables[str(i)]) for i in range(len(variables))]
