"""One form for values that mean the same."""

import json

from hypothesis import given
from hypothesis import strategies as st

from netsurgery.storage.canonical import canonical_json, with_whole_numbers

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def spelt_otherwise(value):
    """The same value with its keys in another order and whole numbers as floats."""
    if isinstance(value, dict):
        return {key: spelt_otherwise(value[key]) for key in reversed(list(value))}
    if isinstance(value, list):
        return [spelt_otherwise(item) for item in value]
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    return float(value) if whole else value


@given(VALUES)
def test_another_spelling_has_the_same_form(value):
    assert canonical_json(spelt_otherwise(value)) == canonical_json(value)


@given(VALUES, VALUES)
def test_the_same_form_means_the_same_value(one, other):
    assert json.loads(canonical_json(one)) == one
    if canonical_json(one) == canonical_json(other):
        assert one == other


def test_a_list_keeps_its_order_and_a_truth_value_is_no_number():
    assert canonical_json([2, 1]) != canonical_json([1, 2])
    assert canonical_json(True) != canonical_json(1)
    assert canonical_json(0.5) == "0.5"


def test_keys_keep_their_order_where_only_numbers_matter():
    given_value = {"b": 30.0, "a": [1.0, 0.5]}
    assert list(with_whole_numbers(given_value)) == ["b", "a"]
    assert repr(with_whole_numbers(given_value)["b"]) == "30"
