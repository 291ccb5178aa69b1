"""The final model in other forms than Keras's, and whether they predict the same."""

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

TOLERANCE = 1e-4  # the largest difference of an output that passes as the same
TABLE = "it takes columns by name, which TensorFlow Lite has no form for"


@contextlib.contextmanager
def own_temporary_files() -> Iterator[None]:
    """Have temporary files in a folder that goes in the end.

    TensorFlow's converter leaves some for when the process ends, which is not told to a warm one.
    """
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="netsurgery-") as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def predict_lite(content: bytes, x: np.ndarray) -> np.ndarray:
    """What a TensorFlow Lite model with one input and one output gives for a batch of samples."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the interpreter's successor is a package of its own
        interpreter = tf.lite.Interpreter(model_content=content)
    (entry,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(entry["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], x.astype(entry["dtype"]))
    interpreter.invoke()
    (leaving,) = interpreter.get_output_details()
    return interpreter.get_tensor(leaving["index"])


def to_lite(model: keras.Model, path: Path, x: np.ndarray | None) -> dict[str, Any]:
    """Write a model for TensorFlow Lite, if that can hold it and then predicts the same.

    Args:
        model: takes raw samples.
        path: of the file.
        x: samples to compare predictions on; None if they are not one array.

    Returns:
        Plain values: the file's name and, if it was written, its bytes and the largest difference
        of an output; else why it was not.
    """
    path.unlink(missing_ok=True)
    known = {"file": path.name, "written": False}
    if x is None:
        return known | {"why": TABLE}
    try:
        with own_temporary_files():
            content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
        found = predict_lite(content, x)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        return known | {
            "why": f"TensorFlow Lite does not hold it: {lines[0][:200] if lines else ''}"
        }
    except Exception as error:  # the converter's own class is not public
        if type(error).__name__ != "ConverterError":
            raise
        return known | {"why": "TensorFlow Lite has no form for one of its operations"}
    largest = float(np.abs(found - np.asarray(model(x, training=False))).max())
    if not np.isfinite(largest):
        return known | {"why": "its weights are not finite"}
    if largest > TOLERANCE:
        return known | {"why": f"its predictions would differ by {largest:.1e}"}
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return {
        "file": path.name,
        "written": True,
        "bytes": len(content),
        "samples": len(x),
        "largest_difference": largest,
    }
