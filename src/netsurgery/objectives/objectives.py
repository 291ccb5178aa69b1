"""What networks learn by and are scored by: the losses and metrics that go with each task.

Ours are always measured, or on request; all that Keras has can be asked for besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery.objectives import keras_catalog
from netsurgery.objectives.keras_catalog import (
    CROSSENTROPY,
    LOSSES,
    LOSSES_OF_NUMBERS,
    METRICS,
    OPTIMIZERS,
)
from netsurgery.objectives.suggestions import suggest

CLASSIFICATION, REGRESSION = "classification", "regression"
VALIDATION = "val_"
# metric of ours: whether more is better; those first that hold where a search names none
OURS = {
    CLASSIFICATION: {
        "accuracy": True,
        "loss": False,
        "balanced_accuracy": True,
        "top5_accuracy": True,
    },
    REGRESSION: {"loss": False, "mae": False, "rmse": False, "r2": True},
}
ON_REQUEST = ("balanced_accuracy", "top5_accuracy")
DEFAULT_LOSS = {CLASSIFICATION: CROSSENTROPY, REGRESSION: "mse"}
WITH_MOMENTUM = ("sgd", "rmsprop")


class MisfitError(ValueError):
    """A setting is wrong, or does not go with the task.

    Args:
        where: the keys that lead to it.
        message: what is wrong, and what would be right.
    """

    def __init__(self, where: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.where = where


def rises(metric: str) -> bool:
    """Whether more of a validation metric is better.

    Raises:
        KeyError: there is no such metric.
    """
    name = metric.removeprefix(VALIDATION)
    ours = OURS[CLASSIFICATION] | OURS[REGRESSION]
    return ours[name] if name in ours else bool(keras_catalog.rises(name))


def losses(task: str) -> list[str]:
    """Names of the losses that go with a task."""
    return keras_catalog.known(LOSSES) if task == CLASSIFICATION else list(LOSSES_OF_NUMBERS)


def metrics(task: str) -> list[str]:
    """Names of Keras's metrics that go with a task."""
    return [
        name
        for name in keras_catalog.known(METRICS)
        if task == CLASSIFICATION or keras_catalog.entry(METRICS, name)["of_numbers"]
    ]


def check(search: Mapping[str, Any], task: str, *, logits: bool) -> None:
    """Refuse an optimizer, loss or metric that is none, or goes not with what is to be learned.

    Args:
        search: its settings, as the schema allows them.
        task: classification or regression.
        logits: whether networks' outputs for classes are linear.

    Raises:
        MisfitError: naming the setting.
    """
    _check_named(OPTIMIZERS, search.get("optimizer", "sgd"), ("optimizer",))
    optimizer, _ = keras_catalog.named(search.get("optimizer", "sgd"))
    if search.get("momentum") and optimizer not in WITH_MOMENTUM:
        raise MisfitError(("momentum",), f"{optimizer} has none; {' and '.join(WITH_MOMENTUM)} do")
    _check_loss(search.get("loss", DEFAULT_LOSS[task]), task, logits=logits)
    ours = ON_REQUEST if task == CLASSIFICATION else ()
    seen = set()
    for i, setting in enumerate(search.get("extra_metrics", ())):
        name, arguments = keras_catalog.named(setting)
        if name not in ours or arguments:
            _check_named(METRICS, setting, ("extra_metrics", i), task, [*ours, *metrics(task)])
        if name in seen:
            raise MisfitError(("extra_metrics", i), f"{name} is there twice")
        seen.add(name)
    _check_metric(search.get("objective", "val_loss"), task, seen)


def _check_named(
    kind: str,
    setting: Any,
    where: tuple[str | int, ...],
    task: str = "",
    names: list[str] | None = None,
) -> None:
    name, _ = keras_catalog.named(setting)
    if names is not None and name not in names and name in keras_catalog.known(kind):
        raise MisfitError(
            where, f"{name!r} goes not with {task} (allowed: {', '.join(sorted(names))})"
        )
    try:
        keras_catalog.check(kind, setting, names or ())
    except ValueError as error:
        raise MisfitError(where, str(error)) from None


def _check_loss(setting: Any, task: str, *, logits: bool) -> None:
    _check_named(LOSSES, setting, ("loss",), task, losses(task))
    name, _ = keras_catalog.named(setting)
    if task == CLASSIFICATION and logits and not keras_catalog.entry(LOSSES, name)["takes_logits"]:
        taken = [n for n in losses(task) if keras_catalog.entry(LOSSES, n)["takes_logits"]]
        message = f"{name} takes no logits, which this topology gives"
        raise MisfitError(("loss",), f"{message} (allowed: {', '.join(taken)})")


def _check_metric(metric: str, task: str, listed: set[str]) -> None:
    name = metric.removeprefix(VALIDATION)
    ours, of_keras = OURS[task], metrics(task)
    if metric == name or name not in (*ours, *of_keras):
        known = OURS[CLASSIFICATION] | OURS[REGRESSION]
        names = [VALIDATION + each for each in (*ours, *of_keras)]
        hint = suggest(metric, names)
        if metric != name and name in (*known, *keras_catalog.known(METRICS)):
            raise MisfitError(("objective",), f"{metric!r} goes not with {task}{hint}")
        raise MisfitError(("objective",), f"{metric!r} is unknown{hint}")
    if name in ours:
        return
    if keras_catalog.rises(name) is None:
        raise MisfitError(
            ("objective",), f"Keras does not say whether more {name} is better; take another"
        )
    needed = keras_catalog.entry(METRICS, name)["needed"]
    if needed and name not in listed:
        raise MisfitError(("objective",), f"list {name} with its {needed[0]} under extra_metrics")


def complete(settings: dict[str, Any], task: str) -> None:
    """Fill in the loss and the metric of a task, and what is measured for the latter's sake."""
    settings.setdefault("loss", DEFAULT_LOSS[task])
    settings.setdefault("objective", VALIDATION + next(iter(OURS[task])))
    scored = settings["objective"].removeprefix(VALIDATION)
    asked = [*settings["extra_metrics"]]
    always = [name for name in OURS[task] if name not in ON_REQUEST]
    if scored not in (*always, *(keras_catalog.named(setting)[0] for setting in asked)):
        asked.append(scored)
    ours = [name for name in ON_REQUEST if name in asked]
    settings["extra_metrics"] = ours + [setting for setting in asked if setting not in ON_REQUEST]
