"""The scores of a final model on the labelled samples of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery import training
from netsurgery.datasets import NewSamples
from netsurgery.datasets.labels import checked_targets, numbers_of_classes
from netsurgery.datasets.multilabel import matrix_of
from netsurgery.keras_io.final_model import FinalModel
from netsurgery.keras_io.preprocessing import described_target_scaling
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL


def score_file(path: Path, data: Mapping[str, Any], samples: NewSamples) -> dict[str, Any]:
    """The number of samples, loss and metrics, as a search records them for its test samples.

    Args:
        path: of the model.
        data: the description of its preprocessing.
        samples: with labels.

    Raises:
        DataError: the samples cannot be read, or a label is none of the model's.
    """
    final = FinalModel.load(path, data)
    inner = final.up_to_network
    outputs, given = [], []
    for batch in samples.batches:
        assert batch.labels is not None
        outputs.append(inner.predict(batch.inputs))
        given.append(batch.labels)
    labels, name = np.concatenate(given), samples.label_name
    target = described_target_scaling(data)
    if target is not None:
        y = target.store(checked_targets(labels, data["outputs"], name))
    elif data["task"] == MULTILABEL:
        y = matrix_of(labels, data["labels"], name, data["settings"].get("label_separator"))
    else:
        y = numbers_of_classes(labels, data["classes"], name)
    scores = training.score_outputs(
        np.concatenate(outputs),
        y,
        target,
        loss=data["measured"]["loss"],
        metrics=data["measured"]["extra_metrics"],
        penalty=final.penalty,
        logits=data["task"] == CLASSIFICATION and inner is not final,
    )
    return {"samples": len(y), **scores}
