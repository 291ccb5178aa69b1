"""Preprocessing as Keras layers, so that a trained model takes raw data.

Images enter as raw pixels, tables as `netsurgery.datasets.table_inputs` describes. The outputs are
probabilities of classes or labels, or targets in their own unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from netsurgery.datasets import Scaling
from netsurgery.datasets.columns import CATEGORY, NUMBER
from netsurgery.datasets.dates import levels_of
from netsurgery.datasets.joined_inputs import description_of, input_name, parts_of
from netsurgery.datasets.table_features import CODE, LEVEL, MISSING, WAVE
from netsurgery.datasets.table_inputs import (
    column_dtype,
    input_names,
    needs_double,
    spellings,
    takes_rows,
)
from netsurgery.datasets.units import LARGEST, SMALLEST, Units
from netsurgery.keras_io import functional
from netsurgery.networks.layers import InputPart

PROBABILITIES, TARGET_UNIT = "probabilities", "unit"  # first layers after the network
DESCRIBED = (
    "name",
    "origin",
    "version",
    "settings",
    "task",
    "parts",
    "shape",
    "type",
    "missing",
    "resized",
    "outputs",
    "classes",
    "file_columns",
    "targets",
    "class_counts",
    "labels",
    "label_counts",
    "range",
    "target_range",
    "target_ranges",
    "table",
    "columns",
    "features",
    "reading",
    "units",
    "target_units",
    "inputs",
)


def _in_range(scaling: Scaling) -> Scaling:
    """The same scaling, with deviations far from 1 as units: Keras takes 1e-7 for the smallest.

    Units are rare: they are those of all values, and the deviation is that of the training samples.
    """
    deviation = 1 / scaling.scale.astype(np.float64)
    extreme = (deviation < SMALLEST) | (deviation > LARGEST)
    if not extreme.any() or not scaling.scale.ndim:
        return scaling
    _, exponent = np.frexp(np.where(extreme, deviation, 1.0))
    factor = np.where(extreme, np.ldexp(1.0, exponent - 1), 1.0)
    units = (scaling.units or Units.none(factor.shape)).times(factor)
    shift, scale = scaling.shift / factor, scaling.scale * factor
    return Scaling(shift, scale, scaling.missing, units)


def _scaling_layers(scaling: Scaling, prefix: str = "") -> list[keras.Layer]:
    """Layers that scale values as they were before they were stored."""
    scaling = _in_range(scaling)
    layers = [] if scaling.units is None else [_storing_layer(scaling.units, prefix)]
    if not np.any(scaling.shift) and scaling.scale.ndim == 0:
        return [*layers, keras.layers.Rescaling(float(scaling.scale), name=f"{prefix}scaling")]
    return [*layers, _normalization(scaling, name=f"{prefix}scaling")]


def _inputs_of_rows(x: keras.KerasTensor, scaling: Scaling) -> keras.KerasTensor:
    """The inputs of a network whose numbers enter in pieces, of rows (n, columns).

    The smallest and the largest number of float32 keep values that are no bins as they are.
    """
    pieces = scaling.pieces
    assert pieces is not None
    if scaling.units is not None:
        x = keras.ops.cast(_storing_layer(scaling.units, "")(x), "float32")
    x = keras.ops.take(x, pieces.columns, axis=-1)
    x = keras.ops.multiply(keras.ops.subtract(x, scaling.shift), scaling.scale)
    lowest, highest = (np.finfo(np.float32).min, 0.0), (np.finfo(np.float32).max, 1.0)
    lower, upper = (np.where(pieces.bins, own, any_) for any_, own in (lowest, highest))
    x = keras.ops.maximum(x, lower.astype(np.float32))
    return keras.ops.minimum(x, upper.astype(np.float32))


def _target_layers(scaling: Scaling) -> list[keras.Layer]:
    """Layers that invert the scaling of targets."""
    scaling = _in_range(scaling)
    layers: list[keras.Layer] = [_normalization(scaling, name=TARGET_UNIT, invert=True)]
    if units := scaling.units:
        layers.append(_rescaling(units.unit, units.offset, "target_units", units.dtype))
    return layers


def _normalization(scaling: Scaling, name: str, invert: bool = False) -> keras.Layer:
    shift, scale = (np.ravel(values).astype(float) for values in (scaling.shift, scaling.scale))
    return keras.layers.Normalization(
        axis=-1, mean=shift.tolist(), variance=(scale**-2.0).tolist(), invert=invert, name=name
    )


def _storing_layer(units: Units, prefix: str) -> keras.Layer:
    """A layer that brings values to the units in which they are stored for training."""
    offset = -units.offset / units.unit
    return _rescaling(1 / units.unit, offset, f"{prefix}units", units.dtype)


def _rescaling(scale: np.ndarray, offset: np.ndarray, name: str, dtype: str) -> keras.Layer:
    # Keras reads lists as float32, arrays as they are
    return keras.layers.Rescaling(scale.ravel(), offset.ravel(), name=name, dtype=dtype)


def _column_inputs(data: Mapping[str, Any]) -> dict[str, keras.KerasTensor]:
    """The input of each column, by the column's name."""
    names = input_names(data["columns"])
    return {
        column["name"]: keras.Input(
            (1,), dtype=column_dtype(column, data), name=names[column["name"]]
        )
        for column in data["columns"]
    }


