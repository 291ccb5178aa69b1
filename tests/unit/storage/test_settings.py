"""Settings dataclasses: their keys, and how they are read."""

from dataclasses import dataclass
from enum import StrEnum

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


class Colour(StrEnum):
    """Two values."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Painted:
    """A key with an enum, one with a generic type."""

    colour: Colour
    sizes: list[int]


def test_values_of_enums_become_members():
    read = from_settings(Painted, {"colour": "blue", "sizes": [1]})
    assert read == Painted(Colour.BLUE, [1])
    assert isinstance(read.colour, Colour)
