"""Expansion of lists: one search per combination of listed values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from netsurgery.config.errors import error_at
from netsurgery.config.starting_models import is_path
from netsurgery.search.selection import SelectionMode

EXPANDING = ("dataset", "topology", "mode", "greediness")  # in the order they enter the name


def expand(name: str, given: Any) -> Iterator[tuple[str, Any]]:
    """Yield one search per combination of listed values, under a name that tells its values.

    Each list adds its value to the name, such as `sizes.ff-small.balanced.0.5`. In a list of modes
    `greediness` applies to `balanced` only; the other modes ignore it.

    Args:
        name: The name of the search in the configuration.
        given: Its settings; what is not a mapping is left to the schema.

    Raises:
        ConfigError: A list is empty, holds a value twice, or models of one name.
    """
    if not isinstance(given, Mapping):
        yield name, given
        return
    if isinstance(given.get("seeds"), int):
        given = {**given, "seeds": [given["seeds"]]}
    listed = [key for key in EXPANDING if isinstance(given.get(key), list)]
    for key in listed:
        _check_list(name, key, given[key])
    seen: dict[str, Any] = {}
    for values in itertools.product(*(given[key] for key in listed)):
        search = dict(given) | dict(zip(listed, values, strict=True))
        if isinstance(given.get("mode"), list) and search["mode"] != SelectionMode.BALANCED:
            search.pop("greediness", None)
        full = ".".join([name, *(_label(search[key]) for key in listed if key in search)])
        if seen.setdefault(full, search) != search:
            message = f"{given['topology']} lists models of one name; rename one of the files"
            raise error_at(["searches", name, "topology"], message)
        if seen[full] is search:
            yield full, search


def _label(value: Any) -> str:
    """What a listed value adds to the name of its search: of the path of a model only its name."""
    return Path(value).stem if is_path(value) else str(value)


def _check_list(name: str, key: str, values: list[Any]) -> None:
    if not values:
        raise error_at(["searches", name, key], "the list is empty; name one value or several")
    if len({str(value) for value in values}) < len(values):
        raise error_at(["searches", name, key], f"{values} lists a value twice")
