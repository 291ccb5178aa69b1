"""What goes with a final model: its errors, the check of `model.keras`, and other formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from netsurgery import datasets
from netsurgery.datasets import augmentation
from netsurgery.datasets.samples import Samples
from netsurgery.jobs import model_check
from netsurgery.keras_io import archive, tflite
from netsurgery.objectives.tasks import MULTILABEL
from netsurgery.report import error_analysis
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import CHECKSUMS, checksums, read_json

BATCH = 1000


def outputs(network: Any, samples: Samples) -> np.ndarray:
    """Compute the outputs of a network for all samples: (n, outputs)."""
    parts = []
    for start in range(0, len(samples.indices), BATCH):
        positions = np.arange(start, min(start + BATCH, len(samples.indices)))
        inputs = samples.as_taken(samples.inputs(positions))
        parts.append(np.asarray(network(inputs, training=False)))
    return np.concatenate(parts)


def analyse_errors(found: np.ndarray, samples: Samples, data: dict[str, Any]) -> dict[str, Any]:
    """Analyse the errors of a network (see `netsurgery.report.error_analysis`).

    Args:
        found: (n, outputs) for all samples, see `model_check.in_units`.
        samples: the test samples.
        data: description of the prepared dataset.
    """
    y = samples.y[samples.indices]
    if samples.target is not None:
        values = samples.target.restore(y)
        return error_analysis.regression_errors(values, found, data.get("targets", ()))
    if samples.task == MULTILABEL:
        return error_analysis.label_errors(y, found, data["labels"])
    x = samples.x
    for part in samples.parts:
        if len(part.shape) == augmentation.IMAGE_AXES:  # what people can look at
            x = x[:, part.start : part.stop].reshape(len(x), *part.shape)
            data = datasets.description_of(data, part)
            break
    return error_analysis.classification_errors(x, samples.y, samples.indices, found, data)


def export(
    data: Path,
    samples: Samples,
    final: Path,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Write `errors.json`, `exports.json` and, if possible, `model.tflite`.

    The summary of a search waits for them, so no search is finished whose model gives something
    else than what was recorded.

    Args:
        data: folder of the prepared dataset.
        samples: the test samples.
        final: folder with model.keras, network.keras and test.json.
        dependencies: what the exports depend on besides the final model.

    Raises:
        DisagreementError: model.keras does not give on raw samples what was recorded.
    """
    inputs = [final / name for name in ("network.json", "test.json")]
    known = dependencies.with_inputs(inputs)
    described = datasets.describe(data)
    network, model = (
        archive.load(final / name, compiled=False) for name in ("network.keras", "model.keras")
    )
    found = model_check.in_units(
        outputs(network, samples), samples, logits=model_check.gives_logits(network, samples)
    )
    errors = analyse_errors(found, samples, described)
    known.write(final / "errors.json", errors)
    model_check.check_recorded(found, samples, read_json(final / "test.json"), final)
    path, file = final / "exports.json", final / "model.tflite"
    try:
        raw = model_check.read_raw(samples, described)
    except (OSError, datasets.DataError) as error:
        why = f"the data could not be read again ({error})"
        check: dict[str, Any] = {"samples": 0, "why": why}
        lite = tflite.not_exported(file, why)
    else:
        check = model_check.compare(model, network, raw, samples, described).to_json()
        lite = tflite.export_tflite(model, file, raw.batches[0])
    written = [file] if file.exists() else []
    known.write(path, {"check": check, "exports": [lite], CHECKSUMS: checksums(path, *written)})
