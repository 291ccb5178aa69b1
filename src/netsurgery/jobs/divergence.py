"""What a user can do where a search gives no usable network: it diverged, or answers the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netsurgery import datasets
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.objectives.keras_catalog import split_setting
from netsurgery.objectives.training_settings import FLOAT32
from netsurgery.search.records import Record
from netsurgery.training.loop import LOSSES

LARGE_INPUT = 50.0  # scaled inputs should be about 1
COMPARED = 1000  # training samples whose inputs are looked at
CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")


def explain_divergence(step: TrainingStep, record: Record) -> str:
    """One line: what is not finite, since when, and what may help.

    Args:
        step: the training step that diverged.
        record: of the network after it.
    """
    objective = step.training_settings.objective
    for entry in record.history:
        found = [name for name in (*LOSSES, objective) if name in entry and entry[name] is None]
        if found:
            what, when = found[0], f" after epoch {entry['epoch']:g}"
            break
    else:
        what, when = "a weight", ""
    is_metric = what == objective and objective not in LOSSES
    advice = ["another objective"] if is_metric else list(_against_divergence(step, record))
    return (
        f"{step.output.parent.parent}: training diverged: {what} is not finite{when}; try"
        f" {', or '.join(advice)}"
    )


def explain_constant(step: TrainingStep, record: Record, samples: int) -> str:
    """One line: the final network ignores its input, and what may help.

    Args:
        step: the training step that ends the search.
        record: of the final network.
        samples: how many were compared.
    """
    return (
        f"{step.output.parent.parent}: the final network predicts the same for each of {samples:,}"
        f" test samples, so it is of no use; try {', or '.join(_against_divergence(step, record))},"
        " or another topology or activation (allow_constant_output: true keeps it)"
    )


def _against_divergence(step: TrainingStep, record: Record) -> Iterator[str]:
    settings = step.training_settings.compile
    samples = step.samples("training")
    largest = float(np.abs(samples.inputs(np.arange(min(COMPARED, len(samples.indices))))).max())
    if not largest <= LARGE_INPUT:
        data = datasets.describe(step.data)
        own = [each["scaling"]["method"] for each in data["inputs"] or [data]]
        method = " and ".join(dict.fromkeys(own))
        yield f"scaling: standard (now {method}, and inputs reach {largest:.3g})"
    yield f"a smaller learning_rate (now {settings.learning_rate:g})"
    name, arguments = split_setting(settings.optimizer)
    if not any(arguments.get(key) for key in CLIPPING):
        yield f"gradient clipping (optimizer: {{{name}: {{clipnorm: 1.0}}}})"
    if record.precision != FLOAT32:
        yield f"precision: {FLOAT32} (now {record.precision})"
