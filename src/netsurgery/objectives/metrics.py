"""The metrics that candidates are scored by, for each task.

Built-in metrics are computed by netsurgery itself; the others are Keras's.
"""

from __future__ import annotations

from netsurgery.objectives import keras_catalog
from netsurgery.objectives.keras_catalog import METRICS

CLASSIFICATION, REGRESSION = "classification", "regression"
VALIDATION = "val_"  # the prefix of a metric of the validation samples
# built-in metrics, and whether more is better; the first one is the default objective
BUILTIN = {
    CLASSIFICATION: {
        "accuracy": True,
        "loss": False,
        "balanced_accuracy": True,
        "top5_accuracy": True,
    },
    REGRESSION: {"loss": False, "mae": False, "rmse": False, "r2": True},
}
OPTIONAL = ("balanced_accuracy", "top5_accuracy")  # built-in, but recorded on request only


def is_maximized(metric: str) -> bool:
    """Whether more of a validation metric is better.

    Raises:
        KeyError: There is no such metric.
    """
    name = metric.removeprefix(VALIDATION)
    builtin = BUILTIN[CLASSIFICATION] | BUILTIN[REGRESSION]
    return builtin[name] if name in builtin else bool(keras_catalog.find(METRICS, name).maximize)


def keras_metrics(task: str) -> list[str]:
    """Return the names of the Keras metrics that fit a task."""
    return [
        name
        for name in keras_catalog.names(METRICS)
        if task == CLASSIFICATION or keras_catalog.find(METRICS, name).for_regression
    ]
