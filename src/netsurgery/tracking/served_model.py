"""The final model as MLflow's pyfunc and REST call it: it takes what users have at hand.

This module is copied into every logged model, so that the model needs no netsurgery where it is
served. It imports nothing else of the package. A model's `MLmodel` file says under `metadata` what
it takes:

    shape       of a sample; None: any size
    double      whether float32 cannot hold the inputs
    columns     of a table, in order: `name`, `input` (its name in Keras), `kind` (number or text)
    rows        whether Keras takes the columns of a table as one array
    missing     what means a missing number, besides what pandas takes for missing

A model of several inputs has `inputs` instead, a list of such descriptions, each with its `name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

INPUTS = "inputs"  # the key of the metadata


class ServedModel:
    """A Keras model that takes arrays of all numeric types, and tables by column.

    Args:
        model: with preprocessing.
        inputs: what it takes, see above.
    """

    def __init__(self, model: Any, inputs: Mapping[str, Any]) -> None:
        self.model, self.inputs = model, inputs

    def get_raw_model(self) -> Any:
        """The Keras model."""
        return self.model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Class probabilities or targets, (n, outputs).

        Args:
            data: an array (n, *shape) of numbers; for a table a data frame, or a mapping from
                columns to values, which may hold more columns in any order. A table of numbers may
                be an array, (n, columns), too. Of several inputs a mapping from their names to
                arrays, and from the columns of a table.
            params: unused; MLflow passes it.

        Returns:
            An array; for a data frame a data frame with its index.

        Raises:
            ValueError: a column is missing, or the shape or type is another one.
        """
        arrays = self._arrays(data)
        if self.inputs["double"]:  # Keras's `predict` rounds numbers to float32
            outputs = np.asarray(self.model(arrays))
        else:
            outputs = self.model.predict(arrays, verbose=0)
        return pd.DataFrame(outputs, index=data.index) if _is_frame(data) else outputs

    def _arrays(self, data: Any) -> Any:
        """The inputs as Keras takes them."""
        if "inputs" in self.inputs:
            return self._several(data)
        return self._columns(data) if self.inputs["columns"] else self._array(data)

    def _several(self, data: Any) -> dict[str, np.ndarray]:
        """Several inputs, by their names."""
        if not isinstance(data, Mapping):
            raise ValueError("the model takes several inputs: a mapping from names to arrays")
        found: dict[str, np.ndarray] = {}
        for described in self.inputs["inputs"]:
            name, part = described["name"], ServedModel(self.model, described)
            if not described["columns"] and name not in data:
                raise ValueError(f"the inputs lack {name}")
            given = data[name] if name in data else _columns_of(data)
            arrays = part._arrays(given)
            found |= arrays if isinstance(arrays, dict) else {name: arrays}
        return found

    def _array(self, data: Any) -> np.ndarray:
        """Samples as one array of numbers."""
        values = np.asarray(data)
        if values.dtype.kind not in "fiub":
            values = _floats(values)
        shape = (None, *self.inputs["shape"])
        pairs = zip(values.shape, shape, strict=False)
        if values.ndim != len(shape) or any(size not in (each, None) for each, size in pairs):
            wanted = ", ".join("any" if size is None else str(size) for size in shape[1:])
            raise ValueError(f"the inputs have the shape {values.shape}, not (samples, {wanted})")
        return values.astype(float) if self.inputs["double"] else values

    def _columns(self, data: Any) -> np.ndarray | dict[str, np.ndarray]:
        """A table as its model takes it."""
        columns = self.inputs["columns"]
        if not _is_frame(data) and not isinstance(data, Mapping):
            if not self.inputs["rows"]:
                raise ValueError("the model takes a table by column: a data frame or a mapping")
            return self._array(data)
        table = _table(data)
        # Keras's own names differ where a column's name has a slash
        names = {c["name"]: c["name"] if c["name"] in table else c["input"] for c in columns}
        if missing := [name for name, found in names.items() if found not in table]:
            raise ValueError(f"the inputs lack the columns {', '.join(missing)}")
        arrays = {
            column["input"]: self._column(column, table[names[column["name"]]])
            for column in columns
        }
        return np.stack(list(arrays.values()), axis=1) if self.inputs["rows"] else arrays

    def _column(self, column: Mapping[str, Any], values: pd.Series) -> np.ndarray:
        """The values of a column, (n,): numbers with NaN, or text that may be empty."""
        if column["kind"] == "text":
            texts = ["" if pd.isna(value) else str(value).strip() for value in values]
            return np.array(texts, dtype=object)
        if markers := self.inputs["missing"]:
            values = values.mask(values.isin(markers))
        try:
            return pd.to_numeric(values.astype(object)).astype(float).to_numpy()
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {column['name']}: {error}") from None


def _columns_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a table among several inputs: a value for each sample."""
    return {name: values for name, values in data.items() if np.asarray(values).ndim == 1}


def _is_frame(data: Any) -> bool:
    return isinstance(data, pd.DataFrame)


def _table(data: Any) -> pd.DataFrame:
    """A table with the names of columns as training knows them."""
    if not _is_frame(data):
        data = pd.DataFrame({name: _values(column) for name, column in data.items()})
    return data.rename(columns=lambda name: str(name).strip())


def _values(column: Any) -> list[Any]:
    """The values of a column: of an array (n,), or (n, 1) as Keras takes it, or of one row."""
    values = np.ravel(np.asarray(column, object))
    # MLflow makes an array of each value where some are missing
    return [each.item() if isinstance(each, np.ndarray) else each for each in values]


def _floats(values: np.ndarray) -> np.ndarray:
    """Numbers from an array of objects, as JSON gives it with missing values."""
    try:
        return values.astype(float)
    except (TypeError, ValueError):
        raise ValueError("the inputs are no array of numbers") from None


def _load_pyfunc(path: str) -> ServedModel:
    """Load the model in a folder; MLflow calls it."""
    import mlflow.keras
    from mlflow.models import Model

    return ServedModel(mlflow.keras.load_model(path), Model.load(path).metadata[INPUTS])
