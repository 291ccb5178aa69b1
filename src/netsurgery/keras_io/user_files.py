"""Read models and samples from a user's files, which are not trusted."""

from __future__ import annotations

import contextlib
import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from netsurgery.keras_io import archive, conversion, file_kinds, optimizer_files
from netsurgery.keras_io.archive import CONFIG, METADATA
from netsurgery.keras_io.keras_errors import first_line
from netsurgery.storage.files import UnusableFileError

MAX_EXPANSION = 10  # unpacked size relative to the file's size ...
ALWAYS_ALLOWED = 10 * 2**23  # ... and the bytes that any file may unpack to
UNKNOWN_CODE = re.compile(r"Could not locate (?:class|function) '([^']+)'")


def read_model(path: Path, *, compiled: bool = True) -> keras.Model:
    """Read a model that surgery can use, see `read_any_model`.

    Raises:
        UnusableFileError: there is no such file, it is none of a model that surgery can use, it
            needs code that is not part of Keras, or its optimizer's state cannot be restored.
    """
    model = read_any_model(path, compiled=compiled)
    try:
        conversion.from_keras(model)
    except ValueError as unusable:
        raise UnusableFileError(f"{path}: {unusable}") from None
    return model


def read_any_model(path: Path, *, compiled: bool = True) -> keras.Model:
    """Read a model from a `.keras` or HDF5 file without executing any code from it.

    Args:
        path: of the file.
        compiled: whether to restore the compilation and the optimizer, too.

    Raises:
        UnusableFileError: there is no such file, it is none of a Keras model, it needs code that is
            not part of Keras, or its optimizer's state cannot be restored.
    """
    if path.is_dir():
        raise UnusableFileError(f"{path}: {file_kinds.describe_folder(path)}")
    if not path.is_file():
        raise UnusableFileError(f"{path}: no such file")
    is_hdf5 = file_kinds.is_hdf5_model(path)
    config, metadata = _read_hdf5(path) if is_hdf5 else _read_json(path)
    if lambdas := _lambdas(config):
        raise UnusableFileError(
            f"{path}: {', '.join(lambdas)} would execute Python code stored in the file"
        )
    if not is_hdf5 and file_kinds.is_of_keras_2(config, metadata):
        raise UnusableFileError(f"{path}: a file of Keras 2: {file_kinds.FROM_KERAS_2}")
    try:
        return _load(path, compiled, metadata)
    except ValueError as unusable:
        raise UnusableFileError(f"{path}: {unusable}") from None


def _load(path: Path, compiled: bool, metadata: Mapping[str, Any]) -> keras.Model:
    load = archive.load_hdf5 if file_kinds.is_hdf5_model(path) else archive.load
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters raises an error
            model = load(path, compiled=compiled)
    except Exception as failed:  # Keras raises many types
        why = _why(failed, metadata)
    else:
        if not compiled or optimizer_files.has_state(path, model):
            return model
        why = "the state of its optimizer does not fit its trainable layers"
    if compiled:
        _load(path, False, metadata)
        why = f"its compilation cannot be restored (--uncompiled ignores it): {why}"
    raise UnusableFileError(why)


def _read_hdf5(path: Path) -> tuple[Any, dict[str, Any]]:
    """The configuration and the version of Keras in an HDF5 file."""
    with h5py.File(path, "r") as file:
        try:
            config = json.loads(file.attrs["model_config"])
        except ValueError:
            raise UnusableFileError(f"{path}: its model_config is no JSON") from None
        return config, {"keras_version": file.attrs.get("keras_version", keras.__version__)}


def _read_json(path: Path) -> tuple[Any, dict[str, Any]]:
    """The configuration and the metadata in a `.keras` file."""
    try:
        with zipfile.ZipFile(path) as file:
            size = sum(member.file_size for member in file.infolist())
            bounded = size <= max(MAX_EXPANSION * path.stat().st_size, ALWAYS_ALLOWED)
            if bounded:
                names = file.namelist()
                metadata = json.loads(file.read(METADATA)) if METADATA in names else {}
                return json.loads(file.read(CONFIG)), dict(metadata)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, RuntimeError):
        raise UnusableFileError(f"{path}: {file_kinds.describe_file(path)}") from None
    raise UnusableFileError(
        f"{path}: would unpack to {size:,} bytes; Keras does not compress its files"
    )


def _lambdas(config: Any, owner: str = "the model") -> list[str]:
    """The names of the layers that contain Python code."""
    if isinstance(config, list):
        return [name for part in config for name in _lambdas(part, owner)]
    if not isinstance(config, dict):
        return []
    settings = config.get("config")
    settings = settings if isinstance(settings, dict) else {}
    if "name" in settings:
        owner = f"layer {settings['name']}"
    kind, function = config.get("class_name"), settings.get("function")
    if kind == "__lambda__" or (kind == "Lambda" and isinstance(function, list)):  # of Keras 2
        return [owner]
    return [name for part in config.values() for name in _lambdas(part, owner)]


def _why(failed: Exception, metadata: Mapping[str, Any]) -> str:
    """Why Keras cannot load a file, in one line."""
    if own := UNKNOWN_CODE.search(str(failed)):
        return f"it uses {own[1]}, which is not part of Keras"
    version = str(metadata.get("keras_version", keras.__version__))
    newer = "" if version == keras.__version__ else f" (a file of Keras {version})"
    return f"Keras {keras.__version__} cannot load it{newer}: {first_line(failed)}"


def read_samples(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    """Read samples from a `.npy` file, or the arrays of a `.npz` file by their names.

    Raises:
        UnusableFileError: there is no such file, or it does not contain numbers.
    """
    if not path.is_file():
        raise UnusableFileError(f"{path}: no such file")
    try:
        samples = np.load(path, allow_pickle=False)
        if isinstance(samples, np.lib.npyio.NpzFile):
            with samples:
                samples = dict(_arrays_of_numbers(samples))
    except (ValueError, OSError, EOFError, zipfile.BadZipFile):
        raise UnusableFileError(f"{path}: not a .npy or .npz file of numbers") from None
    if not (samples if isinstance(samples, dict) else _holds_numbers(samples)):
        raise UnusableFileError(f"{path}: not a .npy or .npz file of numbers")
    return samples


def _arrays_of_numbers(file: np.lib.npyio.NpzFile) -> Iterator[tuple[str, np.ndarray]]:
    for name in file.files:
        with contextlib.suppress(ValueError):  # of Python objects
            if _holds_numbers(array := file[name]):
                yield name, array


def _holds_numbers(samples: np.ndarray) -> bool:
    return samples.ndim > 0 and samples.dtype.kind in "biuf"
