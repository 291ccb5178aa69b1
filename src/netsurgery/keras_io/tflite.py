"""Export to TensorFlow Lite, checked against the Keras model's predictions."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from netsurgery.storage.files import atomic_path

TOLERANCE = 1e-4  # the largest accepted difference of an output, relative to the largest output
TINY = float(np.finfo(np.float32).tiny)
TABLE = "it takes several inputs, and only models of one input are exported"


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


def predict_tflite(content: bytes, x: np.ndarray) -> np.ndarray:
    """The predictions of a TensorFlow Lite model with one input and one output for a batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the interpreter's successor is a separate package
        interpreter = tf.lite.Interpreter(model_content=content)
    (entry,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(entry["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], x.astype(entry["dtype"]))
    interpreter.invoke()
    (leaving,) = interpreter.get_output_details()
    return interpreter.get_tensor(leaving["index"])


def not_exported(path: Path, why: str) -> dict[str, Any]:
    """Remove the file of an earlier export; the result is that of one that failed."""
    path.unlink(missing_ok=True)
    return {"file": path.name, "written": False, "why": why}


def export_tflite(model: keras.Model, path: Path, x: np.ndarray | None) -> dict[str, Any]:
    """Write a model for TensorFlow Lite if it can be converted and predicts the same.

    Args:
        model: takes raw samples.
        path: of the file.
        x: samples to compare predictions on; None if the model takes several arrays.

    Returns:
        Plain values: the file's name and, if it was written, its size in bytes and the largest
        difference of an output, relative to the largest output; otherwise the reason.
    """
    if x is None:
        return not_exported(path, TABLE)
    try:
        with own_temporary_files():
            content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
        predictions = predict_tflite(content, x)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[0][:200] if lines else ""
        return not_exported(path, f"TensorFlow Lite cannot convert it: {reason}")
    except Exception as error:  # the converter's own class is not public
        if type(error).__name__ != "ConverterError":
            raise
        return not_exported(path, "TensorFlow Lite does not support one of its operations")
    expected = np.asarray(model(x, training=False))
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
        "samples": len(x),
        "largest_difference": largest,
    }
