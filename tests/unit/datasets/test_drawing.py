"""Splits that respect groups and times, and the folds of a cross-validation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.datasets import DataError, SplitSettings, splits
from netsurgery.datasets.drawing import Drawing, Fold
from netsurgery.datasets.source import PARTS, SplitKeys


def split(drawing: Drawing, fold: Fold | None = None) -> dict[str, np.ndarray]:
    every = {"training": np.arange(len(drawing.y))}
    return splits.split(drawing, every, SplitSettings(0.2, 0.2), fold)


@given(st.integers(10, 40), st.integers(0, 9), st.booleans())
def test_no_group_is_on_two_sides(groups: int, seed: int, classified: bool) -> None:
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(groups), rng.integers(1, 9, groups))
    y = codes % 2 if classified else rng.normal(size=len(codes))
    names = ["a", "b"] if classified else None
    parts = split(Drawing(y, names, seed, SplitKeys("subject", groups=codes.astype(str))))
    assert sorted(np.concatenate([parts[p] for p in PARTS])) == list(range(len(codes)))
    seen = [set(codes[parts[p]]) for p in PARTS]
    assert sum(map(len, seen)) == groups
    assert abs(len(parts["test"]) - 0.2 * len(codes)) <= 8
    if classified:
        assert all(set(y[parts[p]]) == {0, 1} for p in PARTS)


@given(st.integers(40, 90), st.integers(0, 9), st.integers(0, 3))
def test_later_samples_are_tested(count: int, seed: int, length: int) -> None:
    first = np.random.default_rng(seed).integers(0, count, count)
    spans = np.stack([first, first + length], 1)
    parts = split(Drawing(first * 0.5, None, seed, SplitKeys("date", spans=spans)))
    for earlier, later in itertools.pairwise(PARTS):
        assert spans[parts[earlier], 1].max() < spans[parts[later], 0].min()
    assert 0.1 * count < len(parts["test"]) < 0.4 * count


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("names", [None, ["a", "b"]])
def test_folds_test_every_sample_once(names: list[str] | None, grouped: bool) -> None:
    codes = np.repeat(np.arange(12), 5)
    keys = SplitKeys("subject", groups=codes) if grouped else None
    y = codes % 2
    tested = []
    for index in range(4):
        drawing = Drawing(y, names, 40 + index, keys)
        parts = split(drawing, Fold(index, 4, 40))
        tested.append(parts["test"])
        assert sorted(np.concatenate([parts[p] for p in PARTS])) == list(range(60))
        if grouped:
            assert not set(codes[parts["test"]]) & set(codes[parts["training"]])
    assert sorted(np.concatenate(tested)) == list(range(60))
    other = split(Drawing(y, names, 40, keys), Fold(0, 4, 41))["test"]
    assert set(other) != set(tested[0])


Y = np.arange(20) % 2
GROUPS, TIMES = np.arange(20) // 10, np.repeat(np.arange(20)[:, None], 2, 1)


@pytest.mark.parametrize(
    ("y", "keys", "folds", "line"),
    [
        (Y, SplitKeys("subject", groups=np.zeros(20)), None, r"1 group \(subject\) is left"),
        (GROUPS, SplitKeys("subject", groups=GROUPS), None, "class a is in too few groups.*1 left"),
        (Y, SplitKeys("subject", groups=GROUPS), 3, r"2 groups \(subject\) are too few"),
        (Y, None, 11, "10 samples of class a are too few for 11 folds"),
        (Y, SplitKeys("date", spans=TIMES), 2, "split by time.*remove `folds`"),
        (
            1 - GROUPS,
            SplitKeys("date", spans=0 * TIMES),
            None,
            r"cannot be divided by time \(date\)",
        ),
        (np.arange(20) > 15, SplitKeys("date", spans=TIMES), None, "class b are in the test part"),
    ],
)
def test_impossible_splits_say_why(
    y: np.ndarray, keys: SplitKeys | None, folds: int | None, line: str
) -> None:
    with pytest.raises(DataError, match=line):
        split(Drawing(y.astype(int), ["a", "b"], 0, keys), Fold(0, folds, 0) if folds else None)
