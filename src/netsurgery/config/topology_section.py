"""The `topologies` section: the user's starting topologies, each a list of entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery.config.errors import error_at
from netsurgery.networks import topologies
from netsurgery.storage.canonical import with_whole_numbers

Entries = list[dict[str, Any]]


def write_out(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose entries all are mappings: `flatten` is `{flatten: {}}`.

    Args:
        given: As read from YAML; what is no list of entries is left to the schema.
    """
    if not isinstance(given.get("topologies"), Mapping):
        return dict(given)
    named = {name: _entries(each) for name, each in given["topologies"].items()}
    return {**given, "topologies": named}


def _entries(given: Any) -> Any:
    return [_entry(each) for each in given] if isinstance(given, list) else given


def _entry(given: Any) -> Any:
    if isinstance(given, str):
        return {given: {}}
    if not isinstance(given, Mapping):
        return given
    return {name: _settings(settings) for name, settings in given.items()}


def _settings(given: Any) -> Any:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return given
    found = dict(given)
    if isinstance(given.get("branches"), list):
        found["branches"] = list(map(_entries, given["branches"]))
    if isinstance(given.get("rows"), Mapping):
        found["rows"] = {name: _entries(row or []) for name, row in given["rows"].items()}
    return found


def load_topologies(given: Mapping[str, Any]) -> dict[str, Entries]:
    """Check the topologies of a configuration; leave out settings that are defaults.

    Args:
        given: The whole configuration.

    Raises:
        ConfigError: Naming the key.
    """
    own = given.get("topologies", {})
    for name in own:
        if name in topologies.NAMED:
            message = "is the name of a built-in topology; choose another name"
            raise error_at(["topologies", name], message)
    return {
        name: topologies.without_defaults(with_whole_numbers(entries))
        for name, entries in own.items()
    }
