"""What a file that is no `.keras` file is, and what its owner can do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

HDF5 = b"\x89HDF"
SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")
OF_KERAS_2 = "keras_metadata.pb"  # in a SavedModel folder: the layers, which TFSMLayer ignores
SAVE_ITSELF = (
    "save the model itself, where it was made, with model.save('model.keras') instead of"
    " model.export or tf.saved_model.save"
)
FROM_KERAS_2 = (
    "load it with Keras 2 (TensorFlow 2.15, or the package tf_keras), save it as .h5, and convert"
    " this with Keras 3: keras.models.load_model('model.h5').save('model.keras')"
)


def describe_folder(path: Path) -> str:
    """What a folder is that should be a model."""
    if (path / OF_KERAS_2).is_file():
        return f"a SavedModel folder of Keras 2, which Keras 3 cannot read: {FROM_KERAS_2}"
    if any((path / name).is_file() for name in SAVED_MODEL):
        return f"a SavedModel folder, which holds no layers of Keras: {SAVE_ITSELF}"
    return "is a folder"


def describe_file(path: Path) -> str:
    """What a file is that Keras did not write as `.keras`."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(HDF5):
        return f"not a .keras file, {_describe_hdf5(path)}"
    if start[4:] == b"TFL3":
        return "not a .keras file, but a TensorFlow Lite model, which cannot be converted back"
    if start.startswith(b"PK"):
        return "not a .keras file, but another zip archive"
    return "not a .keras file"


def is_hdf5_model(path: Path) -> bool:
    """Whether a file is an HDF5 file of a whole Keras model."""
    try:
        with h5py.File(path, "r") as file:
            return "model_config" in file.attrs
    except OSError:
        return False


def _describe_hdf5(path: Path) -> str:
    try:
        h5py.File(path, "r").close()
    except OSError:
        return "but a damaged HDF5 file"
    return (
        "but an HDF5 file of weights only: build the model in Python, load_weights, and save it"
        " as .keras"
    )


def is_of_keras_2(config: Any, metadata: Mapping[str, Any]) -> bool:
    """Whether Keras 2 wrote a `.keras` file, by its configuration and metadata."""
    return str(metadata.get("keras_version", "")).startswith("2.") or _has_key(
        config, "batch_input_shape"
    )


def _has_key(value: Any, key: str) -> bool:
    if isinstance(value, dict):
        return key in value or any(_has_key(part, key) for part in value.values())
    return isinstance(value, list) and any(_has_key(part, key) for part in value)
