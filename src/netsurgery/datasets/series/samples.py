"""Samples from recordings: whole ones, windows with a label, and windows with what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsurgery.datasets.series.recordings import Recording, filled, fitted
from netsurgery.datasets.source import DataError


@dataclass(frozen=True)
class SeriesSamples:
    """Samples of a file or folder.

    Attributes:
        x: float64 (steps, channels) of each sample, without missing values.
        y: (n,) labels, (n, targets), or (n, horizon) of forecasts; empty where there are none.
        groups: (n,) what each belongs to; None: nothing.
        spans: (n, 2) first and last time of each, including its targets; None: there are no times.
        places: the recording of each, and its first step.
        notes: what the user should know, one line each.
    """

    x: list[np.ndarray]
    y: np.ndarray
    groups: np.ndarray | None
    spans: np.ndarray | None
    places: list[tuple[str, int]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Windows:
    """How recordings are cut.

    Attributes:
        steps: of a window.
        stride: steps from the start of a window to that of the next.
        horizon: steps after a window whose target is predicted; None: the label of its last step.
    """

    steps: int
    stride: int
    horizon: int | None

    def starts(self, recording: Recording) -> range:
        """The first step of every window; without labels, of those at the end of it too."""
        behind = 0 if recording.labels is None else self.horizon or 0
        return range(0, len(recording) - self.steps - behind + 1, self.stride)


def _filled(
    recordings: Sequence[Recording], channels: Sequence[str], origin: str
) -> Iterator[tuple[Recording, np.ndarray]]:
    """Every recording, and its values without gaps.

    Raises:
        DataError: a channel of a recording has no values at all.
    """
    for recording in recordings:
        values = filled(recording.values)
        if np.isnan(values).any():
            empty = int(np.flatnonzero(np.isnan(values).all(axis=0))[0])
            raise DataError(
                f"{origin}: {channels[empty]!r} has no values in series {recording.name!r}"
            )
        yield recording, values


def _notes_on_missing(recordings: Sequence[Recording], origin: str) -> list[str]:
    counts = [int(np.isnan(each.values).sum()) for each in recordings]
    if not any(counts):
        return []
    concerned = sum(map(bool, counts))
    return [
        f"{origin}: {sum(counts)} values are missing in {concerned} of {len(counts)} series; each "
        f"takes the value of the step before"
    ]


def whole(recordings: Sequence[Recording], channels: Sequence[str], origin: str) -> SeriesSamples:
    """A sample of each recording.

    Raises:
        DataError: the steps of a recording have different labels, or none.
    """
    x, y, spans = [], [], []
    for recording, values in _filled(recordings, channels, origin):
        x.append(values)
        spans.append((0, 0) if recording.times is None else recording.times[[0, -1]])
        if recording.labels is None:
            continue
        several = recording.labels.ndim > 1
        known = [label for label in recording.labels if not _is_missing(label)]
        labels = list(dict.fromkeys(map(tuple, known) if several else known))
        if len(labels) > 1:
            raise DataError(
                f"{origin}: series {recording.name!r} has several labels ({_shown(labels[0])}, "
                f"{_shown(labels[1])}); `window` cuts it into windows, each with the label of its "
                f"last step"
            )
        if not labels:
            raise DataError(f"{origin}: series {recording.name!r} has no label")
        y.append(labels[0])
    groups = [each.group for each in recordings]
    return SeriesSamples(
        x,
        np.array(y),
        None if None in groups else np.array(groups),
        None if any(each.times is None for each in recordings) else np.array(spans),
        [(each.name, 0) for each in recordings],
        tuple(_notes_on_missing(recordings, origin)),
    )


def windows(
    recordings: Sequence[Recording], channels: Sequence[str], origin: str, how: Windows
) -> SeriesSamples:
    """Windows of all recordings; those without a label or a target are left out.

    A single recording has the numbers of its steps as times if it has no others. Of several
    recordings, each is a group unless it belongs to one.

    Raises:
        DataError: no recording is long enough.
    """
    x, y, groups, spans, places, unlabelled = [], [], [], [], [], 0
    single = len(recordings) == 1
    for recording, values in _filled(recordings, channels, origin):
        times = np.arange(len(recording)) if recording.times is None else recording.times
        for start in how.starts(recording):
            end = start + how.steps
            last = end - 1
            if recording.labels is not None:
                last += how.horizon or 0
                label = recording.labels[end : last + 1] if how.horizon else recording.labels[last]
                if _is_missing(label):
                    unlabelled += 1
                    continue
                y.append(label)
            x.append(values[start:end])
            places.append((recording.name, start))
            groups.append(recording.group if recording.group is not None else recording.name)
            spans.append((times[start], times[last]))
    if not x:
        needed = how.steps + (how.horizon or 0)
        longest = max(map(len, recordings))
        raise DataError(
            f"{origin}: has no window of {needed} steps with a label; the longest series has "
            f"{longest} steps"
        )
    notes = [
        f"{origin}: {len(x)} windows of {how.steps} steps, one every {how.stride}"
        + (f", each with the {how.horizon} values after it" if how.horizon else "")
    ]
    if unlabelled:
        notes.append(f"{origin}: {unlabelled} windows without a label are left out")
    if short := [each.name for each in recordings if not how.starts(each)]:
        notes.append(f"{origin}: {len(short)} series are too short, such as {short[0]!r}")
    timed = single or all(each.times is not None for each in recordings)
    return SeriesSamples(
        x,
        np.array(y),
        None if single and recordings[0].group is None else np.array(groups),
        np.array(spans) if timed else None,
        places,
        (*notes, *_notes_on_missing(recordings, origin)),
    )


def stacked(x: Sequence[np.ndarray], steps: int) -> np.ndarray:
    """Samples as an array of the same number of steps, (n, steps, channels)."""
    return np.stack([fitted(values, steps) for values in x])


def notes_on_length(
    lengths: Sequence[int], steps: int, origin: str, settings: Mapping[str, Any]
) -> Iterator[str]:
    """What the user should know of series that are shorter or longer than the model takes.

    Args:
        lengths: of all series.
        steps: that the model takes.
        origin: of the series.
        settings: of the dataset.
    """
    shorter = sum(length < steps for length in lengths)
    longer = sum(length > steps for length in lengths)
    if shorter or longer:
        why = "`length`" if "length" in settings else "the longest in training; `length` sets it"
        yield (
            f"{origin}: series have {min(lengths)} to {max(lengths)} steps, the model takes {steps}"
            f" ({why}): {shorter} shorter ones repeat their last step, {longer} longer ones are "
            f"cut at the end; do the same before the model predicts"
        )


def _shown(label: Any) -> str:
    return repr(label) if isinstance(label, str) else str(np.asarray(label).tolist())


def _is_missing(label: object) -> bool:
    if isinstance(label, np.ndarray):
        return bool(np.isnan(label.astype(np.float64)).any())
    return label is None or label != label
