"""Generate the catalog of Keras's optimizers, losses and metrics from Keras itself.

    python -m tools.generate_keras_catalog [--check]

The workflow plans without importing Keras, so names and arguments are stored in a file. Run this
after an update of Keras. With `--check` the file stays as it is, and the exit status is 1 if it is
out of date.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

PATH = Path(__file__).parents[1] / "src/netsurgery/objectives/keras_catalog.json"

# classes that wrap others, need sequences, or do not compare predictions with targets
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
    "Accuracy",  # the built-in metric has this name
)
# arguments that other settings or the workflow set, or that mean nothing here
RESERVED = {
    *("kwargs", "name", "dtype", "axis", "reduction", "from_logits", "from_sorted_ids"),
    *("learning_rate", "loss_scale_factor"),
    *("use_ema", "ema_momentum", "ema_overwrite_frequency"),
    *("num_classes", "num_labels", "sparse_y_true", "sparse_y_pred"),
    *("exclude_embeddings", "exclude_layers"),
}
# `momentum` is a setting of its own for these; Muon's is an argument
WITH_MOMENTUM = (keras.optimizers.SGD, keras.optimizers.RMSprop)
# values for required arguments, to make an instance of a metric
EXAMPLES = {
    **dict.fromkeys(("recall", "precision", "specificity", "sensitivity"), 0.5),
    "target_class_ids": [0],
    "num_classes": 2,
}
DIRECTIONS = {"up": True, "down": False, None: None}
REGRESSION_MODULES = ("regression_metrics", "correlation_metrics")


def snake_case(name: str) -> str:
    """Return the name of a class in snake case."""
    name = name.replace("IoU", "Iou")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _classes(module: ModuleType) -> Iterator[type]:
    for name, value in sorted(vars(module).items()):
        if inspect.isclass(value) and name not in LEFT_OUT:
            yield value


def _parameters(class_: type) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(class_).parameters)


def _module(class_: type) -> str:
    return class_.__module__.rpartition(".")[2]


def _entry(class_: type) -> dict[str, Any]:
    """Return the fields that all kinds share (see `keras_catalog.KerasClass`)."""
    reserved = RESERVED | ({"momentum"} if class_ in WITH_MOMENTUM else set())
    own = {k: v for k, v in _parameters(class_).items() if k not in reserved}
    return {
        "class_name": class_.__name__,
        "arguments": {k: v.default for k, v in own.items() if v.default is not v.empty},
        "required": [k for k, v in own.items() if v.default is v.empty],
    }


def _optimizer(class_: type) -> dict[str, Any]:
    return _entry(class_) | {"learning_rate": _parameters(class_)["learning_rate"].default}


def _loss(class_: type) -> dict[str, Any]:
    return _entry(class_) | {"takes_logits": "from_logits" in _parameters(class_)}


def _metric(class_: type) -> dict[str, Any]:
    parameters = _parameters(class_)
    required = [name for name in EXAMPLES if name in parameters]
    needed = {n: EXAMPLES[n] for n in required if parameters[n].default is inspect.Parameter.empty}
    return _entry(class_) | {
        "maximize": DIRECTIONS[getattr(class_(**needed), "_direction", None)],
        "for_regression": _module(class_) in REGRESSION_MODULES,
        "takes_class_count": "num_classes" in parameters,
    }


def catalog() -> dict[str, Any]:
    """Return the content of the file."""
    found = {
        "keras": keras.__version__,
        "optimizers": {_module(each): _optimizer(each) for each in _classes(keras.optimizers)},
        "losses": {snake_case(each.__name__): _loss(each) for each in _classes(keras.losses)},
        "metrics": {snake_case(each.__name__): _metric(each) for each in _classes(keras.metrics)},
    }
    return json.loads(json.dumps(found))


def main() -> None:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only check that it is up to date")
    given = parser.parse_args()
    if not given.check:
        PATH.write_text(json.dumps(catalog(), indent=1) + "\n", encoding="utf-8")
    elif json.loads(PATH.read_text(encoding="utf-8")) != catalog():
        sys.exit(f"{PATH}: out of date; run python -m tools.generate_keras_catalog")


if __name__ == "__main__":
    main()
