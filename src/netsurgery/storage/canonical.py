"""One form for values that mean the same: `30.0` and `30`, keys in any order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

EXACT = 2**53  # up to here every integer is a float of its own


def with_whole_numbers(value: Any) -> Any:
    """Return a value of a configuration in which whole numbers are integers."""
    if isinstance(value, Mapping):
        return {key: with_whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_whole_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    return value


def canonical_json(value: Any) -> str:
    """Return a value as JSON: the same text for values that mean the same.

    Lists keep their order, for it may matter.
    """
    return json.dumps(with_whole_numbers(value), sort_keys=True)
