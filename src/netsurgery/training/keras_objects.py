"""Keras optimizers, losses and metrics, built from settings."""

from __future__ import annotations

from typing import Any

import keras

from netsurgery.objectives import keras_catalog
from netsurgery.objectives.keras_catalog import LOSSES, METRICS, OPTIMIZERS, Setting
from netsurgery.objectives.training_settings import CompileSettings

LINEAR, SIGMOID = "linear", "sigmoid"


def new_optimizer(settings: CompileSettings) -> keras.optimizers.Optimizer:
    """A new optimizer, by the settings of a search."""
    name, arguments = keras_catalog.split_setting(settings.optimizer)
    if settings.momentum:
        arguments["momentum"] = settings.momentum
    if settings.ema_momentum:
        arguments |= {"use_ema": True, "ema_momentum": settings.ema_momentum}
    optimizer = getattr(keras.optimizers, keras_catalog.find(OPTIMIZERS, name).class_name)
    # Keras takes no integers
    return optimizer(learning_rate=float(settings.learning_rate), name="optimizer", **arguments)


def new_loss(setting: Setting, *, logits: bool) -> keras.losses.Loss:
    """A new loss.

    Args:
        setting: its name, or a mapping from its name to arguments.
        logits: whether the network's output is linear; losses that take logits are told so.
    """
    name, arguments = keras_catalog.split_setting(setting)
    entry = keras_catalog.find(LOSSES, name)
    if entry.takes_logits:
        arguments["from_logits"] = logits
    return getattr(keras.losses, entry.class_name)(**arguments)


def new_metric(setting: Setting, classes: int) -> keras.metrics.Metric:
    """A new metric.

    Args:
        setting: its name, or a mapping from its name to arguments.
        classes: number of classes, for metrics that take it.
    """
    name, arguments = keras_catalog.split_setting(setting)
    entry = keras_catalog.find(METRICS, name)
    if entry.takes_class_count:
        arguments["num_classes"] = classes
    return getattr(keras.metrics, entry.class_name)(name=name, **arguments)


def compile_arguments(settings: CompileSettings, activation: str | None) -> dict[str, Any]:
    """Arguments of Keras's `compile`: a new optimizer, and the loss and a metric of the search.

    Args:
        settings: of the search.
        activation: of the network's output, by name; None if it has none.
    """
    logits = activation == LINEAR
    return {
        "optimizer": new_optimizer(settings),
        "loss": new_loss(settings.loss, logits=logits),
        "metrics": [_metric(settings, activation)],
    }


def _metric(settings: CompileSettings, activation: str | None) -> str:
    if activation == SIGMOID:  # several labels, each for itself
        return "binary_accuracy"
    name, _ = keras_catalog.split_setting(settings.loss)
    is_regression = activation == LINEAR and not keras_catalog.find(LOSSES, name).takes_logits
    return "mae" if is_regression else "accuracy"


def compile_model(model: keras.Model, settings: CompileSettings) -> None:
    """Compile a Keras model with a new optimizer and the loss and metrics of the search."""
    function = getattr(model.layers[-1], "activation", None)
    arguments = compile_arguments(settings, getattr(function, "__name__", None))
    model.compile(**arguments, jit_compile=False)
    model.optimizer.build(model.trainable_variables)
