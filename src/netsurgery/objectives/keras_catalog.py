"""Keras's optimizers, losses and metrics by name, known without importing Keras.

A setting is the name of one, or a mapping of its name to arguments of Keras's: `adamw`, or
`{adamw: {weight_decay: 0.01}}`. The file beside this module is made of Keras itself by
`tools.generate_keras_catalog`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from netsurgery.objectives.suggestions import suggest

OPTIMIZERS, LOSSES, METRICS = "optimizers", "losses", "metrics"
CROSSENTROPY = "crossentropy"
# short names of ours
SHORT = {
    CROSSENTROPY: "sparse_categorical_crossentropy",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
}
# of targets that are scaled to mean 0, and so of either sign
LOSSES_OF_NUMBERS = (
    *("mse", "mae", "huber", "mean_squared_error", "mean_absolute_error"),
    *("log_cosh", "cosine_similarity"),
)

Setting = str | Mapping[str, Mapping[str, Any]]
Entry = dict[str, Any]


@cache
def _catalogue() -> dict[str, Any]:
    return json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def named(setting: Setting) -> tuple[str, dict[str, Any]]:
    """The name that a setting gives, and the arguments."""
    if isinstance(setting, str):
        return setting, {}
    ((name, arguments),) = setting.items()
    return name, dict(arguments)


def entry(kind: str, name: str) -> Entry:
    """What Keras's class of that name is: `class`, `arguments` with their defaults, `needed` ones.

    Losses say whether they take logits (`takes_logits`); metrics whether more is better (`rises`;
    None where Keras does not say), whether they are of numbers rather than of classes
    (`of_numbers`), and whether they must be told how many classes there are (`counts_classes`).

    Raises:
        KeyError: there is none.
    """
    return _catalogue()[kind][SHORT.get(name, name)]


def known(kind: str) -> list[str]:
    """The names of a kind, the short ones of losses included."""
    return sorted([*_catalogue()[kind], *(SHORT if kind == LOSSES else ())])


def check(kind: str, setting: Setting, names: Iterable[str] = ()) -> None:
    """Refuse what is none, and arguments that it has not.

    Args:
        kind: optimizers, losses or metrics.
        setting: a name, or a mapping of one name to a mapping.
        names: those allowed here; by default all of the kind.

    Raises:
        ValueError: what is wrong, and what would be right.
    """
    name, arguments = named(setting)
    names = list(names) or known(kind)
    if name not in names:
        raise ValueError(f"{name!r} is unknown{suggest(name, names)}")
    of_keras = SHORT.get(name, name) in _catalogue()[kind]
    found: Entry = entry(kind, name) if of_keras else {"arguments": {}, "needed": []}
    taken = [*found["needed"], *found["arguments"]]
    for argument, value in arguments.items():
        if argument not in taken:
            raise ValueError(f"{name} has no argument {argument!r}{suggest(argument, taken)}")
        default = found["arguments"].get(argument)
        if not _fits(value, default):
            raise ValueError(f"{name}'s {argument} is not {value!r}, but like {default!r}")
    for argument in found["needed"]:
        if argument not in arguments:
            raise ValueError(f"{name} needs its argument {argument}: {{{name}: {{{argument}: …}}}}")


def _fits(value: Any, default: Any) -> bool:
    """Whether a value is of the kind of a default; where that is none, any that is plain."""
    if default is None:
        return not isinstance(value, Mapping)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))


def rises(metric: str) -> bool | None:
    """Whether more of one of Keras's metrics is better; None where Keras does not say.

    Raises:
        KeyError: there is no such metric.
    """
    return entry(METRICS, metric)["rises"]


def as_text(setting: Setting) -> str:
    """A setting for readers: `adamw (weight_decay 0.01)`."""
    name, arguments = named(setting)
    said = ", ".join(f"{key} {value}" for key, value in arguments.items())
    return f"{name} ({said})" if said else name
