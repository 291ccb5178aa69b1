"""Columns of dates: days since 1970, what recurs in them, and the formats that are told apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.datasets import dates, overview
from tests.unit.datasets.table_examples import prepared, refused

N = 60
START = np.datetime64("2019-12-28")


def days(step, count=N):
    return [str(START + step * i) for i in range(count)]


def content(values):
    rows = "".join(f"{i % 7}.5,{v},{'ab'[i % 3 == 0]}\n" for i, v in enumerate(values))
    return f"n,day,class\n{rows}"


@given(st.datetimes(min_value=pd.Timestamp(1700, 1, 1), max_value=pd.Timestamp(2200, 1, 1)))
def test_a_date_is_its_number_of_days_since_1970(moment):
    (found,) = dates.days_of(pd.Series([moment.isoformat()], dtype="str"), dates.ISO)
    assert found == pytest.approx((moment - pd.Timestamp(0)) / pd.Timedelta(days=1), abs=1e-9)


@pytest.mark.parametrize(
    ("values", "features"),
    [
        (days(1, 12), ["day"]),
        (days(1), ["day", "day-sin 7", "day-cos 7"]),
        (days(30), ["day", *(f"day-{f} {p}" for p in ("365.243", "7") for f in ("sin", "cos"))]),
        ([f"{day} 06:00" for day in days(1, 12)], ["day", "day-sin 1", "day-cos 1"]),
    ],
)
def test_a_date_has_waves_of_what_its_dates_span(values, features, tmp_path):
    x, described, notes = prepared(tmp_path, content(values), dates=["day"])
    names = [f["column"] + (f"-{f['level']}" if f["level"] else "") for f in described["features"]]
    assert names == ["n", *features]
    column = described["features"].index({"column": "day", "kind": "number", "level": None})
    stored = x[:, column].astype(float)
    assert np.ptp(np.diff(stored)) < 1e-3 * np.ptp(stored)
    assert not [note for note in notes if "'day'" in note and "categories" in note]


def test_a_year_later_the_wave_is_the_same():
    (wave,) = dates.waves(np.array([100 * dates.YEAR + 3]), f"sin {dates.YEAR}")
    assert wave == pytest.approx(np.sin(2 * np.pi * 3 / dates.YEAR))


def test_dates_are_shown_as_dates(tmp_path):
    _, described, _ = prepared(tmp_path, content(days(1)), dates=["day"])
    row = overview.column_rows(described)[1]
    assert row[:3] == ("day", "date", "2019-12-28 to 2020-02-25")


def test_what_is_no_date_is_named(tmp_path):
    values = [*days(1), "soon"]
    assert "column 'day', row 61 is 'soon', no date as" in refused(
        tmp_path, content(values), dates=["day"]
    )


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        (dates.ISO, ["2020-01-31", "2020-02-01 12:00"]),
        ("%d.%m.%Y", ["31.01.2020", "01.02.2020"]),
        ("%m/%d/%Y", ["01/31/2020", "02/01/2020"]),
        ("%d/%m/%Y %H:%M", ["31/01/2020 10:30", "01/02/2020 09:00"]),
        (None, ["01/02/2020", "03/04/2020"]),  # of January or February
        (None, ["soon", "later"]),
    ],
)
def test_the_only_format_that_fits_is_found(written, texts):
    assert dates.likely_format(texts) == written
