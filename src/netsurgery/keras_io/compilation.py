"""Compile a Keras model like another one.

Losses, metrics, schedules and whatever else the user gave are passed on as the Python objects that
they are: serializing them would need code that Keras can find by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from netsurgery.keras_io.kept_layers import trained_variables
from netsurgery.keras_io.keras_errors import first_line
from netsurgery.keras_io.set_aside import without
from netsurgery.storage.files import UnusableFileError


def copy_optimizer(optimizer: Any) -> Any:
    """An optimizer with the same settings and without a state.

    Raises:
        UnusableFileError: it is of a class whose objects cannot be made from their `get_config`.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return type(optimizer)(
            copy_optimizer(optimizer.inner_optimizer),
            initial_scale=optimizer.initial_scale,
            dynamic_growth_steps=optimizer.dynamic_growth_steps,
            name=optimizer.name,
        )
    rate = optimizer._learning_rate  # `learning_rate` would evaluate a schedule
    try:
        if isinstance(rate, keras.Variable):
            return type(optimizer).from_config(optimizer.get_config())
        with without(optimizer, {"_learning_rate": keras.ops.convert_to_tensor(0.0)}):
            config = optimizer.get_config()
        return type(optimizer).from_config({**config, "learning_rate": rate})
    except Exception as failed:  # whatever a class of the user raises
        raise UnusableFileError(
            f"its optimizer {type(optimizer).__name__} cannot be copied by get_config and"
            f" from_config: {first_line(failed)}"
        ) from None


def compile_like(
    model: keras.Model,
    parent: keras.Model,
    layers: Sequence[Any],
    like: Sequence[Any],
) -> None:
    """Compile a built model as another one is, with an optimizer of its own without a state.

    Args:
        model: to compile.
        parent: compiled.
        layers: of the model.
        like: for each of them the parent's layer that it comes from, or None.

    Raises:
        UnusableFileError: the parent's optimizer cannot be copied.
    """
    # the only place where Keras keeps the arguments of `compile` as they were given
    given = dict(parent._compile_config.config)
    if parent.optimizer is not None:
        given["optimizer"] = copy_optimizer(parent.optimizer)
    for metric in keras.tree.flatten([given["metrics"], given["weighted_metrics"]]):
        if isinstance(metric, keras.metrics.Metric):
            metric.reset_state()  # both models share it
    model.compile(**given)
    if model.optimizer is not None:
        _exclude_from_weight_decay(model, parent.optimizer, layers, like)
        model.optimizer.build(model.trainable_variables)


def _exclude_from_weight_decay(
    model: keras.Model, parent: Any, layers: Sequence[Any], like: Sequence[Any]
) -> None:
    """Exclude the variables that the parent's optimizer excludes, which no configuration holds."""
    old, new = (getattr(each, "inner_optimizer", each) for each in (parent, model.optimizer))
    if not hasattr(old, "_exclude_from_weight_decay"):  # nobody has called it
        return
    pairs = [
        pair
        for layer, origin in zip(layers, like, strict=True)
        if origin is not None
        for pair in zip(trained_variables(layer), trained_variables(origin), strict=False)
    ]
    pattern = old._exclude_from_weight_decay_pattern
    new.exclude_from_weight_decay(
        [variable for variable, source in pairs if not old._use_weight_decay(source)],
        [] if pattern is None else [pattern.pattern],
    )


def copy_attributes(model: keras.Model, parent: keras.Model) -> None:
    """Give a model of a user's class what the user has set on another one, for its training."""
    if type(parent).__module__.partition(".")[0] == "keras":
        return
    for name in vars(parent).keys() - vars(model).keys() - {"history"}:
        if not name.startswith("_"):
            setattr(model, name, getattr(parent, name))
