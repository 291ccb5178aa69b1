"""Settings dataclasses: their keys, and how they are read."""

from dataclasses import dataclass

import pytest

from netsurgery.storage.settings import from_settings, setting_names


@dataclass(frozen=True)
class Inner:
    """Two keys, one optional."""

    width: int
    depth: int = 3


@dataclass(frozen=True)
class Outer:
    """A key and nested keys."""

    name: str
    inner: Inner


def test_names_are_those_of_nested_fields():
    assert setting_names(Outer) == ("name", "width", "depth")


def test_a_key_read_twice_is_listed_once():
    assert setting_names(Inner, Outer) == ("width", "depth", "name")


def test_other_keys_are_ignored():
    assert from_settings(Outer, {"name": "a", "width": 2, "other": 0}) == Outer("a", Inner(2, 3))


def test_a_missing_key_is_an_error():
    with pytest.raises(KeyError, match="width"):
        from_settings(Outer, {"name": "a"})
