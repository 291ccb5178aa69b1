"""Numbers that YAML reads as text, such as 1e-3: what the user means, and how YAML wants it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

COMMA = re.compile(r"([+-]?\d+),(\d+)")  # in the place of a decimal point
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")  # a comma that may mean either


def number_hint(value: Any) -> str:
    """Return the end of an error message about text that stands for a number; else nothing."""
    written = _as_yaml(value) if isinstance(value, str) else None
    return f"; YAML reads it as text, write {written} (without quotes)" if written else ""


def _as_yaml(text: str) -> str | None:
    """Write a number so that YAML reads it as one; None if the text is none, or not clearly one."""
    stripped = text.strip()
    percent = stripped.endswith("%")
    stripped = stripped.removesuffix("%").rstrip()
    if not THOUSANDS.fullmatch(stripped):
        stripped = COMMA.sub(r"\1.\2", stripped) if COMMA.fullmatch(stripped) else stripped
    try:
        number = Decimal(stripped) / (100 if percent else 1)
        value = float(number)
    except ArithmeticError:
        return None
    if not number.is_finite() or abs(value) == float("inf") or (value == 0 and number != 0):
        return None
    if value == 0 or 1e-6 <= abs(value) < 1e15:
        return f"{number.normalize():f}"
    mantissa, exponent = f"{number.normalize():e}".split("e")
    # YAML needs the point and the sign
    mantissa += "" if "." in mantissa else ".0"
    return f"{mantissa}e{int(exponent):+d}"
