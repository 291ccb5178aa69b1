"""`netsurgery predict`: what a final model predicts for the samples of a file or folder."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

from netsurgery.cli import final_models
from netsurgery.cli.arguments import Subparsers
from netsurgery.cli.quiet import no_stderr
from netsurgery.datasets import Batch
from netsurgery.objectives.label_scores import THRESHOLD
from netsurgery.objectives.tasks import CLASSIFICATION, MULTILABEL
from netsurgery.storage.files import atomic_path

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PREDICTION = "prediction"
YES, NO = "yes", "no"


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand."""
    command = commands.add_parser(
        "predict",
        help="predict the samples of a file with a final model",
        allow_abbrev=False,
        description="Predict the samples of a file or folder with the final model of a search. The"
        " file is read as the training data were; it may have further columns, in any order, and"
        " needs no target. Writes a csv table with a row per sample: what names the sample, the"
        " class and the probabilities of all classes, yes or no and the probability of each label,"
        " or the targets in their units.",
    )
    command.set_defaults(run=run)
    final_models.add_arguments(command, "to predict: like the training data, or a part of them")
    final_models.add_output(command, "OUT.csv", "where to write (default: the terminal)")


def run(given: argparse.Namespace) -> None:
    """Predict, and write the table."""
    files, samples = final_models.opened(given, ".csv", labelled=False)
    seen: Counter[str] = Counter()
    with ExitStack() as stack:
        file: Any = sys.stdout
        if given.out is not None:
            temporary = stack.enter_context(atomic_path(given.out))
            file = stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))
        count = _write(_predicted(files, samples.batches, seen), file)
    final_models.print_notes(samples)
    if given.out is not None:
        found = ", ".join(f"{name} {number}" for name, number in seen.most_common(10))
        print(f"{given.out}: {count} predictions" + (f": {found}" if found else ""))


def _predicted(
    files: final_models.ModelFiles, batches: Iterator[Batch], seen: Counter[str]
) -> Iterator[pd.DataFrame]:
    """The rows of the table, in parts; counts the predicted classes or labels."""
    with no_stderr():  # TensorFlow talks while it starts
        from netsurgery.keras_io.final_model import FinalModel

        model = FinalModel.load(files.path, files.data)
    labels = files.data.get("labels") or ()
    for batch in batches:
        table = predictions(batch.keys, model.predict(batch.inputs), files.data)
        if files.data["task"] == CLASSIFICATION:
            seen.update(table[PREDICTION])
        elif files.data["task"] == MULTILABEL:
            seen.update({n: int((table[f"{PREDICTION}_{n}"] == YES).sum()) for n in labels})
        yield table


def predictions(
    keys: Mapping[str, Any], outputs: np.ndarray, data: Mapping[str, Any]
) -> pd.DataFrame:
    """A table of predictions.

    Args:
        keys: what names the samples, by column.
        outputs: (n, outputs) of the model.
        data: the description of its preprocessing.
    """
    import numpy as np
    import pandas as pd

    classes, targets = data["classes"], data["targets"]
    found: dict[str, Any] = {}
    if classes is not None:
        found[PREDICTION] = np.array(classes, object)[outputs.argmax(axis=1)]
        found |= {f"probability_{name}": outputs[:, i] for i, name in enumerate(classes)}
    elif data["task"] == MULTILABEL:
        for name, probability in zip(data["labels"], outputs.T, strict=True):
            found[f"{PREDICTION}_{name}"] = np.where(probability >= THRESHOLD, YES, NO)
            found[f"probability_{name}"] = probability
    elif outputs.shape[1] == 1:
        found[PREDICTION] = outputs[:, 0]
    else:
        names = targets or range(outputs.shape[1])
        found |= {f"{PREDICTION}_{name}": outputs[:, i] for i, name in enumerate(names)}
    return pd.DataFrame({k: v for k, v in keys.items() if k not in found} | found)


def _write(tables: Iterator[pd.DataFrame], file: IO[str]) -> int:
    """Write parts of a table as csv; returns the number of rows."""
    count = 0
    for table in tables:
        table.to_csv(file, index=False, header=count == 0, lineterminator="\n")
        count += len(table)
    return count
