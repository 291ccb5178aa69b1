"""Keras's optimizers, losses and metrics by name, known without importing Keras.

A setting is a name or a mapping of one name to arguments of the Keras class: `adamw`, or
`{adamw: {weight_decay: 0.01}}`. `keras_catalog.json` is generated from Keras by
`tools/generate_keras_catalog.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from netsurgery.objectives.misread_numbers import number_hint
from netsurgery.objectives.suggestions import suggest

OPTIMIZERS, LOSSES, METRICS = "optimizers", "losses", "metrics"
SINGULAR = {OPTIMIZERS: "optimizer", LOSSES: "loss", METRICS: "metric"}
SGD = "sgd"  # the default
CROSSENTROPY = "crossentropy"
SHORT_NAMES = {
    CROSSENTROPY: "sparse_categorical_crossentropy",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
}

Setting = str | Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class KerasClass:
    """A Keras class that a setting can name.

    Attributes:
        class_name: Its name in Keras.
        arguments: Its optional arguments, with their defaults.
        required: Its arguments without defaults.
        learning_rate: The default of an optimizer.
        takes_logits: Whether a loss can take logits.
        maximize: Whether more of a metric is better; None if Keras does not say.
        for_regression: Whether a metric compares numbers rather than classes.
        takes_class_count: Whether a metric takes the number of classes as an argument.
    """

    class_name: str
    arguments: Mapping[str, Any]
    required: tuple[str, ...]
    learning_rate: float | None = None
    takes_logits: bool = False
    maximize: bool | None = None
    for_regression: bool = False
    takes_class_count: bool = False


@cache
def _catalog() -> dict[str, dict[str, KerasClass]]:
    content = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {
        kind: {
            name: KerasClass(**(fields | {"required": tuple(fields["required"])}))
            for name, fields in content[kind].items()
        }
        for kind in (OPTIMIZERS, LOSSES, METRICS)
    }


def split_setting(setting: Setting) -> tuple[str, dict[str, Any]]:
    """Return the name and the arguments of a setting."""
    if isinstance(setting, str):
        return setting, {}
    ((name, arguments),) = setting.items()
    return name, dict(arguments)


def without_defaults(kind: str, setting: Setting) -> Setting:
    """Return a setting without arguments that are as Keras has them by default.

    Args:
        kind: `OPTIMIZERS`, `LOSSES` or `METRICS`.
        setting: A valid setting.
    """
    name, arguments = split_setting(setting)
    if not arguments:
        return name
    defaults = find(kind, name).arguments
    kept = {
        key: value
        for key, value in arguments.items()
        if key not in defaults or value != defaults[key]
    }
    return {name: kept} if kept else name


def find(kind: str, name: str) -> KerasClass:
    """Return the Keras class of a name.

    Args:
        kind: `OPTIMIZERS`, `LOSSES` or `METRICS`.
        name: A name of that kind, or a short one.

    Raises:
        KeyError: There is no such class.
    """
    return _catalog()[kind][SHORT_NAMES.get(name, name)]


def names(kind: str) -> list[str]:
    """Return all names of a kind, the short ones of losses included."""
    return sorted([*_catalog()[kind], *(SHORT_NAMES if kind == LOSSES else ())])


def check(kind: str, setting: Setting, allowed: Iterable[str] = ()) -> None:
    """Check the name and the arguments of a setting.

    Args:
        kind: `OPTIMIZERS`, `LOSSES` or `METRICS`.
        setting: A name, or a mapping of one name to its arguments.
        allowed: The names allowed here, which may include metrics that are not Keras's; by default
            all names of the kind.

    Raises:
        ValueError: What is wrong, and what is allowed.
    """
    name, arguments = split_setting(setting)
    allowed = list(allowed) or names(kind)
    if name not in allowed:
        raise ValueError(f"unknown {SINGULAR[kind]} {name!r}{suggest(name, allowed)}")
    in_keras = SHORT_NAMES.get(name, name) in _catalog()[kind]
    found = find(kind, name) if in_keras else KerasClass(name, {}, ())
    known = [*found.required, *found.arguments]
    for argument, value in arguments.items():
        if argument not in known:
            raise ValueError(f"{name} has no argument {argument!r}{suggest(argument, known)}")
        default = found.arguments.get(argument)
        hint = "" if isinstance(default, str) else number_hint(value)
        if hint:
            raise ValueError(f"argument {argument} of {name} is {value!r}{hint}")
        if not _has_type_of(value, default):
            raise ValueError(
                f"argument {argument} of {name} is {value!r}; it must be of the type of its default"
                f" {default!r}"
            )
    for argument in found.required:
        if argument not in arguments:
            example = f"{{{name}: {{{argument}: ...}}}}"
            raise ValueError(f"{name} requires the argument {argument}: write {example}")


def _has_type_of(value: Any, default: Any) -> bool:
    """Whether a value has the type of a default; if that is None, any but a mapping will do."""
    if default is None:
        return not isinstance(value, Mapping)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))


def describe(setting: Setting) -> str:
    """Return a setting in human-readable form, such as `adamw (weight_decay 0.01)`."""
    name, arguments = split_setting(setting)
    listed = ", ".join(f"{key} {value}" for key, value in arguments.items())
    return f"{name} ({listed})" if listed else name
