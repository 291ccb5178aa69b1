"""Keras's optimizers, losses and metrics, made as settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from netsurgery.objectives import keras_catalog
from netsurgery.objectives.keras_catalog import LOSSES, METRICS, OPTIMIZERS, Setting

LINEAR = "linear"


def new_optimizer(settings: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """The optimizer of a search, fresh."""
    name, arguments = keras_catalog.named(settings["optimizer"])
    if settings["momentum"]:
        arguments["momentum"] = settings["momentum"]
    made = getattr(keras.optimizers, keras_catalog.entry(OPTIMIZERS, name)["class"])
    return made(learning_rate=settings["learning_rate"], name="optimizer", **arguments)


def new_loss(setting: Setting, *, logits: bool) -> keras.losses.Loss:
    """A loss.

    Args:
        setting: its name, or a mapping of that to arguments.
        logits: whether the network's output is linear: a loss that knows logits gets them as such.
    """
    name, arguments = keras_catalog.named(setting)
    found = keras_catalog.entry(LOSSES, name)
    if found["takes_logits"]:
        arguments["from_logits"] = logits
    return getattr(keras.losses, found["class"])(**arguments)


def new_metric(setting: Setting, classes: int) -> keras.metrics.Metric:
    """A metric.

    Args:
        setting: its name, or a mapping of that to arguments.
        classes: of the samples, for those that must be told.
    """
    name, arguments = keras_catalog.named(setting)
    found = keras_catalog.entry(METRICS, name)
    if found["counts_classes"]:
        arguments["num_classes"] = classes
    return getattr(keras.metrics, found["class"])(name=name, **arguments)


def compile_arguments(settings: Mapping[str, Any], *, logits: bool) -> dict[str, Any]:
    """A fresh optimizer, and the loss and a metric of the search, as Keras's `compile` takes them.

    Args:
        settings: of the search.
        logits: whether the network's output is linear.
    """
    name, _ = keras_catalog.named(settings["loss"])
    numbers = logits and not keras_catalog.entry(LOSSES, name)["takes_logits"]
    return {
        "optimizer": new_optimizer(settings),
        "loss": new_loss(settings["loss"], logits=logits),
        "metrics": ["mae"] if numbers else ["accuracy"],
    }


def compile_model(model: keras.Model, settings: Mapping[str, Any]) -> None:
    """Give a Keras model a fresh optimizer and the loss and metrics of the search."""
    logits = getattr(model.layers[-1], "activation", None) is keras.activations.linear
    model.compile(**compile_arguments(settings, logits=logits), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
