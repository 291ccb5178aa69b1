"""Numbers that are written as text: with units, thousands or another decimal sign."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.datasets import raw_tables
from netsurgery.datasets.number_formats import FORMATS, PLAIN, unit_of
from tests.unit.datasets.table_examples import column, prepared, refused

MANY = range(1000, 1060)


AMOUNTS = {
    "('0,98' in row 1) holds numbers with decimal commas; set `decimal: \",\"`": [
        "0,98",
        "1,5",
        "12",
    ],
    'commas between thousands or decimal commas; set `thousands: ","` or `decimal: ","`': [
        "16,885",
        "1,726",
        "995",
    ],
    'with commas between thousands; set `thousands: ","`': ["1,234.5", "12", "1,234,567"],
    'decimal commas and points between thousands; set `decimal: ","` and `thousands: "."`': [
        "1.234,5",
        "12,25",
    ],
    'set `thousands: " "`': ["12 500", "1 234 567", "3 000"],
    'set `thousands: "\'"`': ["12'500", "1'234'567.5"],
    "holds amounts with '$'": [f"${n}" for n in MANY],
    "holds amounts with '( )'": [f"({n})" if n % 3 else n for n in MANY],
    "holds amounts with '\u2212'": [f"\u2212{n}" if n % 3 else n for n in MANY],
    "holds amounts with 'no-break space'": [f"{n - 900}\u00a0000" for n in MANY],
    "holds amounts with '€', which": [f"{n},50 €" for n in MANY],
    "holds amounts with '%'": [f"{n}%" for n in MANY],
    "holds amounts with 'kg'": [f"{n}kg" for n in MANY],
    "holds amounts with 'K, M'": [f"{n}{'KM'[n % 2]}" for n in MANY],
    "leave it out with `drop: [v]`, or list it in `categorical`": [f"{n} mm" for n in MANY],
}


@pytest.mark.parametrize("line", AMOUNTS)
def test_amounts_written_as_text_are_refused(line, tmp_path):
    assert line in refused(tmp_path, column(*AMOUNTS[line] * 3))
    _, described, _ = prepared(tmp_path, column(*AMOUNTS[line] * 3), categorical=["v"])
    assert len(described["columns"][1]["levels"]) == len(AMOUNTS[line])


@pytest.mark.parametrize("decimal", [".", ","])
def test_two_formats_in_a_file_are_named(decimal, tmp_path):
    rows = "".join(f'{i}.5,"{i},25",{"ab"[i % 2]}\n' for i in range(12))
    message = refused(tmp_path, "one,two,class\n" + rows, decimal=decimal)
    one, two = ("'one' ('0.5' in row 1)", "'two' ('0,25' in row 1)")[:: 1 if decimal == "," else -1]
    assert f"column {one} holds numbers with decimal" in message
    assert f"but {two} is written with decimal" in message
    assert "write all alike, or list" in message


def test_the_format_of_most_columns_is_advised(tmp_path):
    rows = "".join(f'{i}.5,"{i},25","{i},5",{"ab"[i % 2]}\n' for i in range(12))
    message = refused(tmp_path, "one,two,three,class\n" + rows)
    advice = "set `decimal: \",\"` and list 'one' in `drop` or `categorical`"
    assert f"write all alike, or {advice}" in message
    x, *_ = prepared(tmp_path, "one,two,three,class\n" + rows, decimal=",", drop=["one"])
    np.testing.assert_array_equal(x[:2], [[0.25, 0.5], [1.25, 1.5]])


def test_all_columns_of_amounts_are_named_at_once(tmp_path):
    rows = "".join(f"{i},5;{i},25;{'ab'[i % 2]}\n" for i in range(12))
    message = refused(tmp_path, "one;two;class\n" + rows, delimiter=";")
    assert "columns 'one' ('0,5' in row 1), 'two' ('0,25' in row 1) hold numbers" in message


@pytest.mark.parametrize(
    "values",
    [["C1", "C2", "D3"], ["1st", "2nd", "3rd"], ["a,b", "c,d"], ["1-2", "3-4"], ["4WD", "2WD"]],
)
def test_codes_and_ranges_are_categories(values, tmp_path):
    _, described, notes = prepared(tmp_path, column(*values * 4))
    assert described["columns"][1]["levels"] == sorted(values)
    assert notes == []


def test_few_amounts_as_text_are_categories_with_a_word(tmp_path):
    _, described, notes = prepared(tmp_path, column(*["10 mg", "20 mg", "40 mg"] * 4))
    assert described["columns"][1]["levels"] == ["10 mg", "20 mg", "40 mg"]
    assert "column 'v' holds amounts with 'mg', taken as 3 categories" in notes[0]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("16,885", 'set `thousands: ","` or `decimal: ","` to read it'),
        ("1,5", 'set `decimal: ","` to read it'),
        ("$12", "remove '$' from the values"),
    ],
)
def test_a_target_of_formatted_numbers_gets_a_hint(value, hint, tmp_path):
    content = f'a,class\n1,"{value}"\n2,"{value}"\n'
    assert hint in refused(tmp_path, content, task="regression")


def test_thousands_are_read_in_features_and_targets(tmp_path):
    content = 'a,class\n"1,234.5",1\n"12","2,000"\n"1,234,567","3,000"\n'
    options = {"thousands": ",", "task": "regression"}
    x, _, _ = prepared(tmp_path, content, **options)
    np.testing.assert_array_equal(x, np.array([[1234.5], [12], [1234567]], np.float32))
    y = np.load(tmp_path / "prepared" / "y.npy")
    np.testing.assert_array_equal(y, [[1], [2000], [3000]])
    message = refused(tmp_path, content.replace("2,000", "2,00"), **options)
    assert "row 2 is '2,00', not a finite number" in message


@pytest.mark.parametrize("number_format", FORMATS, ids=lambda f: f.decimal + f.thousands)
def test_pandas_reads_formatted_numbers_as_training_does(number_format, tmp_path):
    signs = {",": number_format.thousands, ".": number_format.decimal}
    values = [1234.5, -12, 1234567.25, 0]
    texts = ["".join(signs.get(c, c) for c in f"{value:,}") for value in values]
    options = {"decimal": number_format.decimal, "thousands": number_format.thousands}
    x, described, _ = prepared(tmp_path, column(*texts), **options)
    np.testing.assert_array_equal(x[:, 1], np.float32(values))
    (found,) = raw_tables.read_rows(described, "training", np.arange(4))
    raw = found["v"] if isinstance(found, dict) else found[:, 1]
    np.testing.assert_array_equal(raw, values)


@given(st.floats(-1e12, 1e12).map(lambda v: round(v, 3)), st.sampled_from(FORMATS))
def test_numbers_are_read_as_they_are_written(value, number_format):
    plain = f"{value:,.3f}"
    signs = {",": number_format.thousands, ".": number_format.decimal}
    text = "".join(signs.get(c, c) for c in plain)
    assert number_format.numbers(pd.Series([text], dtype="str"))[0] == value
    assert number_format.covers(text)


@given(st.text(alphabet="0123456789.,' -+e", max_size=8), st.sampled_from(FORMATS))
def test_only_whole_groups_of_thousands_are_numbers(text, number_format):
    found = number_format.numbers(pd.Series([text], dtype="str"))[0]
    if number_format == PLAIN:
        return
    assert np.isnan(found) != number_format.covers(text)
    grouped = (
        text.lstrip("+-").split(number_format.decimal)[0].split(number_format.thousands or "x")
    )
    if number_format.covers(text) and len(grouped) > 1:
        assert len(grouped[-1]) == 3


@pytest.mark.parametrize(
    "texts", [["a"], ["12"], ["2020-01-01"], ["C1"], ["1st", "2nd", "3rd"], []]
)
def test_other_texts_are_no_amounts(texts):
    assert unit_of(texts) is None


def test_the_decimal_sign_of_the_settings_is_the_only_one(tmp_path):
    content = column(*["1.5", "2.25", "3.75"] * 5)
    message = refused(tmp_path, content, decimal=",")
    assert 'holds numbers with decimal points; set `decimal: "."`' in message
