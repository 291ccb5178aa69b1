"""Export to TensorFlow Lite, checked against the Keras model's predictions."""

from __future__ import annotations

import contextlib
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.ops import convert_to_tensor

from netsurgery.datasets.source import Inputs
from netsurgery.storage.files import atomic_path

TOLERANCE = 1e-4  # the largest accepted difference of an output, relative to the largest output
TINY = float(np.finfo(np.float32).tiny)
TEXT = "it takes columns of text, which are not exported to TensorFlow Lite"


@contextlib.contextmanager
def own_temporary_files() -> Iterator[None]:
    """Write temporary files to a folder that is deleted at the end.

    TensorFlow's converter deletes its own only when the process ends, which a warm server's does
    not.
    """
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="netsurgery-") as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def input_names(model: keras.Model) -> dict[str, str]:
    """What the exported model calls each of several inputs: letters, digits and underscores."""
    found: dict[str, str] = {}
    for i, tensor in enumerate(model.inputs):
        plain = re.sub(r"\W", "_", tensor.name, flags=re.ASCII)
        known = plain in found.values() or not plain[:1].isalpha()
        found[tensor.name] = f"input_{i}_{plain}" if known else plain
    return found


def _converted(model: keras.Model, names: Mapping[str, str]) -> bytes:
    """The content of the exported file.

    Args:
        model: to export.
        names: of several inputs, see `input_names`; none for a model that takes one array.
    """
    if not names:
        return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    signature = [tf.TensorSpec(x.shape, x.dtype, name=names[x.name]) for x in model.inputs]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve", lambda *inputs: model(list(inputs), training=False), input_signature=signature
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def predict_tflite(content: bytes, x: Inputs) -> np.ndarray:
    """The predictions of a TensorFlow Lite model with one output for a batch.

    Args:
        content: of its file.
        x: (n, *shape), or of several inputs such an array of each, by the names of the exported
            model (see `input_names`).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the interpreter's successor is a separate package
        interpreter = tf.lite.Interpreter(model_content=content)
    runner = interpreter.get_signature_runner()
    details = runner.get_input_details()
    given = x if isinstance(x, dict) else {next(iter(details)): x}
    inputs = {name: values.astype(details[name]["dtype"]) for name, values in given.items()}
    (outputs,) = runner(**inputs).values()
    return np.asarray(outputs)


def not_exported(path: Path, why: str) -> dict[str, Any]:
    """Remove the file of an earlier export; the result is that of one that failed."""
    path.unlink(missing_ok=True)
    return {"file": path.name, "written": False, "why": why}


def export_tflite(model: keras.Model, path: Path, x: Inputs) -> dict[str, Any]:
    """Write a model for TensorFlow Lite if it can be converted and predicts the same.

    Args:
        model: takes raw samples.
        path: of the file.
        x: samples to compare predictions on, by input if the model has several.

    Returns:
        Plain values: the file's name and, if it was written, its size in bytes, the largest
        difference of an output, relative to the largest output, and what it calls several inputs;
        otherwise the reason.
    """
    if any(tensor.dtype == "string" for tensor in model.inputs):
        return not_exported(path, TEXT)
    names = input_names(model) if isinstance(x, dict) else {}
    try:
        with own_temporary_files():
            content = _converted(model, names)
        exported = {names[name]: x[name] for name in names} if isinstance(x, dict) else x
        predictions = predict_tflite(content, exported)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[0][:200] if lines else ""
        return not_exported(path, f"TensorFlow Lite cannot convert it: {reason}")
    except Exception as error:  # the converter's own class is not public
        if type(error).__name__ != "ConverterError":
            raise
        return not_exported(path, "TensorFlow Lite does not support one of its operations")
    entering = [convert_to_tensor(x[name]) for name in names] if isinstance(x, dict) else x
    expected = np.asarray(model(entering, training=False))
    largest = float(np.abs(predictions - expected).max() / max(np.abs(expected).max(), TINY))
    if not np.isfinite(largest):
        return not_exported(path, "its weights are not finite")
    if largest > TOLERANCE:
        return not_exported(path, f"its predictions would differ by {largest:.1e}")
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return {
        "file": path.name,
        "written": True,
        "bytes": len(content),
        "samples": len(predictions),
        "largest_difference": largest,
        **({"inputs": names} if names else {}),
    }
