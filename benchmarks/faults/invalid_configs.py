"""Random invalid configurations made from the schema, with one error each."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.faults.valid_configs import (
    COMPANIONS,
    Random,
    valid,
    valid_dataset,
    valid_search,
    valid_value,
)

from netsurgery.config.expansion import EXPANDING

KeyPath = tuple[Any, ...]

INVALID_NAMES = (
    "../up",
    "a/b",
    "a b",
    "",
    "a\n",
    "a;b",
    "$(id)",
    "{x}",
    "-x",
    ".",
    "a'b",
    "ä",
    "<b>",
    "`id`",
)
OTHERS: tuple[Any, ...] = (None, "words", "", [], {}, [1, [2]], {"a": {"b": 1}}, True, -1, 1.5)
NOT_FINITE = (math.nan, math.inf, -math.inf)


@dataclass(frozen=True)
class Invalid:
    """A configuration with one error."""

    given: dict[str, Any]
    key: str  # that the message must name
    error: str  # kind of error


def invalid_values(schema: dict[str, Any], rng: Random) -> Iterator[tuple[Any, str]]:
    """Values that a schema forbids, and the kind of error."""
    types = schema.get("type")
    types = set(types) if isinstance(types, list) else {types} - {None}
    if "enum" in schema:
        for value in schema["enum"]:
            if (other := misspell(str(value), rng)) not in schema["enum"]:
                yield other, "misspelt word"
        yield from ((v, "wrong type") for v in OTHERS if v not in schema["enum"])
        return
    for value in OTHERS:
        if types and json_type(value) not in types and not (types == {"number"} and value == -1):
            yield value, "wrong type"
    if types & {"number", "integer"} and "string" not in types:
        yield from ((value, "not a finite number") for value in NOT_FINITE)
        for limit, step in (("minimum", -1), ("maximum", 1)):
            if limit in schema:
                yield schema[limit] + step, "out of range"
                yield schema[limit] + step * 10**12, "out of range"
        for limit in ("exclusiveMinimum", "exclusiveMaximum"):
            if limit in schema:
                yield schema[limit], "out of range"
    if "array" in types:
        if schema.get("minItems"):
            yield [], "empty"
        if schema.get("uniqueItems"):
            one = valid_value(schema["items"], rng)
            yield [one, one], "duplicate"
    if "string" in types and schema.get("minLength"):
        yield "", "empty"
    if types == {"string", "object"}:
        word = misspell("rmsprop", rng)
        yield from (({word: {}}, "misspelt word"), ({"sgd": {word: 1}}, "misspelt word"))
        yield from (
            ({"sgd": 1}, "wrong type"),
            ({"sgd": {}, "adam": {}}, "two instead of one"),
        )


def json_type(value: Any) -> str:
    """The JSON schema type of a value."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def misspell(word: str, rng: Random) -> str:
    """A word with a missing, an extra or two swapped letters."""
    at = int(rng.integers(max(1, len(word) - 1)))
    return (
        word[:at] + word[at + 1 :],
        word[:at] + "q" + word[at:],
        word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :] + "x",
    )[rng.integers(3)]


def key_paths(
    schema: dict[str, Any], where: KeyPath = ()
) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """All keys of a section with their schemas."""
    for name, own in schema.get("properties", {}).items():
        yield (*where, name), own
        yield from key_paths(own, (*where, name))
    if "items" in schema:
        yield (*where, 0), schema["items"]
        yield from key_paths(schema["items"], (*where, 0))


def put(given: Any, where: KeyPath, value: Any, leaf: Any = None) -> None:
    """Set the value of a key, and create its parents."""
    for here, following in itertools.pairwise(where):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(given, list):
            if len(given) <= here:
                given.append(empty)
        elif not isinstance(given.get(here), type(empty)):
            given[here] = empty
        given = given[here]
    if isinstance(given, list):
        given[:] = [value, *given[1:]]
    else:
        given[where[-1]] = value


