"""Settings as frozen dataclasses, read from plain mappings such as YAML or a job's JSON.

The fields of a settings dataclass are named after the keys it reads. A field that is itself a
settings dataclass reads its keys from the same mapping, so settings stay flat for the user. A field
with a default is an optional key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
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
    for field, nested in _fields(kind):
        if nested is not None:
            values[field.name] = from_settings(nested, settings)
        elif field.name in settings:
            values[field.name] = settings[field.name]
        elif field.default is MISSING and field.default_factory is MISSING:
            raise KeyError(field.name)
    return kind(**values)


def _names(kind: type) -> Iterator[str]:
    for field, nested in _fields(kind):
        yield from [field.name] if nested is None else _names(nested)


def _fields(kind: type) -> Iterator[tuple[Field[Any], type | None]]:
    """Yield each field and, where its type is a settings dataclass, that type."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        hint = hints[field.name]
        yield field, hint if isinstance(hint, type) and is_dataclass(hint) else None