def _codes(levels: Sequence[str], texts: keras.KerasTensor) -> keras.KerasTensor:
    """The number of the level that a text is, from 1; 0 if it is missing or unknown, (n, 1)."""
    known = spellings(levels)
    unknown = "[UNK]"
    while unknown in known:
        unknown += "_"
    lookup = keras.layers.StringLookup(vocabulary=list(known), oov_token=unknown)
    codes = np.array([0, *(index + 1 for index in known.values())])
    return keras.ops.take(codes, lookup(texts), axis=0)


def _wave(days: keras.KerasTensor, level: str) -> keras.KerasTensor:
    """Sine or cosine of days, see `netsurgery.datasets.dates`."""
    function, period = level.split()
    return getattr(keras.ops, function)(days * (2 * np.pi / float(period)))


def _joined(tensors: Sequence[keras.KerasTensor], name: str, dtype: str) -> keras.KerasTensor:
    """Tensors (n, some) side by side."""
    same = [t if t.dtype == dtype else keras.ops.cast(t, dtype) for t in tensors]
    return keras.layers.Concatenate(name=name, dtype=dtype)(same) if len(same) > 1 else same[0]


def _table(data: Mapping[str, Any], name: str) -> tuple[Any, keras.KerasTensor]:
    """The inputs of a table's model, and its unscaled features, (n, features)."""
    numbers = [column["name"] for column in data["columns"] if column["kind"] == NUMBER]
    dtype = "float64" if needs_double(data) else "float32"
    parts: list[keras.KerasTensor] = []
    if takes_rows(data):
        inputs: Any = keras.Input((len(numbers),), name=name)
        parts.append(inputs)
    else:
        by_column = _column_inputs(data)
        # a list: a mapping may then hold more columns, in any order
        inputs = list(by_column.values())
        if numbers:
            parts.append(_joined([by_column[name] for name in numbers], "numbers", dtype))
    if numbers:
        parts.append(keras.ops.cast(keras.ops.isnan(parts[0]), dtype))
    # the place of each possible feature among all of them
    places: dict[Any, int] = {(name, NUMBER, None): i for i, name in enumerate(numbers)}
    places |= {(name, MISSING, None): len(numbers) + i for i, name in enumerate(numbers)}
    width = 2 * len(numbers)
    for column in data["columns"]:
        for level in levels_of(column.get("periods", ())):
            parts.append(_wave(by_column[column["name"]], level))
            places[column["name"], WAVE, level] = width
            width += 1
    coded = {feature["column"] for feature in data["features"] if feature["kind"] == CODE}
    for column in data["columns"]:
        if column["kind"] == CATEGORY:
            name, levels = column["name"], column["levels"]
            code = _codes(levels, by_column[name])
            if name in coded:
                parts.append(keras.ops.cast(code, dtype))
                places[name, CODE, None] = width
                width += 1
                continue
            parts.append(keras.ops.one_hot(code[:, 0], len(levels) + 1))
            places |= {(name, LEVEL, level): width + 1 + i for i, level in enumerate(levels)}
            places[name, MISSING, None] = width
            width += 1 + len(levels)
    chosen = [places[f["column"], f["kind"], f["level"]] for f in data["features"]]
    return inputs, keras.ops.take(_joined(parts, "columns", dtype), chosen, axis=1)


def with_preprocessing(
    network: keras.Model, data: Mapping[str, Any], scaling: Scaling, target: Scaling | None
) -> keras.Model:
    """A model that takes raw data; it shares the network's layers.

    Args:
        network: a Keras model that takes scaled samples.
        data: description of the prepared dataset.
        scaling: of the samples.
        target: scaling of a regression's targets; None for others.
    """
    after: list[keras.layers.Layer] = []
    if target is not None:
        after = _target_layers(target)
    elif getattr(network.layers[-1], "activation", None) is keras.activations.linear:
        after = [keras.layers.Softmax(name=PROBABILITIES)]
    if parts := parts_of(data):
        inputs, entering = list[Any](), dict[str, Any]()
        for part in parts:
            own, x = _scaled_input(data, part, scaling.of_input(part))
            inputs += own
            entering[part.name] = x
        x = functional.through(network, entering)
    elif data["columns"]:
        inputs, x = _table_layers(data, scaling)
        x = functional.through(network, x)
    elif scaling.pieces is not None:
        dtype = "float32" if scaling.units is None else scaling.units.dtype
        inputs = keras.Input(tuple(data["shape"]), dtype=dtype, name="input")
        x = functional.through(network, _inputs_of_rows(inputs, scaling))
    else:
        inputs, *before = _image_layers(data, scaling)
        if not functional.is_functional(network):
            return keras.Sequential([inputs, *before, *network.layers, *after], name="model")
        x = inputs
        for layer in before:
            x = layer(x)
        x = functional.through(network, x)
    for layer in after:
        x = layer(x)
    return keras.Model(inputs, x, name="model")


