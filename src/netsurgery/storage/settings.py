"""Settings as frozen dataclasses, read from plain mappings such as YAML or a job's JSON.

The fields of a settings dataclass are named after the keys it reads. A field that is itself a
settings dataclass reads its keys from the same mapping, so settings stay flat for the user. A field
with a default is an optional key. The value of an enum field becomes a member of the enum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


def setting_names(*kinds: type) -> tuple[str, ...]:
    """Return the keys that settings dataclasses read, in the order of their fields.

    A key that several of them read is listed once.
    """
    names = (name for kind in kinds for name in _names(kind))
    return tuple(dict.fromkeys(names))


def from_settings(kind: type[T], settings: Mapping[str, Any]) -> T:
    """Read a settings dataclass from a mapping that may hold other keys as well.

    Raises:
        KeyError: A key without a default is missing.
    """
    values: dict[str, Any] = {}
    for field, hint in _fields(kind):
        if is_dataclass(hint):
            values[field.name] = from_settings(hint, settings)
        elif field.name in settings:
            value = settings[field.name]
            values[field.name] = hint(value) if issubclass(hint, Enum) else value
        elif field.default is MISSING and field.default_factory is MISSING:
            raise KeyError(field.name)
    return kind(**values)


def _names(kind: type) -> Iterator[str]:
    for field, hint in _fields(kind):
        yield from _names(hint) if is_dataclass(hint) else [field.name]


def _fields(kind: type) -> Iterator[tuple[Field[Any], type]]:
    """Yield each field with its type; `object` for types that are not classes."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        hint = hints[field.name]
        yield field, hint if isinstance(hint, type) else object
