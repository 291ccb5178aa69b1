"""Recordings: what readers of series give, before they are samples."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Recording:
    """Some channels over time, with what is to be learnt of them.

    Attributes:
        name: of the series in its file, or of its file, for messages.
        values: float64 (steps, channels); NaN marks a missing value.
        labels: (steps,) of every step, or (steps, targets); None: they are missing, as in a file to
            predict.
        times: (steps,) ascending; None: the steps have no times.
        group: what the recording belongs to, such as a person; None: nothing known.
    """

    name: str
    values: np.ndarray
    labels: np.ndarray | None
    times: np.ndarray | None = None
    group: str | None = None

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Recordings:
    """All recordings of a file or folder.

    Attributes:
        all: the recordings.
        channels: their names.
        notes: what the user should know of how they were read, one line each.
        classes: the names of the classes, if the source lists them.
        targets: the names of the columns to predict; empty without columns.
    """

    all: list[Recording]
    channels: tuple[str, ...]
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None
    targets: tuple[str, ...] = ()


def class_name(label: str) -> str:
    """The name of a class: a whole number without what a file adds to it, as in 1.0000000e+00."""
    if not re.fullmatch(r"[+-]?\d+\.\d*(?:[eE][+-]?\d+)?", label):
        return label
    value = float(label)
    return str(int(value)) if value.is_integer() else label


def filled(values: np.ndarray) -> np.ndarray:
    """Values without gaps: a missing one takes the one before it; the first ones, the one after.

    A channel without any value stays missing.

    Args:
        values: float64 (steps, channels).
    """
    missing = np.isnan(values)
    if not missing.any():
        return values
    steps = np.arange(len(values))[:, None]
    before = np.maximum.accumulate(np.where(missing, -1, steps), axis=0)
    first = np.argmax(~missing, axis=0)
    source = np.where(before < 0, first, before)
    return np.take_along_axis(values, source, axis=0)


def fitted(values: np.ndarray, steps: int) -> np.ndarray:
    """Values of a number of steps: cut at the end, or the last step repeated.

    Args:
        values: (some steps, channels).
        steps: of the result.
    """
    if len(values) >= steps:
        return values[:steps]
    return np.concatenate([values, np.repeat(values[-1:], steps - len(values), axis=0)])
