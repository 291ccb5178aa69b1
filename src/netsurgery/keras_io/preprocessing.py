"""Preprocessing as Keras layers, so that a trained model takes raw data.

Images enter as raw pixels. A table with numeric columns only enters as rows, (n, columns); one with
categories as a mapping from a column's name to its values, (n,) or (n, 1): numbers as floats (NaN
for a missing one) and categories as text (empty for a missing one). The outputs are class
probabilities, or targets in their own unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from netsurgery.datasets import Scaling
from netsurgery.datasets.columns import CATEGORY, NUMBER
from netsurgery.datasets.tables import LEVEL


def _scaling_layer(scaling: Scaling, name: str = "scaling", invert: bool = False) -> keras.Layer:
    if not np.any(scaling.shift) and scaling.scale.ndim == 0:
        return keras.layers.Rescaling(float(scaling.scale), name=name)
    shift, scale = (np.ravel(values).astype(float) for values in (scaling.shift, scaling.scale))
    return keras.layers.Normalization(
        axis=-1, mean=shift.tolist(), variance=(scale**-2.0).tolist(), invert=invert, name=name
    )


def _column_inputs(columns: Sequence[Mapping[str, Any]]) -> dict[str, keras.KerasTensor]:
    kinds = {NUMBER: "float32", CATEGORY: "string"}
    return {
        column["name"]: keras.Input(
            (1,), dtype=kinds[column["kind"]], name=column["name"].replace("/", "_")
        )
        for column in columns
    }


def _encoded(
    column: Mapping[str, Any], values: keras.KerasTensor
) -> tuple[list[keras.KerasTensor], dict[tuple[str, str | None], int]]:
    """All possible features of a column, (n, some), and the index of each feature among them."""
    if column["kind"] == NUMBER:
        is_missing = keras.ops.cast(keras.ops.isnan(values), "float32")
        return [values, is_missing], {(NUMBER, None): 0, ("missing", None): 1}
    one_hot = keras.layers.StringLookup(
        vocabulary=list(column["levels"]), output_mode="one_hot", num_oov_indices=1
    )(values)
    indices = {(LEVEL, level): i + 1 for i, level in enumerate(column["levels"])}
    return [one_hot], {("missing", None): 0, **indices}


def _table(data: Mapping[str, Any]) -> tuple[Any, keras.KerasTensor]:
    """The inputs of a table's model, and its unscaled features, (n, features)."""
    columns = data["columns"]
    if all(column["kind"] == NUMBER for column in columns):
        inputs = keras.Input((len(columns),), name="rows")
        values = {c["name"]: inputs[:, i : i + 1] for i, c in enumerate(columns)}
    else:
        inputs = values = _column_inputs(columns)
    encoded: list[keras.KerasTensor] = []
    indices: dict[tuple[str, str, str | None], int] = {}
    width = 0
    for column in columns:
        tensors, own = _encoded(column, values[column["name"]])
        indices |= {(column["name"], *key): width + index for key, index in own.items()}
        width += sum(tensor.shape[-1] for tensor in tensors)
        encoded += tensors
    chosen = [indices[f["column"], f["kind"], f["level"]] for f in data["features"]]
    joined = keras.layers.Concatenate(name="columns")(encoded)
    return inputs, keras.ops.take(joined, chosen, axis=1)


def with_preprocessing(
    network: keras.Model, data: Mapping[str, Any], scaling: Scaling, target: Scaling | None
) -> keras.Model:
    """A model that takes raw data; it shares the network's layers.

    Args:
        network: a Keras model that takes scaled samples.
        data: description of the prepared dataset.
        scaling: of the samples.
        target: scaling of a regression's targets; None for classes.
    """
    shape = tuple(data["shape"])
    layers = list(network.layers)
    if target is not None:
        layers.append(_scaling_layer(target, "unit", invert=True))
    elif network.layers[-1].activation is keras.activations.linear:
        layers.append(keras.layers.Softmax(name="probabilities"))
    if data["columns"]:
        inputs, x = _table(data)
        x = _scaling_layer(Scaling(scaling.shift.ravel(), scaling.scale.ravel()))(x)
        x = keras.ops.nan_to_num(x, nan=0.0)
        x = keras.layers.Reshape(shape)(x) if len(shape) > 1 else x
        for layer in layers:
            x = layer(x)
        return keras.Model(inputs, x, name="model")
    before = [keras.Input(shape, name="input"), _scaling_layer(scaling)]
    if data["resized"]:
        before[:1] = [
            keras.Input((None, None, shape[-1]), name="input"),
            keras.layers.Resizing(*shape[:2], antialias=True, name="resizing"),
        ]
    return keras.Sequential([*before, *layers], name="model")


def description(
    data: Mapping[str, Any], scaling: Scaling, target: Scaling | None
) -> dict[str, Any]:
    """The model's preprocessing, and what a Keras file cannot hold, such as class names.

    Args:
        data: description of the prepared dataset.
        scaling: of the samples: (value - shift) * scale.
        target: scaling of a regression's targets; None for classes.
    """

    def plain(scaling: Scaling) -> dict[str, Any]:
        return {"shift": scaling.shift.tolist(), "scale": scaling.scale.tolist()}

    chosen = ("name", "origin", "version", "task", "shape", "classes", "columns", "features")
    return {
        **{key: data[key] for key in chosen},
        "warnings": data.get("warnings", []),
        "scaling": plain(scaling),
        "target_scaling": None if target is None else plain(target),
    }
