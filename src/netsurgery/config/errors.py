"""Errors of a configuration: one line that names the key, the value and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

import jsonschema

from netsurgery.objectives.misread_numbers import number_hint
from netsurgery.objectives.suggestions import suggest

# the types of JSON schema, in the words of YAML
TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


class ConfigError(ValueError):
    """The configuration is invalid. The message is one line that names the key."""


def error_at(where: Iterable[Any], message: str) -> ConfigError:
    """Make the error for a key.

    Args:
        where: The keys that lead to the value, from the top level.
        message: What is wrong and what is allowed.
    """
    place = ".".join(map(str, where))
    parts = ["config:", f"{place}:" if place else "", message]
    return ConfigError(" ".join(" ".join(parts).split()))


def explain(error: jsonschema.ValidationError) -> ConfigError:
    """Turn an error of the schema into one line."""
    where, rule = list(error.absolute_path), cast(Any, error.validator_value)
    value = cast(Any, error.instance)
    schema = cast(dict[str, Any], error.schema)
    meaning = _meaning(schema)
    match error.validator:
        case "additionalProperties":
            known = schema.get("properties", {})
            unknown = min(key for key in value if key not in known)
            return error_at([*where, unknown], f"unknown key{suggest(unknown, known)}")
        case "required":
            missing = next(key for key in rule if key not in value)
            return error_at([*where, missing], f"is missing; required here: {', '.join(rule)}")
        case "dependentRequired":
            given, needed = next(
                (key, other)
                for key, others in rule.items()
                for other in others
                if key in value and other not in value
            )
            return error_at([*where, needed], f"is missing; {given} requires it")
        case "enum":
            return error_at(where, f"unknown value {value!r}{suggest(value, rule)}")
        case "pattern":
            return error_at(where, f"{value!r} is not valid{_meaning(schema, 2) or NAME}")
        case "type":
            kinds = _as_list(rule)
            items = _as_list(schema.get("items", {}).get("type", []))
            # a list may stand for its only entry
            hint = number_hint(value) if {"number", "integer"} & {*kinds, *items} else ""
            allowed = " or ".join(TYPES[kind] for kind in kinds)
            return error_at(where, f"{value!r} is not {allowed}{hint or meaning}")
        case "minItems" | "minProperties" | "minLength":
            counted = "is empty" if not value else f"{value!r} has fewer than {rule} entries"
            return error_at(where, f"{counted}{meaning}")
        case "maxItems" | "maxProperties":
            entries = "entry" if rule == 1 else "entries"
            return error_at(where, f"{value!r} has more than {rule} {entries}{meaning}")
        case "uniqueItems":
            return error_at(where, f"{value} lists a value twice")
        case _:
            return error_at(where, f"{error.message}{meaning}")


def _as_list(types: Any) -> list[str]:
    return [types] if isinstance(types, str) else types


NAME = " (a name has letters, digits, - and _ only, and starts with a letter or digit)"


def _meaning(schema: dict[str, Any], sentences: int = 1) -> str:
    """Return the first sentences of a key's description in brackets, without Markdown links."""
    if "description" not in schema:
        return ""
    text = re.sub(r" \(\[[^\]]*\]\([^)]*\)\)", "", schema["description"])
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return f" ({'. '.join(text.rstrip('.').split('. ')[:sentences])})"
