"""What goes with a final model: its errors, exports to other formats, and the model card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from netsurgery import datasets
from netsurgery.datasets.columns import NUMBER
from netsurgery.datasets.samples import Samples
from netsurgery.keras_io import archive, tflite
from netsurgery.report import error_analysis, model_card
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import CHECKSUMS, checksums, read_json, write_text

BATCH = 1000
COMPARED = 200  # samples on which an export has to agree with the model


def outputs(network: Any, samples: Samples) -> np.ndarray:
    """Compute the outputs of a network for all samples: (n, outputs)."""
    parts = []
    for start in range(0, len(samples.indices), BATCH):
        positions = np.arange(start, min(start + BATCH, len(samples.indices)))
        parts.append(np.asarray(network(samples.inputs(positions), training=False)))
    return np.concatenate(parts)


def analyse_errors(network: Any, samples: Samples, data: dict[str, Any]) -> dict[str, Any]:
    """Analyse the errors of a network (see `netsurgery.report.error_analysis`)."""
    found = outputs(network, samples)
    if samples.target is not None:
        target = samples.target
        values = target.restore(samples.y[samples.indices])
        unit = target.restore(found / target.scale + target.shift)
        return error_analysis.regression_errors(values, unit, data.get("targets", ()))
    if network.layers[-1].activation.__name__ == "linear":  # logits
        found = np.exp(found - found.max(axis=1, keepdims=True))
        found /= found.sum(axis=1, keepdims=True)
    return error_analysis.classification_errors(samples.x, samples.y, samples.indices, found, data)


def raw_samples(samples: Samples, data: dict[str, Any]) -> np.ndarray | None:
    """Return some samples in the form that the model takes; None for a table with text.

    Args:
        samples: as they are stored.
        data: description of the prepared dataset.
    """
    stored = np.asarray(samples.x[samples.indices[:COMPARED]])
    if not data["columns"]:
        return stored
    if any(column["kind"] != NUMBER for column in data["columns"]):
        return None
    places = [i for i, feature in enumerate(data["features"]) if feature["kind"] == NUMBER]
    return stored.reshape(len(stored), -1)[:, places]


def export(
    data: Path,
    samples: Samples,
    settings: dict[str, Any],
    final: Path,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Write `errors.json`, `exports.json`, `model.tflite` if possible, and the model card.

    Args:
        data: folder of the prepared dataset.
        samples: the test samples.
        settings: of the search.
        final: folder with model.keras, network.keras and summary.json.
        dependencies: what the exports depend on besides the final model.
    """
    inputs = [final / name for name in ("network.json", "test.json", "summary.json")]
    known = dependencies.with_inputs(inputs)
    described = datasets.describe(data)
    errors = analyse_errors(
        archive.load(final / "network.keras", compiled=False), samples, described
    )
    known.write(final / "errors.json", errors)
    model = archive.load(final / "model.keras", compiled=False)
    path, file = final / "exports.json", final / "model.tflite"
    lite = tflite.export_tflite(model, file, raw_samples(samples, described))
    written = [file] if file.exists() else []
    known.write(path, {"exports": [lite], CHECKSUMS: checksums(path, *written)})
    summary = read_json(final / "summary.json")
    write_text(
        final / "README.md", model_card.model_card(summary, settings, described, errors, [lite])
    )