def sections(schema: dict[str, Any]) -> list[tuple[KeyPath, str, dict[str, Any]]]:
    """A search of each algorithm, a dataset of each source and a topology, with their schemas."""
    definitions = schema["$defs"]
    searches = [
        (("searches", "s"), name, definitions[name]) for name in ("ectonas", "surgeon", "baseline")
    ]
    names = schema["properties"]["datasets"]["additionalProperties"]["properties"]["source"]
    known = [(("datasets", "d"), name, definitions[name]) for name in names["enum"]]
    return [*searches, *known, (("topologies", "mine"), "", definitions["entries"])]


def invalid_configs(schema: dict[str, Any], rng: Random) -> Iterator[Invalid]:
    """Invalid configurations, without end."""
    chosen = sections(schema)
    while True:
        section, name, own = chosen[rng.integers(len(chosen))]
        given = valid(schema, rng)
        if section[0] == "searches":
            given["searches"]["s"] = valid_search(name, schema, rng)
        elif section[0] == "datasets":
            given["datasets"] = {"d": valid_dataset(name, schema, rng)}
        else:
            given["topologies"] = {"mine": [{"dense": {"units": 3}}]}
        yield from invalid_value(given, section, own, rng)
        yield from invalid_value(given, section, own, rng)
        yield from invalid_value(given, section, own, rng)
        made = [*invalid_keys(given, section, own, rng), *invalid_sections(given, section, rng)]
        if made:
            yield made[rng.integers(len(made))]


def invalid_value(
    given: dict[str, Any], section: KeyPath, own: dict[str, Any], rng: Random
) -> Iterator[Invalid]:
    """An invalid value in a section."""
    found = [
        (where, schema)
        for where, schema in key_paths(own)
        if any(key in schema for key in ("type", "enum"))
        and where[-1] not in ("source", "algorithm")
    ]
    where, schema = found[rng.integers(len(found))]
    values = list(invalid_values(schema, rng))
    if section[0] == "topologies" and "required" not in schema:  # an entry may have no settings
        values = [(value, error) for value, error in values if value is not None]
    if values:
        errors = sorted({error for _, error in values})
        error = errors[rng.integers(len(errors))]
        alike = [value for value, other in values if other == error]
        value = alike[rng.integers(len(alike))]
        changed = copy.deepcopy(given)
        companions = COMPANIONS.get(str(where[0]), {})
        for key, companion in companions.items():
            changed[section[0]][section[1]][key] = companion
        if section[0] == "topologies":  # one kind of layer each
            changed["topologies"]["mine"] = []
        expanding = where[0] in EXPANDING and isinstance(value, list)
        if not expanding:
            put(changed, (*section, *where), value)
            yield Invalid(changed, ".".join(map(str, (*section, *where))), error)


def invalid_keys(
    given: dict[str, Any], section: KeyPath, own: dict[str, Any], rng: Random
) -> Iterator[Invalid]:
    """An unknown and a missing key of a section."""
    mappings = [((), own), *((w, s) for w, s in key_paths(own) if "properties" in s)]
    where, schema = mappings[rng.integers(len(mappings))]
    if schema.get("additionalProperties") is False and section[0] != "topologies":
        names = list(schema["properties"])
        key = misspell(names[rng.integers(len(names))], rng)
        if key not in names:
            changed = copy.deepcopy(given)
            put(changed, (*section, *where, key), 1)
            yield Invalid(changed, ".".join(map(str, (*section, *where, key))), "unknown key")
    if section[0] == "searches":
        changed = copy.deepcopy(given)
        del changed["searches"]["s"]["dataset"]
        yield Invalid(changed, "searches.s.dataset", "missing key")


def invalid_sections(given: dict[str, Any], section: KeyPath, rng: Random) -> Iterator[Invalid]:
    """An invalid name, and a section of another type."""
    changed = copy.deepcopy(given)
    name = INVALID_NAMES[rng.integers(len(INVALID_NAMES))]
    changed[section[0]] = {name: changed[section[0]][section[1]]}
    yield Invalid(changed, section[0], "invalid name")
    other = OTHERS[rng.integers(len(OTHERS))]
    if not isinstance(other, dict):
        yield Invalid(given | {section[0]: other}, section[0], "not a section")
    key = misspell(section[0], rng)
    if key not in top_level_keys():
        yield Invalid({**given, key: {}}, key, "unknown key")


def top_level_keys() -> set[str]:
    """The top-level keys."""
    return {"results", "datasets", "topologies", "searches"}
