"""Numbers that YAML reads as text."""

import math
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.objectives.misread_numbers import number_hint

WRITTEN = re.compile(r"; YAML reads it as text, write (\S+) \(without quotes\)")
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(FINITE, st.sampled_from(["{!r}", "{:e}", "{:E}", " {!r} ", "+{!r}", "{:g}"]))
def test_what_to_write_is_read_by_yaml_as_the_same_number(value, form):
    text = form.format(abs(value))
    (written,) = WRITTEN.fullmatch(number_hint(text)).groups()
    read = yaml.safe_load(written)
    assert not isinstance(read, str)
    assert math.isclose(read, float(text), rel_tol=1e-15)


USUAL = {
    "1e-3": "0.001",
    "1E5": "100000",
    "1e-9": "1.0e-9",
    "2.5e20": "2.5e+20",
    "0,01": "0.01",
    "-3,5": "-3.5",
    "10%": "0.1",
    "0.5 %": "0.005",
    "1_000": "1000",
}
NO_NUMBER = "fast|%|1,000|1/3|1e|nan|inf|1e999|1e99999999|1e-999|e5".split("|")


@pytest.mark.parametrize(("text", "number"), USUAL.items())
def test_usual_ways_to_write_numbers_are_understood(text, number):
    assert WRITTEN.fullmatch(number_hint(text))[1] == number


@pytest.mark.parametrize("value", [*NO_NUMBER, "", 3, None, True, ["1e-3"]])
def test_what_is_not_clearly_one_number_gets_no_hint(value):
    assert number_hint(value) == ""
