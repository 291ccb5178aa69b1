"""A trained network with its preprocessing, as a Keras model that takes raw data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsurgery import datasets, training
from netsurgery.datasets.source import PARTS, TEST
from netsurgery.keras_io import archive, preprocessing
from netsurgery.objectives.training_settings import TrainingSettings


def raw_model(network: Path, data: Path, split: Path, settings: TrainingSettings) -> Any:
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
    training.compile_model(model, settings.compile)
    return model


def raw_model_description(data: Path, split: Path, settings: TrainingSettings) -> dict[str, Any]:
    """What goes with the model: its preprocessing, and how it was tested.

    Args:
        data: folder of the prepared dataset.
        split: file with the indices of the samples, and with their scaling.
        settings: of the search.
    """
    parts = {part: datasets.read_part(data, split, part) for part in PARTS}
    samples = parts[TEST]
    measured = {"loss": settings.compile.loss, "extra_metrics": list(settings.extra_metrics)}
    return preprocessing.description(
        datasets.describe(data),
        samples.scaling,
        samples.target,
        samples.non_negative,
        measured,
        {part: len(own) for part, own in parts.items()},
    )
