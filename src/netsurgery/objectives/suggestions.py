"""What would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

MANY = 20  # names; of more, the closest one is enough


def suggest(value: Any, names: Iterable[str]) -> str:
    """What to say behind a value that is none of some names: the closest, and all of them."""
    ordered = sorted(map(str, names))
    close = difflib.get_close_matches(str(value), ordered, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return hint if hint and len(ordered) > MANY else f"{hint} (allowed: {', '.join(ordered)})"
