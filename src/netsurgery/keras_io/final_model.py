"""The final model of a search, with the description of its preprocessing beside it.

The two files are enough to read other data as the training data were, on any machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from netsurgery.datasets.joined_inputs import description_of, input_name, parts_of
from netsurgery.datasets.source import Inputs
from netsurgery.datasets.table_inputs import input_names, takes_rows
from netsurgery.keras_io import user_files
from netsurgery.keras_io.preprocessing import PROBABILITIES, TARGET_UNIT
from netsurgery.storage.files import UnusableFileError

BATCH = 1000


@dataclass(frozen=True, eq=False)
class FinalModel:
    """A model that takes raw data.

    Attributes:
        model: gives probabilities, or targets in their unit.
        data: the description of its preprocessing.
    """

    model: keras.Model
    data: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path, data: Mapping[str, Any]) -> FinalModel:
        """Read a model.

        Raises:
            UnusableFileError: it is no Keras model, or of another search than its description.
        """
        model = user_files.read_any_model(path, compiled=False)
        _check_pair(model, path, data)
        return cls(model, data)

    def predict(self, inputs: Inputs) -> np.ndarray:
        """Probabilities of classes or labels, or targets in their units, (n, outputs)."""
        return _outputs(self.model, inputs)

    @property
    def up_to_network(self) -> FinalModel:
        """The model up to the outputs of its network: scaled targets, logits or probabilities."""
        for layer in self.model.layers:
            if layer.name in (PROBABILITIES, TARGET_UNIT):
                return FinalModel(keras.Model(self.model.inputs, layer.input), self.data)
        return self

    @property
    def penalty(self) -> float:
        """The penalty of the network's kernels, which is part of the loss."""
        return float(sum(map(float, self.model.losses)))


def _check_pair(model: keras.Model, path: Path, data: Mapping[str, Any]) -> None:
    """Raise an `UnusableFileError` if a model and a description are not of the same search."""
    inputs = {tensor.name: tuple(tensor.shape[1:]) for tensor in model.inputs}
    if data["inputs"]:
        fits = {*inputs} == {*_names_of_several(data)}
    elif not data["columns"]:
        shape = tuple(data["shape"])
        fits = [(None, None, shape[-1]) if data["resized"] else shape] == [*inputs.values()]
    elif takes_rows(data):
        fits = [*inputs.values()] == [(len(data["columns"]),)]
    else:
        fits = {*inputs} == {*input_names(data["columns"]).values()}
    if not fits or model.outputs[0].shape[1] != data["outputs"]:
        raise UnusableFileError(f"{path}: does not belong to the description beside it")


def _names_of_several(data: Mapping[str, Any]) -> Iterator[str]:
    """The names of a final model's inputs if its network has several."""
    for part in parts_of(data):
        own = description_of(data, part)
        if own["columns"] and not takes_rows(own):
            yield from input_names(own["columns"]).values()
        else:
            yield input_name(data, part.name)


def _outputs(model: keras.Model, inputs: Inputs) -> np.ndarray:
    """The outputs of a model for any number of samples, in batches."""
    count = len(next(iter(inputs.values())) if isinstance(inputs, dict) else inputs)
    starts = range(0, count, BATCH)
    parts = [model(_tensors(inputs, slice(s, s + BATCH)), training=False) for s in starts]
    return np.concatenate([np.asarray(part) for part in parts])


def _tensors(inputs: Inputs, rows: slice) -> Any:
    """Some rows in their own precision, which Keras keeps for tensors."""
    if isinstance(inputs, dict):
        return {name: keras.ops.convert_to_tensor(x[rows]) for name, x in inputs.items()}
    values = inputs[rows]
    return keras.ops.convert_to_tensor(values.astype(values.dtype.newbyteorder("=")))
