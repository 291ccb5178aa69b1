"""Read models and samples from a user's files, which are not trusted."""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from netsurgery.keras_io import archive, conversion
from netsurgery.storage.files import UnusableFileError

MAX_EXPANSION = 10  # unpacked size relative to the file's size ...
ALWAYS_ALLOWED = 10 * 2**23  # ... and the bytes that any file may unpack to
HDF5 = b"\x89HDF"
UNKNOWN_CODE = re.compile(r"Could not locate (?:class|function) '([^']+)'")


def read_model(path: Path, *, compiled: bool = True) -> keras.Sequential:
    """Read a model from a `.keras` file without executing any code from it.

    Args:
        path: of the file.
        compiled: whether to restore the compilation and the optimizer, too.

    Raises:
        UnusableFileError: there is no such file, it is no `.keras` file of a sequential model, or
            it needs code that is not part of Keras.
    """
    if not path.is_file():
        raise UnusableFileError(f"{path}: {'is a folder' if path.is_dir() else 'no such file'}")
    if lambdas := _lambdas(_config(path)):
        raise UnusableFileError(
            f"{path}: {', '.join(lambdas)} would execute Python code stored in the file"
        )
    try:
        model = _load(path, compiled)
        conversion.from_keras(model)
    except ValueError as unusable:
        raise UnusableFileError(f"{path}: {unusable}") from None
    return model


def _load(path: Path, compiled: bool) -> keras.Sequential:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters raises an error
            return archive.load(path, compiled=compiled)
    except Exception as failed:  # Keras raises many types
        why = _why(failed)
    if compiled:
        _load(path, compiled=False)
        why = f"its compilation cannot be restored (--uncompiled ignores it): {why}"
    raise UnusableFileError(why)


def _config(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as file:
            size = sum(member.file_size for member in file.infolist())
            bounded = size <= max(MAX_EXPANSION * path.stat().st_size, ALWAYS_ALLOWED)
            if bounded:
                return json.loads(file.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError):
        with path.open("rb") as file:
            old = file.read(len(HDF5)) == HDF5
        hint = ", but an older HDF5 file: load it with Keras and save it as .keras" if old else ""
        raise UnusableFileError(f"{path}: not a .keras file{hint}") from None
    raise UnusableFileError(
        f"{path}: would unpack to {size:,} bytes; Keras does not compress its files"
    )


def _lambdas(config: Any, owner: str = "the model") -> list[str]:
    """The names of the layers that contain Python code."""
    if isinstance(config, list):
        return [name for part in config for name in _lambdas(part, owner)]
    if not isinstance(config, dict):
        return []
    if config.get("class_name") == "__lambda__":
        return [owner]
    settings = config.get("config")
    if isinstance(settings, dict) and "name" in settings:
        owner = f"layer {settings['name']}"
    return [name for part in config.values() for name in _lambdas(part, owner)]


def _why(failed: Exception) -> str:
    """Why Keras cannot load a file, in one line."""
    text = str(failed)
    if own := UNKNOWN_CODE.search(text):
        return f"it uses {own[1]}, which is not part of Keras"
    return (
        f"Keras cannot load it: {text.strip().splitlines()[0] if text else type(failed).__name__}"
    )


def read_samples(path: Path) -> np.ndarray:
    """Read samples from a `.npy` file, or from the first array of a `.npz` file.

    Raises:
        UnusableFileError: there is no such file, or it does not contain numbers.
    """
    if not path.is_file():
        raise UnusableFileError(f"{path}: no such file")
    try:
        samples = np.load(path, allow_pickle=False)
        if isinstance(samples, np.lib.npyio.NpzFile):
            with samples:
                samples = samples[samples.files[0]]
    except (ValueError, OSError, IndexError, EOFError, zipfile.BadZipFile):
        raise UnusableFileError(f"{path}: not a .npy or .npz file of numbers") from None
    if not (samples.ndim and np.issubdtype(samples.dtype, np.number)):
        raise UnusableFileError(f"{path}: not a .npy or .npz file of numbers")
    return samples
