"""The reference models of a search: what other models give on the same split."""

from __future__ import annotations

from pathlib import Path

from netsurgery import datasets
from netsurgery.analysis.references import models
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies


def train_reference(
    data: Path,
    split: Path,
    seed: int,
    output: Path,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Train the reference models for a dataset and write their test metrics.

    Args:
        data: folder of the prepared dataset.
        split: file with the indices of training and test samples.
        seed: of the search.
        output: the JSON file to write.
        dependencies: what the models depend on.
    """
    training, test = (datasets.read_part(data, split, part) for part in ("training", "test"))
    rows = models.reference_models(datasets.describe(data), training, test, seed)
    known = dependencies.with_inputs([data / "data.json", split.with_suffix(".json")])
    known.write(output, {"models": rows})
