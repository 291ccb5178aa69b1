"""`.keras` files: the same model gives the same file, byte for byte.

Keras writes dates and memory addresses into its archives; `save` removes them, and
`write_checkpoint` writes the same file without building a Keras model.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import keras

from netsurgery.keras_io import kept_files
from netsurgery.keras_io.checkpoints import (
    LAYERS,
    STATE,
    VARIABLES,
    WEIGHTS,
    Checkpoint,
    layer_name,
)
from netsurgery.keras_io.layers_to_keras import to_keras_layer
from netsurgery.keras_io.model_config import MODEL_NAME, folders, model_config
from netsurgery.keras_io.serialization import without_addresses
from netsurgery.networks.layers import Arrays, KeptJoin, Other
from netsurgery.storage.files import atomic_path

FIXED_DATE = (1980, 1, 1, 0, 0, 0)
SHORT_NAMES = ("mse", "mae", "mape", "msle", "bce", "kld")
METADATA, CONFIG = "metadata.json", "config.json"  # in the archive


def save(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file atomically, with the optimizer's state if the model is compiled."""
    with tempfile.TemporaryDirectory(prefix="netsurgery-") as folder:
        raw = os.path.join(folder, "model.keras")
        model.save(raw)
        archive = io.BytesIO()
        with zipfile.ZipFile(raw) as source, zipfile.ZipFile(archive, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                if name.endswith(".json"):
                    fields = without_addresses(json.loads(content))
                    fields.pop("date_saved", None)
                    content = json.dumps(fields).encode()
                target.writestr(zipfile.ZipInfo(name, FIXED_DATE), content)
    with atomic_path(path) as temporary:
        temporary.write_bytes(archive.getvalue())


def _write_group(file: h5py.File, folder: str, name: str, arrays: Arrays) -> None:
    group = file.create_group(folder)
    group.attrs["name"] = name
    for i, array in enumerate(arrays):
        group[str(i)] = array


def write_checkpoint(path: Path, checkpoint: Checkpoint, compiled: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically, without building a Keras model.

    The file is the one that `save` would write of the compiled model, with its optimizer's state.

    Args:
        path: of the `.keras` file.
        checkpoint: the network and its optimizer's state.
        compiled: Keras's optimizer, loss and metrics, as `compile` takes them.
    """
    network, topology = checkpoint.network, checkpoint.network.topology
    layers = [
        to_keras_layer(layer, layer_name(topology, i), topology.input_shapes[i])
        for i, layer in enumerate(topology.layers)
    ]
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        _write_group(file, "vars", MODEL_NAME, ())
        for position, folder in folders(topology, layers).items():
            layer, arrays = topology.layers[position], network.weights[position]
            name, place = layers[position].name, f"{LAYERS}/{folder}"
            if isinstance(layer, Other | KeptJoin):
                kept_files.write(file, place, name, layer, arrays)
            elif arrays:
                _write_group(file, f"{place}/{VARIABLES}", name, arrays)
        _write_group(file, STATE, compiled["optimizer"].name, checkpoint.state)
    content: dict[str, str | bytes] = {
        METADATA: json.dumps({"keras_version": keras.__version__}),
        CONFIG: json.dumps(model_config(topology, layers, compiled)),
        WEIGHTS: weights.getvalue(),
    }
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, value in content.items():
            archive.writestr(zipfile.ZipInfo(name, FIXED_DATE), value)


def load_hdf5(path: Path, *, compiled: bool = True) -> keras.Model:
    """Read a model from an HDF5 file in Keras's safe mode; see `load`.

    Keras chooses the format by the name of a file, which a user may have changed. It also writes
    short names of losses and metrics that it does not read again.
    """
    short = {name: keras.losses.get(name) for name in SHORT_NAMES}
    with tempfile.TemporaryDirectory(prefix="netsurgery-") as folder:
        link = Path(folder, "model.h5")
        link.symlink_to(path.resolve())
        return keras.models.load_model(link, short, compile=compiled, safe_mode=True)


def load(path: Path, *, compiled: bool = True) -> keras.Model:
    """Read a `.keras` file in Keras's safe mode, by default compiled as when it was saved.

    Keras gives a loaded model the global dtype policy instead of its own. Under `mixed_float16`
    this policy decides whether the optimizer scales the loss, and so which state it has.
    """
    before = keras.config.dtype_policy()
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read(CONFIG))
    policy = keras.dtype_policies.get(config["config"].get("dtype"))
    try:
        if type(policy) is keras.DTypePolicy:  # others are those of quantized layers
            keras.config.set_dtype_policy(policy)
        return keras.models.load_model(path, safe_mode=True, compile=compiled)
    finally:
        keras.config.set_dtype_policy(before)
