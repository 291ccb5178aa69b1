"""Suggestions for error messages: the closest valid name, and all valid names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

MAX_LISTED = 20  # with more valid names, the closest one is enough


def suggest(value: Any, names: Iterable[str]) -> str:
    """Return the end of an error message about an invalid name.

    Args:
        value: The invalid name.
        names: The valid ones.

    Returns:
        `; did you mean X?`, if a valid name is close, and ` (allowed: A, B)`, unless there is a
        close one among many.
    """
    ordered = sorted(map(str, names))
    close = difflib.get_close_matches(str(value), ordered, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return hint if hint and len(ordered) > MAX_LISTED else f"{hint} (allowed: {', '.join(ordered)})"
