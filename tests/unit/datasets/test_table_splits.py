"""Tables that are split by a group or by time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from netsurgery import datasets
from netsurgery.config.errors import ConfigError
from tests.unit.datasets.table_examples import prepared, refused

DAYS = pd.date_range("2020-01-01", periods=40)
FRAME = pd.DataFrame(
    {
        "subject": [f"p{i % 13}" for i in range(40)],
        "day": np.random.default_rng(0).permutation(40),
        "class": ["a", "b", "b", "a"] * 10,
    }
)
FRAME["size"] = FRAME["day"]
FRAME["date"] = DAYS[FRAME["day"]]


def content(kind: str) -> Any:
    text = FRAME.assign(date=FRAME["date"].dt.strftime("%d.%m.%Y"))
    return FRAME if kind == "parquet" else text.to_csv(index=False)


def parts_of(folder: Path) -> dict[str, np.ndarray]:
    split = folder / "split.npz"
    datasets.write_split(folder / "prepared", split, datasets.SplitSettings(0.2, 0.2), 0)
    return {part: np.load(split)[part] for part in ("training", "validation", "test")}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_no_subject_is_on_two_sides(kind: str, tmp_path: Path) -> None:
    _, data, notes = prepared(
        tmp_path, content(kind), f"t.{kind}", group="subject", drop=["date", "day"]
    )
    assert [f["column"] for f in data["features"]] == ["size"]
    assert "split by subject: 13 groups, none of them on two sides" in notes
    seen = [set(FRAME["subject"][indices]) for indices in parts_of(tmp_path).values()]
    assert sum(map(len, seen)) == 13


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("time", ["day", "date"])
def test_later_rows_are_tested(time: str, kind: str, tmp_path: Path) -> None:
    drop = ["subject", *({"day", "date"} - {time})]
    x, data, _ = prepared(tmp_path, content(kind), f"t.{kind}", time=time, drop=drop)
    assert [f["column"] for f in data["features"]] == ["size"]
    training, validation, test = (x[indices, 0] for indices in parts_of(tmp_path).values())
    assert training.max() < validation.min()
    assert validation.max() < test.min()


def test_what_cannot_be_split_is_refused(tmp_path: Path) -> None:
    text = content("csv")
    drop = {"drop": ["date", "day", "subject"]}
    assert "`group`; a split needs another" in refused(tmp_path, text, group="class", **drop)
    assert "has no column 'patient'" in refused(tmp_path, text, group="patient", **drop)
    assert "not all values are dates" in refused(tmp_path, text, time="subject", drop=["date"])
    gap = text.replace("p3,", ",", 1)
    assert "(`group`) has no value in row 4" in refused(
        tmp_path, gap, group="subject", drop=["date"]
    )
    with pytest.raises(ConfigError, match="by `group` or by `time`, not by both"):
        prepared(tmp_path, text, group="subject", time="date")


def test_a_group_in_two_given_parts_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "test.csv"
    other.write_text(content("csv"))
    message = refused(
        tmp_path, content("csv"), group="subject", drop=["date"], test_path=str(other)
    )
    assert "group 'p0' (subject) has samples in the training and in the test part" in message