def scaled_name(name: str) -> str:
    """The layer of a final model that gives one of several inputs, scaled."""
    return f"{name}_scaled"


def _scaled_input(
    data: Mapping[str, Any], part: InputPart, scaling: Scaling
) -> tuple[list[Any], keras.KerasTensor]:
    """The inputs of a final model for one of several of its network, and that one, scaled."""
    own, name = description_of(data, part), input_name(data, part.name)
    if own["columns"]:
        inputs, x = _table_layers(own, scaling, name, f"{name}_")
        inputs = inputs if isinstance(inputs, list) else [inputs]
    else:
        entering, *layers = _image_layers(own, scaling, name, f"{name}_")
        inputs, x = [entering], entering
        for layer in layers:
            x = layer(x)
        if own["missing"]:
            x = keras.ops.nan_to_num(x, nan=0.0)
    return inputs, keras.layers.Identity(name=scaled_name(part.name))(x)


def _table_layers(
    data: Mapping[str, Any], scaling: Scaling, name: str = "rows", prefix: str = ""
) -> tuple[Any, keras.KerasTensor]:
    """The inputs of a table's model, and its features, scaled."""
    inputs, x = _table(data, name)
    if scaling.pieces is not None:
        x = _inputs_of_rows(x, scaling)
    else:
        for layer in _scaling_layers(scaling, prefix):
            x = layer(x)
    x = keras.ops.nan_to_num(x, nan=0.0)
    shape = tuple(data["shape"])
    return inputs, keras.layers.Reshape(shape)(x) if len(shape) > 1 else x


def _image_layers(
    data: Mapping[str, Any], scaling: Scaling, name: str = "input", prefix: str = ""
) -> list[Any]:
    """The input of a model of arrays, and the layers that bring it to the network's scale."""
    shape = tuple(data["shape"])
    scale = _scaling_layers(scaling, prefix)
    if data["resized"]:
        entering = keras.Input((None, None, shape[-1]), name=name)
        resizing = keras.layers.Resizing(*shape[:2], antialias=True, name=f"{prefix}resizing")
        return [entering, resizing, *scale]
    dtype = "float32" if scaling.units is None else scaling.units.dtype
    return [keras.Input(shape, dtype=dtype, name=name), *scale]


def description(
    data: Mapping[str, Any],
    scaling: Scaling,
    target: Scaling | None,
    non_negative: bool,
    measured: Mapping[str, Any],
    counts: Mapping[str, int],
) -> dict[str, Any]:
    """The model's preprocessing, and what a Keras file cannot hold, such as class names.

    Args:
        data: description of the prepared dataset.
        scaling: of the samples: (value - shift) * scale.
        target: scaling of a regression's targets; None for others.
        non_negative: whether the scaled training samples have no negative values.
        measured: the loss and the additional metrics of the search, as settings.
        counts: samples that trained, validated and tested it.
    """

    def plain(scaling: Scaling) -> dict[str, Any]:
        whole = scaling.of_values
        found = {"shift": whole.shift.tolist(), "scale": whole.scale.tolist()}
        if whole.pieces is not None:
            found |= {name: array.tolist() for name, array in vars(whole.pieces).items()}
        return found

    return {
        **{key: data[key] for key in DESCRIBED},
        "warnings": data.get("warnings", []),
        "scaling": plain(scaling),
        "non_negative_inputs": non_negative,
        "target_scaling": None if target is None else plain(target),
        "measured": dict(measured),
        "counts": dict(counts),
    }


def described_target_scaling(data: Mapping[str, Any]) -> Scaling | None:
    """The scaling of stored targets, from a model's description; None for others."""
    if data["target_scaling"] is None:
        return None
    shift, scale = (np.array(data["target_scaling"][key]) for key in ("shift", "scale"))
    units = Units.from_json(data["target_units"])
    if units is not None:
        shift, scale = units.store(shift), scale * units.unit
    return Scaling(shift.astype(np.float32), scale.astype(np.float32), units=units)
