"""The schema of the configuration: reading it, checking values against it, filling in defaults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from netsurgery.config.errors import error_at, explain

SECTIONS = ("datasets", "searches")


def read_schema(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Read the schema of the configuration.

    Args:
        path: The JSON schema, as YAML.

    Returns:
        The schema, without the entries of `datasets` and `searches`; and the schemas of such
        entries, by section. Entries are checked after lists in them are expanded.
    """
    schema = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    entries = {
        section: schema["properties"][section].pop("additionalProperties")
        | {"$defs": schema["$defs"]}
        for section in SECTIONS
    }
    return schema, entries


def validate(value: Any, schema: Mapping[str, Any], where: tuple[str, ...] = ()) -> None:
    """Check a value against a schema.

    Args:
        value: As read from YAML.
        schema: That it must meet.
        where: The keys that lead to the value.

    Raises:
        ConfigError: For the first error; an unknown key comes before a missing one, because it
            may be the missing one misspelled.
    """
    validator = jsonschema.Draft202012Validator(schema)

    def order(error: jsonschema.ValidationError) -> tuple[list[str], bool, str]:
        known = error.validator != "additionalProperties"
        return list(map(str, error.absolute_path)), known, error.message

    errors = sorted(validator.iter_errors(value), key=order)
    if errors:
        first = errors[0]
        first.path.extendleft(reversed(where))
        raise explain(first)


def check_scalars(value: Any, where: tuple[Any, ...] = ()) -> None:
    """Check what JSON schema cannot: keys are text, numbers are finite.

    Raises:
        ConfigError: For the first key or number that is not.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise error_at((*where, key), f"the key {key!r} is not text; put it in quotes")
            check_scalars(item, (*where, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            check_scalars(item, (*where, i))
    elif isinstance(value, float) and not math.isfinite(value):
        raise error_at(where, f"{value} is not a finite number")


def fill_defaults(properties: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given values, completed by the defaults of the schema, nested ones too."""
    filled = dict(given)
    for key, schema in properties.items():
        if "default" in schema:
            filled.setdefault(key, schema["default"])
        if "properties" in schema and key in filled:
            filled[key] = fill_defaults(schema["properties"], filled[key])
    return filled
