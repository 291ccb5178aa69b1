"""The metrics that candidates are scored by.

Built-in metrics are computed by netsurgery itself; the others are Keras's.
"""

from __future__ import annotations

from netsurgery.objectives import keras_catalog
from netsurgery.objectives.keras_catalog import METRICS
from netsurgery.objectives.tasks import TASKS

VALIDATION = "val_"  # the prefix of a metric of the validation samples
# the built-in metrics of all tasks, and whether more is better
BUILTIN = {name: better for task in TASKS.values() for name, better in task.metrics.items()}
OPTIONAL = tuple(name for task in TASKS.values() for name in task.optional)


def is_maximized(metric: str) -> bool:
    """Whether more of a validation metric is better.

    Raises:
        KeyError: There is no such metric.
    """
    name = metric.removeprefix(VALIDATION)
    return BUILTIN[name] if name in BUILTIN else bool(keras_catalog.find(METRICS, name).maximize)
