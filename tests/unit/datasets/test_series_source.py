"""Series as people have them: tables, UCR files, folders of recordings, windows of one series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery import datasets
from netsurgery.config.errors import ConfigError
from netsurgery.datasets import DataError
from netsurgery.datasets.registry import read_new
from netsurgery.datasets.series.recordings import Recording, filled, fitted
from netsurgery.datasets.series.samples import Windows, windows
from tests.unit.datasets.series_examples import FORMS, LABELS, X, prepared, rows


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_series(form: str, tmp_path: Path) -> None:
    x, y, data = prepared(tmp_path, **FORMS[form](tmp_path / form))
    assert (data["classes"], data["shape"]) == (["bad", "good"], [6, 1])
    order = np.argsort(LABELS, kind="stable") if form == "recordings" else np.arange(8)
    np.testing.assert_allclose(x, X[order], rtol=1e-6)
    np.testing.assert_array_equal(y, np.array([label == "good" for label in LABELS])[order])


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_a_trained_model_gets_the_same_series(form: str, labelled: bool, tmp_path: Path) -> None:
    path = tmp_path / form
    x, y, data = prepared(tmp_path, **FORMS[form](path))
    if not labelled and form in ("wide.csv", "long.csv"):
        frame = pd.read_csv(path, sep=None, engine="python")
        frame.drop(columns=["label"]).to_csv(path, index=False)
    if labelled and form == "x.npz":
        np.savez(path, x=X, y=LABELS)
    batches = list(read_new(data, path, labelled=labelled).batches)
    found = np.concatenate([np.asarray(batch.inputs) for batch in batches])
    np.testing.assert_allclose(found, x, rtol=1e-6)
    if labelled:
        labels = np.concatenate([batch.labels for batch in batches])
        np.testing.assert_array_equal(labels, np.array(data["classes"])[y])


LOUD, FAST = np.arange(8) % 2, np.arange(8) % 3 // 2
GRADES = np.stack([np.arange(8) / 2, 10.0 - np.arange(8)], axis=1)
YES_OR_NO = {"loud": np.where(LOUD, "yes", "no"), "fast": FAST}
KINDS = [";".join(["loud"] * a + ["fast"] * b) for a, b in zip(LOUD, FAST, strict=True)]
# columns, settings, and what is prepared
SEVERAL: dict[str, tuple[dict[str, Any], dict[str, Any], np.ndarray]] = {
    "labels": (YES_OR_NO, {"task": "multilabel"}, np.stack([LOUD, FAST], axis=1)),
    "labels in a text": (
        {"kinds": KINDS},
        {"task": "multilabel", "label_separator": ";"},
        np.stack([FAST, LOUD], axis=1),
    ),
    "numbers": ({"a": GRADES[:, 0], "b": GRADES[:, 1]}, {"task": "regression"}, GRADES),
}


@pytest.mark.parametrize("case", SEVERAL)
@pytest.mark.parametrize("form", ["wide", "long"])
def test_a_series_may_have_several_labels(form: str, case: str, tmp_path: Path) -> None:
    columns, chosen, expected = SEVERAL[case]
    steps = pd.DataFrame(X[..., 0], columns=[f"t{i}" for i in range(6)])
    if form == "long":
        run, step = np.divmod(np.arange(48), 6)
        steps = pd.DataFrame({"run": run, "x": X[run, step, 0]})
        columns = {name: np.asarray(values)[run] for name, values in columns.items()}
        chosen = {"id": "run", **chosen}
    path = tmp_path / "a.csv"
    steps.assign(**columns).to_csv(path, index=False)
    target = [*columns] if len(columns) > 1 else "kinds"
    x, y, data = prepared(tmp_path, path=str(path), target=target, **chosen)
    np.testing.assert_allclose(x, X, rtol=1e-6)
    np.testing.assert_allclose(y, expected)
    names = data["labels"] or data["targets"]
    assert [*names] == (["fast", "loud"] if target == "kinds" else target)
    (batch,) = read_new(data, path, labelled=True).batches
    assert batch.labels is not None
    assert batch.labels.shape == ((8,) if target == "kinds" else (8, 2))
    steps.to_csv(path, index=False)
    (batch,) = read_new(data, path, labelled=False).batches
    np.testing.assert_allclose(np.asarray(batch.inputs), X, rtol=1e-6)


@pytest.mark.parametrize("form", ["x.ts", "recordings"])
def test_files_of_one_label_have_no_several(form: str, tmp_path: Path) -> None:
    settings = FORMS[form](tmp_path / form)
    with pytest.raises(DataError, match=f"{form}: a .* one label for each|no several labels"):
        prepared(tmp_path, task="multilabel", **settings)


def test_a_forecast_is_of_one_column(tmp_path: Path) -> None:
    settings = weather(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="2 targets; a forecast is of one column"):
        prepared(tmp_path, **{**settings, "target": ["temperature", "date"]}, window=5, horizon=2)


def test_the_end_of_a_series_is_forecast(tmp_path: Path) -> None:
    settings = weather(tmp_path / "a.csv")
    x, _, data = prepared(tmp_path, **settings, window=5, horizon=2)
    new = read_new(data, tmp_path / "a.csv", labelled=False)
    (batch,) = new.batches
    assert data["targets"] == ["temperature+1", "temperature+2"]
    assert batch.keys["first step"][-1] == 55
    inputs = np.asarray(batch.inputs)
    np.testing.assert_array_equal(inputs[: len(x)], x)
    np.testing.assert_array_equal(inputs[-1, :, 0], np.arange(55, 60))


def test_short_series_repeat_their_last_step(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("1\t3\t4\t5\n2\t6\tNaN\tNaN\n1\t1\t?\t2\n2\t0\t1\t2\n")
    x, _, data = prepared(tmp_path, path=str(tmp_path / "a.tsv"))
    np.testing.assert_array_equal(x[..., 0], [[3, 4, 5], [6, 6, 6], [1, 1, 2], [0, 1, 2]])
    said = "\n".join(data["warnings"])
    assert "series have 1 to 3 steps" in said
    assert "1 values are missing in 1 of 4 series" in said
    x, *_ = prepared(tmp_path, path=str(tmp_path / "a.tsv"), length=2)
    np.testing.assert_array_equal(x[..., 0], [[3, 4], [6, 6], [1, 1], [0, 1]])


NAN = np.nan


def test_a_gap_takes_the_value_before_it() -> None:
    values = np.array([[NAN, 1], [2, NAN], [NAN, NAN], [5, 3.0]])
    np.testing.assert_array_equal(filled(values), [[2, 1], [2, 1], [2, 1], [5, 3]])
    assert fitted(values[:2], 3).shape == (3, 2)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=3),
    st.integers(1, 8),
    st.integers(1, 5),
    st.one_of(st.none(), st.integers(1, 4)),
)
def test_windows_hold_what_precedes_their_labels(
    lengths: list[int], steps: int, stride: int, horizon: int | None
) -> None:
    """A value tells its recording and step, so that nothing can be mixed up."""
    recordings = [
        Recording(str(i), np.arange(n)[:, None] + 1000.0 * i, np.arange(n) + 1000.0 * i)
        for i, n in enumerate(lengths)
    ]
    if max(lengths) < steps + (horizon or 0):
        with pytest.raises(DataError, match="has no window"):
            windows(recordings, ("x",), "a", Windows(steps, stride, horizon))
        return
    found = windows(recordings, ("x",), "a", Windows(steps, stride, horizon))
    count = sum(len(range(0, n - steps - (horizon or 0) + 1, stride)) for n in lengths)
    assert len(found.x) == len(found.y) == count
    for x, y in zip(found.x, found.y, strict=True):
        first = x[0, 0]
        assert first % 1000 % stride == 0
        np.testing.assert_array_equal(x[:, 0], np.arange(first, first + steps))
        after = first + steps
        np.testing.assert_array_equal(
            y, np.arange(after, after + horizon) if horizon else after - 1
        )


def weather(path: Path, days: int = 60) -> dict[str, Any]:
    """A table of one series with dates, the day first."""
    lines = [[f"{1 + i % 28:02}/{1 + i // 28:02}/2020", i, 2 * i] for i in range(days)]
    path.write_text(rows(["date", "temperature", "pressure"], lines))
    return {"path": str(path), "time": "date", "target": "temperature"}


def test_forecasts_are_tested_on_later_days(tmp_path: Path) -> None:
    settings = weather(tmp_path / "a.csv")
    x, y, data = prepared(tmp_path, **settings, window=5, horizon=2)
    assert (data["task"], data["outputs"], data["shape"]) == ("regression", 2, [5, 2])
    np.testing.assert_array_equal(x[:, -1, 0] + 1, y[:, 0])
    np.testing.assert_array_equal(x[:, -1, 1], 2 * x[:, -1, 0])
    split = tmp_path / "split.npz"
    datasets.write_split(tmp_path / "prepared", split, datasets.SplitSettings(0.2, 0.2), 0)
    parts = np.load(split)
    assert y[parts["training"]].max() < x[parts["validation"]][..., 0].min()
    assert y[parts["validation"]].max() < x[parts["test"]][..., 0].min()


def test_without_a_horizon_the_last_label_counts(tmp_path: Path) -> None:
    x, y, data = prepared(tmp_path, **weather(tmp_path / "a.csv"), window=4, task="regression")
    assert data["shape"] == [4, 1]  # the target is no input
    np.testing.assert_array_equal(x[:, -1, 0], 2 * y[:, 0])
    np.testing.assert_array_equal(np.diff(y[:, 0]), 2)  # half a window


STEPS = "id,t,x,y\n1,0,3,a\n1,1,4,a\n2,0,5,b\n2,1,6,b\n"


@pytest.mark.parametrize(
    ("text", "settings", "line"),
    [
        (STEPS, {}, "which column is the label.*columns: id, t, x, y"),
        (STEPS, {"id": "run", "target": "y"}, "has no column 'run'"),
        (STEPS.replace("4,a", "4,b"), {"id": "id", "target": "y"}, "series '1' has several labels"),
        (STEPS.replace("2,1,6", "2,0,6"), {"id": "id", "time": "t", "target": "y"}, "several rows"),
        (STEPS.replace(",0,", ",1/2/99,"), {"id": "id", "target": "y"}, "set `time: t`"),
        (STEPS.replace("3,a", "red,a"), {"id": "id", "target": "y"}, "row 1 is 'red'"),
        (
            STEPS.replace("3,", ",").replace("4,", ","),
            {"id": "id", "target": "y"},
            "'x' has no val",
        ),
        (STEPS, {"id": "id", "time": "y", "target": "y"}, "not all values are dates, or numbers"),
        (STEPS, {"target": "y", "window": 9}, "no window of 9 steps.*longest series has 4"),
        (
            STEPS,
            {"id": "id", "target": "x", "window": 1, "horizon": 1, "drop": ["y"]},
            "set `time`",
        ),
        (STEPS, {"id": "id", "target": "y", "task": "regression"}, "regression needs numbers"),
        (
            STEPS,
            {"id": "id", "target": ["x", "y"], "task": "multilabel"},
            "target 'x', row 1 is '3'.* each target is 0 or 1",
        ),
    ],
)
def test_unclear_tables_get_one_clear_line(
    text: str, settings: dict[str, Any], line: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=line):
        prepared(tmp_path, path=str(tmp_path / "a.csv"), **settings)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("@classLabel true\n1,2:a\n", "line 2.*no line `@data`|has no line `@data`"),
        ("@classLabel true\n@data\n1,x:a\n", "line 3: 'x' is not a number"),
        ("@classLabel true\n@data\n1,2:a\n1:2:b\n", "line 4 has 2 channels.*has 1"),
        ("@classLabel false\n@data\n1,2\n", "has no labels"),
    ],
)
def test_damaged_ucr_files_name_the_line(text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(text)
    with pytest.raises(DataError, match=line):
        prepared(tmp_path, path=str(tmp_path / "a.ts"))


def test_times_and_spelling_of_ucr_files_do_not_matter(tmp_path: Path) -> None:
    lines = "(2007-02-01 00:10:00,1),(2007-02-01 00:20:00,2):1.0\n(0,3),(1,4):0.0e+00\n"
    (tmp_path / "a.ts").write_text(f"@timeStamps true\n@classLabel true 0.0 1.0\n@data\n{lines}")
    x, y, data = prepared(tmp_path, path=str(tmp_path / "a.ts"))
    assert data["classes"] == ["0", "1"]
    np.testing.assert_array_equal(x[..., 0], [[1, 2], [3, 4]])
    np.testing.assert_array_equal(y, [1, 0])


def test_unusable_recordings_are_named_at_once(tmp_path: Path) -> None:
    settings = FORMS["recordings"](tmp_path / "r")
    (tmp_path / "r/good/p1/zodd.csv").write_text("x,y\n1,2\n")
    (tmp_path / "r/good/p1/zempty.csv").write_text("")
    with pytest.raises(DataError) as caught:
        prepared(tmp_path, **settings)
    message = str(caught.value)
    assert "2 recordings cannot be used" in message
    assert "zempty.csv: is empty" in message
    assert "zodd.csv: has 2 columns, but" in message


def test_parts_are_no_classes(tmp_path: Path) -> None:
    settings = FORMS["recordings"](tmp_path / "r")
    (tmp_path / "r/bad").rename(tmp_path / "r/train")
    (tmp_path / "r/good").rename(tmp_path / "r/Test")
    with pytest.raises(DataError, match=r"train, Test are parts of a dataset.*set `path`"):
        prepared(tmp_path, **settings)


def test_a_horizon_needs_windows_and_a_target(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(STEPS)
    with pytest.raises(ConfigError, match="window"):
        prepared(tmp_path, path=str(tmp_path / "a.csv"), target="x", horizon=3)
