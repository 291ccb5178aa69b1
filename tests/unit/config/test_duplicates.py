"""Keys that a configuration file gives twice."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.config.duplicates import check_keys
from netsurgery.config.errors import ConfigError

VALUES = st.recursive(
    st.integers() | st.text("ab:#-'\" \n", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1 ."), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("searches:\n  a: {x: 1}\n  a: {x: 2}\n", "searches.a is given twice, in lines 2 and 3"),
        ("results: a\nsearches: {}\nresults: b\n", "results is given twice, in lines 1 and 3"),
        ("a:\n  - b: 1\n    b: 2\n", "a.0.b is given twice, in lines 2 and 3"),
        ("a: {b: 1, 'b': 2}\n", "a.b is given twice, in lines 1 and 1"),
        ('{"a": {"b": 1,\n"b": 2}}', "a.b is given twice, in lines 1 and 2"),
        ("a: &x {b: 1}\nc: *x\na: 2", "a is given twice, in lines 1 and 3"),
    ],
)
def test_a_key_given_twice_is_named_with_its_lines(tmp_path, text, named):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        check_keys(path)
    assert str(caught.value).startswith(f"config: {path}: {named};")
    assert "\n" not in str(caught.value)


@given(VALUES)
def test_no_key_of_what_is_written_once_is_named(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "once.yaml"
    for write in (yaml.safe_dump, json.dumps):
        path.write_text(write(value), encoding="utf-8")
        check_keys(path)


@pytest.mark.parametrize(
    "text",
    ["", "a: 1\nb: {a: 1}\n", "1: a\n'1': b\n", "a: &x {b: 1}\nc: {<<: *x}\nd: *x", "a: [", "\0"],
)
def test_other_files_are_left_to_those_who_read_them(tmp_path, text):
    path = tmp_path / "c.yaml"
    check_keys(path)  # it is not there
    path.write_text(text)
    check_keys(path)
