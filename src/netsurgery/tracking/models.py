"""The final model as an MLflow model, written without loading it: its file is copied.

The result is that of `mlflow.keras.save_model`, with a loader of its own for pyfunc, so that
`mlflow models serve` accepts what `final/model.keras` accepts, and an example from the dataset.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema, TensorSpec

from netsurgery.datasets.columns import CATEGORY, NUMBER
from netsurgery.datasets.joined_inputs import description_of, input_name, parts_of
from netsurgery.datasets.prepared import describe, mapped
from netsurgery.datasets.table_features import LEVEL
from netsurgery.datasets.table_inputs import input_names, missing_markers, needs_double, takes_rows
from netsurgery.datasets.units import Units
from netsurgery.tracking import served_model
from netsurgery.tracking.mlflow_internals import save_model_files

EXAMPLES = 3  # samples in the example of the input
REQUIREMENTS = ("mlflow", "tensorflow", "keras", "numpy", "pandas")

LOADER = "netsurgery_model"  # the name of `served_model` in a logged model


def input_example(
    data: Mapping[str, Any], x: np.ndarray
) -> np.ndarray | pd.DataFrame | dict[str, np.ndarray]:
    """Inputs of the final model, from stored samples.

    Args:
        data: description of the prepared dataset.
        x: (n, *shape) samples.

    Returns:
        Images as they came, (n, *shape), or a table with the columns that the model needs; of
        several inputs a mapping from their names, and from the names of columns.
    """
    if data["inputs"]:
        return _example_of_inputs(data, x)
    units = Units.from_json(data["units"])
    values = np.array(x) if units is None else units.restore(x).astype(units.dtype)
    columns: Sequence[Mapping[str, Any]] = data["columns"]
    if not columns:
        return values
    rows = values.reshape(len(x), -1)
    return pd.DataFrame({c["name"]: _column_values(c, data["features"], rows) for c in columns})


def _example_of_inputs(data: Mapping[str, Any], x: np.ndarray) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for part in parts_of(data):
        own = description_of(data, part)
        values = x[:, part.start : part.stop].reshape(len(x), *part.shape)
        example = input_example(own, values.astype(own["type"]))
        if isinstance(example, pd.DataFrame):
            found |= {str(name): example[name].to_numpy() for name in example}
        else:
            found[input_name(data, part.name)] = np.asarray(example)
    return found


def _column_values(
    column: Mapping[str, Any], features: Sequence[Mapping[str, Any]], rows: np.ndarray
) -> np.ndarray:
    """The values of a column, (n,), from the features made of it."""
    own_features = [(i, f) for i, f in enumerate(features) if f["column"] == column["name"]]
    if column["kind"] == NUMBER:
        indices = [i for i, feature in own_features if feature["kind"] == NUMBER]
        return rows[:, indices[0]] if indices else np.zeros(len(rows))
    texts: list[str | None] = [None] * len(rows)
    for i, feature in own_features:
        for row in np.flatnonzero(rows[:, i]) if feature["kind"] == LEVEL else ():
            texts[row] = feature["level"]
    return np.array(texts, dtype=object)


def signature(data: Mapping[str, Any]) -> ModelSignature:
    """The signature of the final model: its outputs, class probabilities or targets.

    It says nothing about the inputs: MLflow would refuse arrays of any other type, such as float64
    for uint8, and cast the numbers of a request to it, 3.5 to 3. `served_model` checks the inputs.
    """
    units = Units.from_json(data.get("target_units"))
    dtype = np.dtype("float32" if units is None else units.dtype)
    return ModelSignature(outputs=Schema([TensorSpec(dtype, (-1, data["outputs"]))]))


def described_inputs(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the final model takes, for `served_model`.

    Args:
        data: description of the prepared dataset.
    """
    if data["inputs"]:
        parts = parts_of(data)
        own = [described_inputs(description_of(data, part)) for part in parts]
        named = [
            {**each, "name": input_name(data, part.name)}
            for part, each in zip(parts, own, strict=True)
        ]
        return {"inputs": named, "double": any(each["double"] for each in own)}
    columns = data["columns"]
    names = input_names(columns)
    shape = [len(columns)] if columns else list(data["shape"])
    if data["resized"]:
        shape[:2] = [None, None]
    return {
        "shape": shape,
        "double": needs_double(data),
        "columns": [
            {
                "name": column["name"],
                "input": names[column["name"]],
                "kind": "text" if column["kind"] == CATEGORY else "number",
            }
            for column in columns
        ],
        "rows": bool(columns) and takes_rows(data),
        "missing": missing_markers(data) if columns else [],
    }


def save(model: Path, data_folder: Path, folder: Path, **identity: str) -> None:
    """Write a Keras file as an MLflow model.

    Args:
        model: the file of the final model.
        data_folder: of the prepared dataset.
        folder: of the MLflow model; is created.
        identity: run_id and model_id in the store.
    """
    data = describe(data_folder)
    example = input_example(data, mapped(data_folder, "x")[:EXAMPLES])
    described = Model(**identity, metadata={served_model.INPUTS: described_inputs(data)})
    described.add_flavor(
        "keras",
        data="data",
        keras_version=importlib.metadata.version("keras"),
        keras_backend="tensorflow",
        save_exported_model=False,
    )
    requirements = [f"{name}=={importlib.metadata.version(name)}" for name in REQUIREMENTS]
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        loader = Path(temporary) / f"{LOADER}.py"
        shutil.copyfile(served_model.__file__, loader)
        save_model_files(described, folder, loader, signature(data), example, requirements)
    (folder / "data").mkdir()
    shutil.copyfile(model, folder / "data" / "model.keras")
    (folder / "data" / "keras_module.txt").write_text("keras", encoding="utf-8")
    described.model_size_bytes = model.stat().st_size
    described.save(str(folder / "MLmodel"))
