"""Series in `.ts` files, the format of the UCR and UEA archives, of aeon and sktime.

See https://www.aeon-toolkit.org, "The .ts file format": lines of settings that start with `@`, and
after `@data` a line per series, its channels and its label separated by colons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from netsurgery.datasets import file_kinds
from netsurgery.datasets.series.recordings import Recording, Recordings, class_name
from netsurgery.datasets.source import DataError
from netsurgery.objectives.tasks import MULTILABEL

COLON = re.compile(r":(?![^()]*\))")  # not in the time of a value
TIMED = re.compile(r"\(([^,()]*),([^()]*)\)")  # (time, value)


def read_ts(path: Path, task: str, *, labelled: bool = True) -> Recordings:
    """Read a `.ts` file.

    Raises:
        DataError: it is none, a line in it is damaged, or it cannot have such labels.
    """
    if task == MULTILABEL:
        raise DataError(
            f"{path}: a .ts file has one label for each series; for several save the series as a "
            f"table or as arrays"
        )
    header = _Header()
    found: list[Recording] = []
    for number, line in _lines(path):
        if not header.complete:
            header.read(line)
            continue
        *channels, label = COLON.split(line)
        if not header.labelled:
            channels, label = [*channels, label], ""
        where = f"{path}: line {number}"
        values = [_values(channel, where) for channel in channels]
        steps = max(map(len, values), default=0)
        if not steps:
            raise DataError(f"{where} has no values")
        if found and len(values) != found[0].values.shape[1]:
            raise DataError(
                f"{where} has {len(values)} channels, but the first series has "
                f"{found[0].values.shape[1]}"
            )
        table = np.full((steps, len(values)), np.nan)
        for i, channel in enumerate(values):
            table[: len(channel), i] = channel
        labels = None
        if header.labelled and labelled:
            labels = np.repeat(_label(label.strip(), task, where), steps)
        found.append(Recording(f"line {number}", table, labels))
    if not header.complete:
        raise DataError(f"{path}: has no line `@data`; is it a .ts file of the UCR archive?")
    if not found:
        raise DataError(f"{path}: has no series after `@data`")
    if labelled and not header.labelled:
        raise DataError(f"{path}: has no labels (`@classLabel true` or `@targetLabel true`)")
    names = tuple(f"channel {i}" for i in range(found[0].values.shape[1]))
    return Recordings(found, names)


class _Header:
    """The lines before the data."""

    def __init__(self) -> None:
        self.complete = self.labelled = False

    def read(self, line: str) -> None:
        name, *values = line.lower().split()
        if name in ("@classlabel", "@targetlabel"):
            self.labelled |= values[:1] == ["true"]
        self.complete = name == "@data"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank and no comments, with their numbers from 1."""
    try:
        with file_kinds.open_bytes(path) as file:
            for number, line in enumerate(file, 1):
                text = line.decode("utf-8-sig", "replace").strip()
                if text and not text.startswith(("#", "%")):
                    yield number, text
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None


def _values(text: str, where: str) -> np.ndarray:
    """The values of a channel; with times, only their order counts."""
    listed = [value for _, value in TIMED.findall(text)] if "(" in text else text.split(",")
    try:
        found = np.array([np.nan if v.strip() == "?" else float(v) for v in listed])
    except ValueError:
        wrong = next(v for v in listed if not _is_number(v))
        raise DataError(f"{where}: {wrong.strip()!r} is not a number") from None
    if np.isinf(found).any():
        raise DataError(f"{where} has an infinite value")
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text.strip() == "?"
    return True


def _label(text: str, task: str, where: str) -> np.ndarray:
    if task == "regression":
        if not _is_number(text) or text == "?":
            raise DataError(f"{where}: the target {text!r} is not a number; regression needs one")
        return np.array([float(text)])
    return np.array([class_name(text)], dtype=object)
