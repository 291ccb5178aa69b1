"""A trained network with its preprocessing, as a Keras model that takes raw data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsurgery import datasets, training
from netsurgery.keras_io import archive, preprocessing
from netsurgery.objectives.training_settings import CompileSettings


def raw_model(network: Path, data: Path, split: Path, settings: CompileSettings) -> Any:
    """Build the model.

    Args:
        network: the `.keras` file of a candidate.
        data: folder of the prepared dataset.
        split: file with the indices of the samples, and with their scaling.
        settings: how the model is compiled.
    """
    samples = datasets.read_part(data, split, "test")
    model = preprocessing.with_preprocessing(
        archive.load(network), datasets.describe(data), samples.scaling, samples.target
    )
    training.compile_model(model, settings)
    return model
