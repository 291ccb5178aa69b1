"""Where Keras's files of weights have the arrays of a layer that surgery keeps as it is.

Such a layer may hold other layers, in folders of its own folder. Only Keras knows which, so it
writes the layer with a number in place of each array.
"""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from netsurgery.keras_io import kept_calls
from netsurgery.keras_io.checkpoints import PATHS
from netsurgery.keras_io.kept_calls import Kept
from netsurgery.networks.layers import Arrays

FOLDER = "held"


class _Holder(keras.Model):
    """A model of one layer that need not be called."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.held = layer
        self.built = True


@lru_cache(maxsize=64)
def paths(layer: Kept) -> tuple[str, ...]:
    """The path of each array of a layer below the layer's folder, such as `cell/vars/0`."""
    made = kept_calls.make(layer)
    for number, variable in enumerate(made.variables):
        variable.assign(np.full(variable.shape, number, variable.dtype))
    found: dict[int, str] = {}

    def note(path: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            found[int(node[()].ravel()[0])] = path

    with tempfile.TemporaryDirectory(prefix="netsurgery-") as folder:
        file = Path(folder, "layer.weights.h5")
        _Holder(made.keras_layer).save_weights(file)
        with h5py.File(file) as content:
            if FOLDER in content:
                content[FOLDER].visititems(note)
    return tuple(found[number] for number in range(len(made.variables)))


def write(file: h5py.File, folder: str, name: str, layer: Kept, arrays: Arrays) -> None:
    """Write the arrays of a layer into its folder of a file of weights."""
    group, places = file.create_group(folder), paths(layer)
    group.attrs["name"], group.attrs[PATHS] = name, json.dumps(places)
    for path, array in zip(places, arrays, strict=True):
        group[path] = array
