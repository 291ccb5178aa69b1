"""What Keras has, looked up in Keras itself, for `netsurgery.objectives.keras_catalog`.

    python -m tools.generate_keras_catalog > src/netsurgery/keras_catalog.json

Planning must know names and arguments without importing TensorFlow, so that they lie in a file.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import keras

# that hold others, need sequences, or measure no predictions
LEFT_OUT = (
    "LossScaleOptimizer",
    "MultiOptimizer",
    "OptimizerMap",
    "Optimizer",
    "CTC",
    "Loss",
    "Metric",
    "Mean",
    "MeanMetricWrapper",
    "Sum",
    "Accuracy",  # ours goes by that name
)
# set by settings of their own, by the workflow, or of no meaning in it
SET = {
    *("kwargs", "name", "dtype", "axis", "reduction", "from_logits", "from_sorted_ids"),
    *("learning_rate", "loss_scale_factor"),
    *("use_ema", "ema_momentum", "ema_overwrite_frequency"),
    *("num_classes", "num_labels", "sparse_y_true", "sparse_y_pred"),
    *("exclude_embeddings", "exclude_layers"),
}
WITH_MOMENTUM = (keras.optimizers.SGD, keras.optimizers.RMSprop)  # a setting; Muon's is its own
# for making a metric whose arguments have no defaults
EXAMPLES = {
    **dict.fromkeys(("recall", "precision", "specificity", "sensitivity"), 0.5),
    "target_class_ids": [0],
    "num_classes": 2,
}
RISES = {"up": True, "down": False, None: None}


def snake(name: str) -> str:
    """A class's name in small letters, its words apart."""
    name = name.replace("IoU", "Iou")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _classes(module: ModuleType) -> Iterator[type]:
    for name, value in sorted(vars(module).items()):
        if inspect.isclass(value) and name not in LEFT_OUT:
            yield value


def _parameters(made: type) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(made).parameters)


def _entry(made: type) -> dict[str, Any]:
    """A class, its arguments with their defaults, and those that have none."""
    taken = SET | ({"momentum"} if made in WITH_MOMENTUM else set())
    own = {k: v for k, v in _parameters(made).items() if k not in taken}
    return {
        "class": made.__name__,
        "arguments": {k: v.default for k, v in own.items() if v.default is not v.empty},
        "needed": [k for k, v in own.items() if v.default is v.empty],
    }


def _loss(made: type) -> dict[str, Any]:
    return _entry(made) | {"takes_logits": "from_logits" in _parameters(made)}


def _metric(made: type) -> dict[str, Any]:
    given = {name: EXAMPLES[name] for name in _parameters(made) if name in EXAMPLES}
    needed = {k: v for k, v in given.items() if _parameters(made)[k].default is inspect._empty}
    of_numbers = made.__module__.rpartition(".")[2] in ("regression_metrics", "correlation_metrics")
    direction = RISES[getattr(made(**needed), "_direction", None)]
    return _entry(made) | {
        "rises": direction,
        "of_numbers": of_numbers,
        "counts_classes": "num_classes" in _parameters(made),
    }


def catalogue() -> dict[str, Any]:
    """All of it, as the file has it."""
    found = {
        "keras": keras.__version__,
        "optimizers": {
            made.__module__.rpartition(".")[2]: _entry(made) for made in _classes(keras.optimizers)
        },
        "losses": {snake(made.__name__): _loss(made) for made in _classes(keras.losses)},
        "metrics": {snake(made.__name__): _metric(made) for made in _classes(keras.metrics)},
    }
    return json.loads(json.dumps(found))


if __name__ == "__main__":
    print(json.dumps(catalogue(), indent=1))
