"""Optimizer, loss and metrics of a search: whether they fit the task, and their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery.objectives import keras_catalog, schedules
from netsurgery.objectives.keras_catalog import LOSSES, METRICS, OPTIMIZERS
from netsurgery.objectives.metrics import BUILTIN, OPTIONAL, VALIDATION, is_maximized
from netsurgery.objectives.schedules import CONSTANT
from netsurgery.objectives.suggestions import suggest
from netsurgery.objectives.tasks import REGRESSION, TASKS, Task

WITH_MOMENTUM = (keras_catalog.SGD, "rmsprop")

MAYBE_NEGATIVE = ("loss", "poisson")  # of what is minimized

Place = tuple[str | int, ...]


class SettingError(ValueError):
    """A setting is invalid, or does not fit the task.

    Args:
        where: The keys that lead to it.
        message: What is wrong, and what is allowed.
    """

    def __init__(self, where: Place, message: str) -> None:
        super().__init__(message)
        self.where = where


def check(search: Mapping[str, Any], task: str, *, logits: bool) -> None:
    """Check the optimizer, the loss and the metrics of a search.

    Args:
        search: Its settings; they meet the schema.
        task: Its name, such as classification.
        logits: Whether the networks' outputs for classes are linear.

    Raises:
        SettingError: Naming the setting.
    """
    kind = TASKS[task]
    optimizer = search.get("optimizer", keras_catalog.SGD)
    _check_setting(OPTIMIZERS, optimizer, ("optimizer",), kind)
    name, _ = keras_catalog.split_setting(optimizer)
    if search.get("momentum") and name not in WITH_MOMENTUM:
        raise SettingError(
            ("momentum",), f"{name} takes no momentum (only {' and '.join(WITH_MOMENTUM)} do)"
        )
    if search.get("weight_decay"):
        _check_own_decay(optimizer)
    try:
        schedules.read_schedule(search.get("schedule", CONSTANT))
    except ValueError as error:
        raise SettingError(("schedule",), str(error)) from None
    _check_loss(search.get("loss", kind.loss), kind, logits=logits)
    recorded = _check_extra_metrics(search.get("extra_metrics", ()), kind)
    _check_objective(search.get("objective", "val_loss"), kind, recorded)
    if search.get("target") is not None:
        _check_target(search["target"], search.get("objective", default_objective(task)), task)


def _check_own_decay(optimizer: Any) -> None:
    """Check that an optimizer does not decay weights itself."""
    name, arguments = keras_catalog.split_setting(optimizer)
    own = {**keras_catalog.find(OPTIMIZERS, name).arguments, **arguments}.get("weight_decay")
    if own:
        raise SettingError(
            ("weight_decay",),
            f"{name} decays all weights itself, by {own:g}; to decay kernels only, write"
            f" optimizer: {{{name}: {{weight_decay: 0.0}}}}",
        )


def _check_setting(
    kind: str, setting: Any, where: Place, task: Task, allowed: list[str] | None = None
) -> None:
    name, _ = keras_catalog.split_setting(setting)
    elsewhere = (*keras_catalog.names(kind), *(OPTIONAL if kind == METRICS else ()))
    if allowed is not None and name not in allowed and name in elsewhere:
        raise SettingError(where, f"{name!r} does not fit {task.name}{suggest(name, allowed)}")
    try:
        keras_catalog.check(kind, setting, allowed or ())
    except ValueError as error:
        raise SettingError(where, str(error)) from None


def _check_loss(setting: Any, task: Task, *, logits: bool) -> None:
    _check_setting(LOSSES, setting, ("loss",), task, task.every_loss)
    name, _ = keras_catalog.split_setting(setting)
    if task.has_classes and logits and not keras_catalog.find(LOSSES, name).takes_logits:
        suitable = [n for n in task.every_loss if keras_catalog.find(LOSSES, n).takes_logits]
        message = f"{name} takes no logits, which are the outputs of this topology"
        raise SettingError(("loss",), f"{message} (allowed: {', '.join(suitable)})")


def _check_extra_metrics(settings: Any, task: Task) -> set[str]:
    """Check the metrics to record; return their names."""
    seen: set[str] = set()
    for i, setting in enumerate(settings):
        name, arguments = keras_catalog.split_setting(setting)
        if name not in task.optional or arguments:
            allowed = [*task.optional, *task.every_keras_metric]
            _check_setting(METRICS, setting, ("extra_metrics", i), task, allowed)
        if name in seen:
            raise SettingError(("extra_metrics", i), f"{name} is listed twice")
        seen.add(name)
    return seen


def _check_objective(metric: str, task: Task, recorded: set[str]) -> None:
    where = ("objective",)
    name = metric.removeprefix(VALIDATION)
    builtin, of_keras = task.metrics, task.every_keras_metric
    if metric == name or name not in (*builtin, *of_keras):
        hint = suggest(metric, [VALIDATION + each for each in (*builtin, *of_keras)])
        if metric != name and name in {*BUILTIN, *keras_catalog.names(METRICS)}:
            raise SettingError(where, f"{metric!r} does not fit {task.name}{hint}")
        raise SettingError(where, f"unknown metric {metric!r}{hint}")
    if name in builtin:
        return
    found = keras_catalog.find(METRICS, name)
    if found.maximize is None:
        raise SettingError(
            where, f"Keras does not say whether more {name} is better; choose another metric"
        )
    if found.required and name not in recorded:
        raise SettingError(where, f"list {name} with its {found.required[0]} under extra_metrics")


def default_objective(task: str) -> str:
    """Return what the candidates of a task are scored by."""
    return VALIDATION + next(iter(TASKS[task].metrics))


def _check_target(target: float, metric: str, task: str) -> None:
    """Check that a target can be reached, and not by every network."""
    where = ("target",)
    if is_maximized(metric):
        if target > 1:
            write = f"; write {target / 100:g}" if target <= 100 else ""
            raise SettingError(where, f"{target:g} is out of reach: {metric} is at most 1{write}")
        if target <= 0 and task != REGRESSION:
            raise SettingError(where, f"every network reaches {target:g}: {metric} is at least 0")
    elif target < 0 and metric.removeprefix(VALIDATION) not in MAYBE_NEGATIVE:
        raise SettingError(where, f"{target:g} is out of reach: {metric} is at least 0")


def fill_task_defaults(settings: dict[str, Any], task: str) -> None:
    """Set the default loss and objective of a task, and record the metric of the objective.

    Arguments of Keras classes that are as Keras has them by default are left out.

    Args:
        settings: Those of a search, otherwise complete; they are changed in place.
        task: Its name, such as classification.
    """
    kind = TASKS[task]
    settings.setdefault("loss", kind.loss)
    settings["schedule"] = schedules.without_defaults(settings["schedule"])
    for key, classes in (("optimizer", OPTIMIZERS), ("loss", LOSSES)):
        settings[key] = keras_catalog.without_defaults(classes, settings[key])
    if keras_catalog.split_setting(settings["optimizer"])[0] not in WITH_MOMENTUM:
        settings["momentum"] = 0  # where the default of the algorithm is another one
    settings.setdefault("objective", default_objective(task))
    scored = settings["objective"].removeprefix(VALIDATION)
    requested = [*settings["extra_metrics"]]
    always = [name for name in kind.metrics if name not in kind.optional]
    if scored not in (*always, *(keras_catalog.split_setting(each)[0] for each in requested)):
        requested.append(scored)
    optional = [name for name in kind.optional if name in requested]
    settings["extra_metrics"] = optional + [each for each in requested if each not in optional]
