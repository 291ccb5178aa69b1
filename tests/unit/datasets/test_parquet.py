"""Parquet files: indexes, types and names of columns."""

import numpy as np
import pandas as pd
import pytest

from tests.unit.datasets.table_examples import prepared, refused

FRAME = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": ["u", "v", "u", "v"], "class": [0, 1, 0, 1]})


INDEXES = {
    "filtered": (FRAME[FRAME.a > 0].iloc[[0, 2, 3]], []),
    "named": (FRAME.set_index(pd.Index([5, 3, 9, 1], name="id")), ["id"]),
    "multi-index": (
        FRAME.set_index([pd.Index(["p", "p", "q", "q"], name="site"), pd.Index([1, 2, 1, 2])]),
        ["site"],
    ),
    "dates": (FRAME.set_index(pd.date_range("2020", periods=4, name="day")), ["day"]),
    "range": (FRAME.set_index(pd.RangeIndex(10, 14, name="row")), []),
}


@pytest.mark.parametrize("kind", INDEXES)
def test_an_index_is_not_among_the_columns_of_parquet(kind, tmp_path):
    frame, named = INDEXES[kind]
    x, described, notes = prepared(tmp_path, frame, "table.parquet")
    assert [c["name"] for c in described["columns"]] == ["a", "b"]
    np.testing.assert_array_equal(x[:, 0], frame.a)
    assert [name for name in ("id", "site", "day", "row") if any(name in n for n in notes)] == named


def test_an_index_that_the_settings_name_is_a_column(tmp_path):
    frame = FRAME.set_index(pd.Index(["p", "p", "q", "q"], name="site"))
    _, described, notes = prepared(tmp_path, frame, "table.parquet", target="site")
    assert described["classes"] == ["p", "q"]
    assert notes == []
    *_, notes = prepared(tmp_path, frame, "table.parquet", drop=["site"])
    assert notes == []


def test_columns_with_several_names_are_refused(tmp_path):
    frame = FRAME.set_axis(pd.MultiIndex.from_tuples([("x", n) for n in FRAME.columns]), axis=1)
    message = refused(tmp_path, frame, "table.parquet")
    assert "its columns have names of 2 levels; give each one name" in message


def test_columns_of_other_types_are_named_at_once_and_dropped(tmp_path):
    days = pd.date_range("2020", periods=4)
    frame = FRAME.assign(day=days, span=days - days[0])
    message = refused(tmp_path, frame, "table.parquet")
    assert "columns 'day' has type timestamp" in message
    assert "remove them with `drop: [day, span]`" in message
    _, described, _ = prepared(tmp_path, frame, "table.parquet", drop=["day", "span"])
    assert [c["name"] for c in described["columns"]] == ["a", "b"]


def test_categories_of_parquet_are_categories(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "code": pd.Categorical([7, 9, 7]), "class": [0, 1, 1]})
    _, described, _ = prepared(tmp_path, frame, "table.parquet")
    assert described["columns"][1]["levels"] == ["7", "9"]
