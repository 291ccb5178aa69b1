"""The final model as an MLflow model, written without loading it: its file is copied.

The result is that of `mlflow.keras.save_model`, with a signature and an example of the input from
the dataset, so that `mlflow models serve` accepts what `final/model.keras` accepts.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema, TensorSpec

from netsurgery.datasets.columns import CATEGORY, NUMBER
from netsurgery.datasets.prepared import describe, mapped
from netsurgery.datasets.table_inputs import column_dtype, input_names, takes_rows
from netsurgery.datasets.tables import LEVEL
from netsurgery.datasets.units import Units
from netsurgery.tracking.mlflow_internals import save_model_files

EXAMPLES = 3  # samples in the example of the input
REQUIREMENTS = ("mlflow", "tensorflow", "keras", "numpy", "pandas")

Inputs = np.ndarray | dict[str, np.ndarray]


def input_example(data: Mapping[str, Any], x: np.ndarray) -> Inputs:
    """Inputs of the final model, from stored samples.

    Args:
        data: description of the prepared dataset.
        x: (n, *shape) samples.

    Returns:
        Images as they came, (n, *shape); for a table that enters as rows (n, columns); for any
        other table (n, 1) by the name of a column's input.
    """
    units = Units.from_json(data["units"])
    values = np.array(x) if units is None else units.restore(x).astype(units.dtype)
    columns: Sequence[Mapping[str, Any]] = data["columns"]
    if not columns:
        return values
    rows = values.reshape(len(x), -1)
    names = input_names(columns)
    arrays = {
        names[column["name"]]: _column_values(column, data["features"], rows).astype(
            object if column["kind"] == CATEGORY else column_dtype(column, data)
        )
        for column in columns
    }
    return np.concatenate(list(arrays.values()), axis=1) if takes_rows(data) else arrays


def _column_values(
    column: Mapping[str, Any], features: Sequence[Mapping[str, Any]], rows: np.ndarray
) -> np.ndarray:
    """The values of a column, (n, 1), from the features made of it."""
    own_features = [(i, f) for i, f in enumerate(features) if f["column"] == column["name"]]
    if column["kind"] == NUMBER:
        indices = [i for i, feature in own_features if feature["kind"] == NUMBER]
        numbers = rows[:, indices[0]] if indices else np.zeros(len(rows))
        return numbers[:, None]
    texts = [""] * len(rows)
    for i, feature in own_features:
        for row in np.flatnonzero(rows[:, i]) if feature["kind"] == LEVEL else ():
            texts[row] = feature["level"]
    return np.array(texts, dtype=object)[:, None]


def signature(data: Mapping[str, Any], inputs: Inputs) -> ModelSignature:
    """The signature of the final model; its outputs are class probabilities, or targets."""

    def spec(values: np.ndarray, name: str | None = None) -> TensorSpec:
        shape = [-1, *values.shape[1:]]
        if data["resized"]:
            shape[1:3] = [-1, -1]
        kind = np.dtype(str) if values.dtype == object else values.dtype
        return TensorSpec(kind, shape, name)

    if isinstance(inputs, dict):
        specs = [spec(values, name) for name, values in inputs.items()]
    else:
        specs = [spec(inputs)]
    units = Units.from_json(data.get("target_units"))
    dtype = np.dtype("float32" if units is None else units.dtype)
    outputs = TensorSpec(dtype, (-1, data["outputs"]))
    return ModelSignature(inputs=Schema(specs), outputs=Schema([outputs]))


def save(model: Path, data_folder: Path, folder: Path, **identity: str) -> None:
    """Write a Keras file as an MLflow model.

    Args:
        model: the file of the final model.
        data_folder: of the prepared dataset.
        folder: of the MLflow model; is created.
        identity: run_id and model_id in the store.
    """
    data = describe(data_folder)
    inputs = input_example(data, mapped(data_folder, "x")[:EXAMPLES])
    described = Model(**identity)
    described.add_flavor(
        "keras",
        data="data",
        keras_version=importlib.metadata.version("keras"),
        keras_backend="tensorflow",
        save_exported_model=False,
    )
    requirements = [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS]
    folder.mkdir(parents=True)
    save_model_files(described, folder, signature(data, inputs), inputs, requirements)
    (folder / "data").mkdir()
    shutil.copyfile(model, folder / "data" / "model.keras")
    (folder / "data" / "keras_module.txt").write_text("keras", encoding="utf-8")
    described.model_size_bytes = model.stat().st_size
    described.save(str(folder / "MLmodel"))
