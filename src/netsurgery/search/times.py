"""Times that users write, such as 20min: what a search may spend on this machine."""

from __future__ import annotations

import re
from typing import Any

UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(s|min|h)")


def is_time(value: Any) -> bool:
    """Whether a setting is a time, and not a number of epochs."""
    return isinstance(value, str)


def seconds_of(text: str) -> float:
    """The seconds in a time.

    Args:
        text: such as 90s, 20min or 1.5h.

    Raises:
        ValueError: It is no time.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time such as 90s, 20min or 1.5h")
    return float(found[1]) * UNITS[found[2]]


def text_of(seconds: float) -> str:
    """Write seconds as a time."""
    return f"{seconds:g}s"
