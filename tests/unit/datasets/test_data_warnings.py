"""Warnings about what makes results mean little: leaks, constants, repeated samples."""

import numpy as np
import pandas as pd
import pytest

from netsurgery.datasets import leaks, repeats
from tests.unit.datasets.table_examples import prepared

N = 120
RNG = np.random.default_rng(1)
Y = RNG.integers(0, 3, N)
LEAKS = {
    "a copy": Y,
    "another name": np.array(["low", "mid", "high"])[Y],
    "a consequence": Y * 10 + RNG.random(N),
    "missing in one class": np.where(Y == 1, np.nan, RNG.random(N) + 5 * Y),
}
HARMLESS = {
    "noise": RNG.random(N),
    "a good predictor": Y + RNG.normal(0, 0.5, N),
    "a category of few rows each": [f"c{i // 2}" for i in range(N)],
    "another class": np.array(list("abc"))[RNG.integers(0, 3, N)],
}


def frame_with(values, target):
    harmless = np.random.default_rng(2).random(len(target))
    return pd.DataFrame({"n": harmless, "v": values, "class": target})


def said(notes, words):
    return [note for note in notes if words in note]


@pytest.mark.parametrize("case", LEAKS)
def test_a_column_that_gives_the_class_away_is_named(case, tmp_path):
    *_, notes = prepared(tmp_path, frame_with(LEAKS[case], Y).to_csv(index=False))
    (note,) = said(notes, "the target away")
    assert "'v' gives" in note
    assert "set `drop: [v]`" in note


@pytest.mark.parametrize("case", HARMLESS)
def test_other_columns_do_not_give_the_class_away(case, tmp_path):
    *_, notes = prepared(tmp_path, frame_with(HARMLESS[case], Y).to_csv(index=False))
    assert not said(notes, "the target away")


@pytest.mark.parametrize(
    ("values", "leaks"),
    [
        (lambda y: np.exp(y / 3), True),
        (lambda y: -5 * y + 1, True),
        (lambda y: np.where(y > 0, "up", "down"), False),
        (lambda y: y + RNG.normal(0, 0.5, len(y)), False),
    ],
)
def test_a_function_of_a_numeric_target_gives_it_away(values, leaks, tmp_path):
    y = RNG.normal(size=N)
    content = frame_with(values(y), y).to_csv(index=False)
    *_, notes = prepared(tmp_path, content, task="regression")
    assert bool(said(notes, "the target away")) == leaks


def test_a_rare_class_hides_no_leak_and_makes_none():
    y = (np.arange(1000) % 50 == 0).astype(int)
    columns = [{"name": name, "kind": "number"} for name in ("same", "noise")]
    features = [{"column": column["name"]} for column in columns]
    x = np.stack([y, np.random.default_rng(0).random(1000)], axis=1)
    assert leaks.columns_that_tell(x, y, columns, features, "classification") == {"same": True}


def test_a_threshold_of_a_measured_value_is_no_copy(tmp_path):
    value = RNG.normal(size=N)
    frame = frame_with(value, np.where(value > 0.5, "high", "low")).assign(
        copy=np.sign(value - 0.5)
    )
    _, described, notes = prepared(tmp_path, frame.to_csv(index=False))
    assert "'v', 'copy' each give" in said(notes, "the target away")[0]
    dropped = [s["value"] for s in described["suggestions"] if s["key"] == "drop"]
    assert dropped == [["copy"]]


def test_a_constant_column_is_named(tmp_path):
    *_, notes = prepared(tmp_path, frame_with(7, Y).to_csv(index=False))
    assert said(notes, "the same value in all rows")[0].endswith("set `drop: [v]`")
    sometimes = np.where(np.arange(N) % 9, 7, np.nan)  # that it is missing says something
    *_, notes = prepared(tmp_path, frame_with(sometimes, Y).to_csv(index=False))
    assert not said(notes, "the same value in all rows")


def test_numbers_that_a_typed_file_holds_as_text_are_named(tmp_path):
    frame = frame_with(RNG.integers(0, 90, N).astype(str), Y)
    *_, notes = prepared(tmp_path, frame, name="table.parquet")
    assert said(notes, "numbers that the file holds as text")
    *_, notes = prepared(tmp_path, frame.to_csv(index=False))
    assert not said(notes, "numbers that the file holds as text")


def test_large_integers_are_said_to_be_beyond_float32(tmp_path):
    seconds = 1_700_000_000 + RNG.integers(0, 99, N)
    *_, notes = prepared(tmp_path, frame_with(seconds, Y).to_csv(index=False))
    (note,) = said(notes, "float32 would round")
    assert "'v'" in note
    assert "'n'" not in note


def repeat_warnings(x, y, **parts):
    return list(repeats.warnings(np.array(x), np.array(y), parts, "here"))


def test_test_samples_that_were_trained_on_are_counted():
    x, y = [[1.0], [2.0], [2.0], [1.0], [3.0]], [0, 1, 1, 1, 0]
    (line,) = repeat_warnings(x, y, training=np.arange(2), test=np.arange(2, 5))
    assert line.startswith("here: 1 of 3 test samples equal a training sample")


@pytest.mark.parametrize(("copies", "warned"), [(0, False), (1, False), (3, True)])
def test_repeated_training_samples_are_counted(copies, warned):
    x = [*range(150), *range(copies)]
    lines = repeat_warnings(x, [0] * len(x), training=np.arange(len(x)))
    assert len(lines) == warned
    assert all(f"{copies} of {len(x)} training samples repeat" in line for line in lines)
