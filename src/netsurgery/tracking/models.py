"""The final model as an MLflow model, made without loading it: its file goes in as it is.

What `mlflow.keras.save_model` would write, with a signature and an example of the input from the
data, so that `mlflow models serve` takes what `final/model.keras` takes.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from mlflow import pyfunc
from mlflow.models import Model, ModelSignature
from mlflow.models.utils import _save_example
from mlflow.types import Schema, TensorSpec
from mlflow.utils.environment import _mlflow_conda_env, _PythonEnv

from netsurgery.datasets.columns import NUMBER
from netsurgery.datasets.prepared import describe, mapped
from netsurgery.datasets.tables import LEVEL

EXAMPLES = 3
NEEDED = ("mlflow", "tensorflow", "keras", "numpy", "pandas")

Inputs = np.ndarray | dict[str, np.ndarray]


def example(data: Mapping[str, Any], x: np.ndarray) -> Inputs:
    """What the final model takes, from samples as they are stored.

    Args:
        data: description of the prepared dataset.
        x: (n, *shape) samples.

    Returns:
        Images as they are, (n, *shape); rows of a table whose columns are all numbers, (n,
        columns); else (n, 1) by column.
    """
    columns: Sequence[Mapping[str, Any]] = data["columns"]
    if not columns:
        return np.array(x)
    rows = x.reshape(len(x), -1)
    values = {column["name"]: _values(column, data["features"], rows) for column in columns}
    if all(column["kind"] == NUMBER for column in columns):
        return np.concatenate(list(values.values()), axis=1)
    return values


def _values(
    column: Mapping[str, Any], features: Sequence[Mapping[str, Any]], rows: np.ndarray
) -> np.ndarray:
    """A column's values, (n, 1), from the features made of it."""
    own = [(i, f) for i, f in enumerate(features) if f["column"] == column["name"]]
    if column["kind"] == NUMBER:
        places = [i for i, feature in own if feature["kind"] == NUMBER]
        found = rows[:, places[0]] if places else np.zeros(len(rows))
        return found[:, None].astype(np.float32)
    texts = [""] * len(rows)
    for i, feature in own:
        for row in np.flatnonzero(rows[:, i]) if feature["kind"] == LEVEL else ():
            texts[row] = feature["level"]
    return np.array(texts, dtype=object)[:, None]


def signature(data: Mapping[str, Any], inputs: Inputs) -> ModelSignature:
    """What goes in and what comes out: probabilities of the classes, or targets."""

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
    outputs = TensorSpec(np.dtype(np.float32), (-1, data["outputs"]))
    return ModelSignature(inputs=Schema(specs), outputs=Schema([outputs]))


def write(model: Path, data_folder: Path, folder: Path, **identity: str) -> None:
    """Write a Keras file as an MLflow model.

    Args:
        model: the final model's file.
        data_folder: of the prepared dataset.
        folder: to be made.
        identity: run_id and model_id, where it is in a store.
    """
    data = describe(data_folder)
    inputs = example(data, mapped(data_folder, "x")[:EXAMPLES])
    (folder / "data").mkdir(parents=True)
    shutil.copyfile(model, folder / "data" / "model.keras")
    (folder / "data" / "keras_module.txt").write_text("keras", encoding="utf-8")
    described = Model(**identity)
    described.signature = signature(data, inputs)
    _save_example(described, inputs, str(folder))
    described.add_flavor(
        "keras",
        data="data",
        keras_version=importlib.metadata.version("keras"),
        keras_backend="tensorflow",
        save_exported_model=False,
    )
    needed = [f"{name}=={importlib.metadata.version(name)}" for name in NEEDED]
    pyfunc.add_to_model(
        described,
        loader_module="mlflow.keras",
        conda_env="conda.yaml",
        python_env="python_env.yaml",
    )
    (folder / "requirements.txt").write_text("\n".join(needed) + "\n", encoding="utf-8")
    environment = _mlflow_conda_env(additional_pip_deps=needed, install_mlflow=False)
    (folder / "conda.yaml").write_text(yaml.safe_dump(environment), encoding="utf-8")
    _PythonEnv.current().to_yaml(str(folder / "python_env.yaml"))
    described.model_size_bytes = model.stat().st_size
    described.save(str(folder / "MLmodel"))
