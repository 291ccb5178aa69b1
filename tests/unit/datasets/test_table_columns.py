"""What is said of the columns of a table: identifiers, dates, categories, missing codes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.datasets.integer_series import IntegerSeries
from tests.unit.datasets.table_examples import column, prepared, refused

N = 40


RNG = np.random.default_rng(0)


IDENTIFYING: dict[str, list] = {
    "counts the rows": [range(N), range(1, N + 1), range(0, 10 * N, 10), RNG.permutation(N)],
    "counts groups of rows": [np.arange(N) // 3],
    "has a different text in each row": [[f"sample {i}x" for i in range(N)]],
    "different texts in 40 rows": [[f"s{i}x" for i in np.arange(N) // 1.5]],
}


@pytest.mark.parametrize(
    ("reason", "values"), [(r, v) for r, several in IDENTIFYING.items() for v in several]
)
def test_columns_that_identify_rows_are_named(reason, values, tmp_path):
    *_, notes = prepared(tmp_path, column(*values, name="my column"))
    found = [note for note in notes if reason in note]
    assert len(found) == 1
    assert "'my column'" in found[0]
    assert "set `drop: [my column]`" in found[0]
    *_, notes = prepared(tmp_path, column(*values, name="my column"), drop=["my column"])
    assert notes == []


@pytest.mark.parametrize("name", ["id", "patient_id", "PassengerId", "Customer ID", "Unnamed: 7"])
def test_integers_named_as_identifiers_are_named(name, tmp_path):
    *_, notes = prepared(tmp_path, column(*RNG.integers(0, 500, N), name=name))
    assert f"{name!r} is an identifier by its name" in notes[0]


def test_an_index_without_a_name_is_named_as_in_pandas(tmp_path):
    content = pd.DataFrame({"a": RNG.normal(size=N), "class": ["a", "b"] * (N // 2)}).to_csv()
    *_, notes = prepared(tmp_path, content)
    assert 'set `drop: ["Unnamed: 0"]`' in notes[0]
    for key in ("Unnamed: 0", "", 0):
        _, described, notes = prepared(tmp_path, content, drop=[key])
        assert [c["name"] for c in described["columns"]] == ["a"]
        assert notes == []


@pytest.mark.parametrize(
    "values",
    [RNG.normal(size=N), RNG.integers(0, 500, N), [1.5 * i for i in range(N)], ["a", "b"] * 20],
    ids=["floats", "integers", "steady floats", "categories"],
)
def test_other_columns_are_not_said_to_identify_rows(values, tmp_path):
    *_, notes = prepared(tmp_path, column(*values))
    assert notes == []


@given(st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=10, max_size=60), st.integers(1, 20))
def test_the_order_of_integers_does_not_depend_on_chunks(values, size):
    whole, parts = IntegerSeries(), IntegerSeries()
    array = np.array(values, np.float64)
    whole.update(array)
    for start in range(0, len(array), size):
        parts.update(array[start : start + size])
    assert whole == parts
    assert whole.numbers_rows == (
        sorted(values) == list(range(min(values), min(values) + len(values)))
    )


@given(st.permutations(range(-7, 23)))
def test_a_permutation_of_numbers_numbers_the_rows(values):
    series = IntegerSeries()
    series.update(np.array(values, np.float64))
    assert series.numbers_rows
    series = IntegerSeries()
    series.update(np.array([*values[:-1], values[0]], np.float64))
    assert not series.numbers_rows


def test_an_identifier_is_no_target(tmp_path):
    content = "a,class\n" + "".join(f"{i % 5},n{i}\n" for i in range(30))
    message = refused(tmp_path, content)
    assert "target 'class' has 30 different values in 30 samples" in message
    assert "`task: regression`" in message


def test_dates_and_codes_are_taken_with_a_word(tmp_path):
    days = pd.date_range("2024-01-01", periods=30).astype(str)
    *_, notes = prepared(tmp_path, column(*[*days] * 3, name="day"))
    assert "dates or times are taken as categories: 'day'" in notes[0]
    *_, notes = prepared(tmp_path, column(*["00501", "10001", "94110"] * 4, name="zip"))
    assert "numbers with leading zeros may be codes: 'zip' ('00501')" in notes[0]


@pytest.mark.parametrize(
    "date",
    [
        "{d}.{m}.2020",
        "2020-{m}-{d}T12:00",
        "{d} Jan 20{m}",
        "Jan {d}, 20{m}",
        "{m}:{d}",
        "{d} days {m}:00:00",
    ],
)
def test_dates_of_many_forms_are_known(date, tmp_path):
    values = [date.format(d=d, m=m) for d in range(10, 28) for m in (10, 11)]
    *_, notes = prepared(tmp_path, column(*values, name="day"))
    assert "dates or times are taken as categories: 'day'" in notes[0]
    assert "set `drop: [day]`" in notes[0]


def test_many_categories_get_a_word(tmp_path):
    *_, notes = prepared(tmp_path, column(*[f"a{i}z" for i in range(150)] * 3))
    assert "column 'v' is text ('a0z') with 150 different values, taken as levels" in notes[0]


def test_values_that_differ_in_capitals_are_named(tmp_path):
    content = column(*["Male", "male", "Female"] * 4).replace(",b\n", ",A\n", 3)
    *_, notes = prepared(tmp_path, content.replace(",a\n", ",c\n", 1))
    assert any("'v' has values that differ in capitals only: 'Male', 'male'" in n for n in notes)
    assert any("classes differ in capitals only: 'A', 'a'" in n for n in notes)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([20, 31.5, 60, -9, -9] * 3, -9),
        ([1.5, -2, 3, -999, -999] * 3, -999),
        ([1.5, 2, 3, 999] * 3, 999),
        ([1.5, -20, 3, -9] * 3, None),
        ([900, 950, 999, 1020] * 3, None),
        ([1, 2, 3, 4, 5, 6, -999], None),
    ],
)
def test_likely_codes_of_missing_numbers_are_named(values, code, tmp_path):
    *_, notes = prepared(tmp_path, column(*values))
    named = [note for note in notes if "may stand for a missing value" in note]
    assert len(named) == (code is not None)
    if code is not None:
        assert f"{code} may stand for a missing value in 'v'" in named[0]
        assert f"`na_values: [{code}]`" in named[0]


@pytest.mark.parametrize("code", ["-999", -999, -999.0])
@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_codes_of_missing_numbers_are_missing(code, name, tmp_path):
    frame = pd.DataFrame({"a": [1.5, -999, 3], "b": [4, -999, 6], "class": ["a", "b", "a"]})
    content = frame if name.endswith("parquet") else frame.to_csv(index=False)
    x, described, _ = prepared(tmp_path, content, name, na_values=[code])
    np.testing.assert_array_equal(x[1], [np.nan, 1, np.nan, 1])
    assert [c["missing"] for c in described["columns"]] == [True, True]


def test_a_code_is_missing_however_it_is_written(tmp_path):
    content = column("-999.00", "-9.99e2", 1, 2, 3, 4)
    x, *_ = prepared(tmp_path, content, na_values=[-999])
    np.testing.assert_array_equal(np.isnan(x[:, 1]), [True, True] + 4 * [False])
