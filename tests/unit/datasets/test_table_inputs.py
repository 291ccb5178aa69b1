"""Levels as pandas writes them."""

import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.datasets.table_inputs import (
    input_names,
    missing_markers,
    read_options,
    spellings,
)

codes = st.one_of(
    st.integers(-999, 99999).map(str),
    st.integers(0, 99).map("{:03d}".format),
    st.floats(-1e6, 1e6).map("{:.3g}".format),
    st.floats(0, 100).map("{:.2f}".format),
    st.sampled_from(["True", "FALSE", "true", "x", "N1", "yes", "[UNK]"]),
)


@given(
    st.lists(codes, min_size=1, max_size=6, unique=True),
    st.booleans(),
    st.sampled_from(["", " "]),
)
def test_pandas_writes_no_level_as_another(levels, missing, space):
    lines = [*(f"{space}{level},0" for level in levels), *([",0"] if missing else [])]
    data = {"columns": [{"name": "code", "levels": sorted(levels)}]}
    text = "\n".join(["code,y", *lines])
    frame = pd.read_csv(io.StringIO(text), **read_options({}, data))
    texts = frame["code"].astype(str).str.strip().fillna("")
    known = spellings(sorted(levels))
    found = [known.get(text, -1) for text in texts]
    assert found == [*map(sorted(levels).index, levels), *([-1] if missing else [])]


@pytest.mark.parametrize(
    ("levels", "text", "level"),
    [
        (["1", "2"], "1.0", "1"),
        (["1", "2"], " 1", "1"),
        (["0", "1"], "True", "1"),
        (["007", "010"], "7", "007"),
        (["TRUE", "FALSE"], "True", "TRUE"),
        (["1", "01"], "1", "1"),
        (["001", "01"], "1", None),
        (["1", "1.0"], "1.0", "1.0"),
        (["0.10000000149011612"], "0.1", "0.10000000149011612"),
        (["1_000"], "1000", None),
    ],
)
def test_spellings_mean_one_level(levels, text, level):
    index = spellings(levels).get(text)
    assert index == (None if level is None else levels.index(level))


@given(st.lists(st.text("ab_/", min_size=1, max_size=3), min_size=1, max_size=8, unique=True))
def test_inputs_have_names_of_their_own_without_slashes(columns):
    names = input_names([{"name": column} for column in columns])
    assert list(names) == columns
    assert len(set(names.values())) == len(columns)
    assert not any("/" in name for name in names.values())
    assert all(names[column] == column for column in columns if "/" not in column)


@pytest.mark.parametrize(
    ("missing", "parts", "expected"),
    [
        (True, {"training": 9}, ["?", " ?", "-9", " -9", -9]),
        (False, {"training": 9}, []),
        (False, {"training": 9, "test": 3}, ["?", " ?", "-9", " -9", -9]),
    ],
)
def test_markers_of_missing_numbers_are_known(missing, parts, expected):
    columns = [{"name": "a", "kind": "number", "missing": missing, "levels": []}]
    data = {"columns": columns, "parts": parts, "settings": {"na_values": ["?", "-9"]}}
    assert missing_markers(data) == expected
