"""How numbers are written: with a decimal point or comma, with separated thousands, with a unit."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from netsurgery.datasets.source import Suggestion

if TYPE_CHECKING:
    import pandas as pd

NO_BREAK = "\u00a0\u202f"  # spaces that pandas cannot take from numbers
NAMES = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
MOSTLY = 0.8  # share of the values by which a column is what they look like
MANY = 20  # different values, too many for a category of amounts


@dataclass(frozen=True)
class NumberFormat:
    """The format of the numbers in a text file.

    Thousands are separated in groups of three digits (or two, as in India); anything else is not a
    number, because removing the separator from it would change what it says.
    """

    decimal: str = "."
    thousands: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a number looks like."""
        separator = re.escape(self.thousands)
        grouped = rf"\d{{1,3}}(?:{separator}\d{{2,3}})*{separator}\d{{3}}|" if separator else ""
        decimal = re.escape(self.decimal)
        digits = rf"(?:(?:{grouped}\d+)(?:{decimal}\d*)?|{decimal}\d+)"
        return re.compile(rf"[+-]?{digits}(?:[eE][+-]?\d+)?")

    def numbers(self, values: pd.Series) -> np.ndarray:
        """Values as float64; NaN where they are missing or not numbers."""
        import pandas as pd

        if self != PLAIN and not pd.api.types.is_numeric_dtype(values):
            values = values.where(
                values.str.fullmatch(self.pattern.pattern).fillna(False).astype(bool)
            )
            if self.thousands:
                values = values.str.replace(self.thousands, "", regex=False)
            values = values.str.replace(self.decimal, ".", regex=False)
        numbers = pd.to_numeric(values, errors="coerce")
        return numbers.to_numpy(dtype=np.float64, na_value=np.nan)

    def covers(self, text: str) -> bool:
        """Whether a text is a number in this format."""
        return self.pattern.fullmatch(text) is not None

    def share(self, texts: Collection[str]) -> float:
        """The share of some texts that are numbers in this format."""
        return sum(map(self.covers, texts)) / max(1, len(texts))

    @property
    def description(self) -> str:
        """What is special about the format, in words."""
        parts = []
        if self.decimal != ".":
            parts.append(f"decimal {NAMES[self.decimal]}")
        if self.thousands:
            parts.append(f"{NAMES[self.thousands]} between thousands")
        return " and ".join(parts) or "decimal points"

    @property
    def settings(self) -> str:
        """The settings that read it."""
        parts = [f"`decimal: {json.dumps(self.decimal)}`"]
        parts = parts if self.decimal != "." or not self.thousands else []
        parts += [f"`thousands: {json.dumps(self.thousands)}`"] if self.thousands else []
        return " and ".join(parts)


PLAIN = NumberFormat()
FORMATS = (  # of two that fit, such as commas in 12,500, the more likely one first
    PLAIN,
    *(NumberFormat(d, t) for d in ".," for t in ("", ",", ".", " ", "'") if d != t),
)


def written_differently(
    columns: Sequence[Collection[str]], expected: NumberFormat
) -> list[NumberFormat]:
    """The formats in which columns of text are numbers; empty if they are not.

    Args:
        columns: the different texts of each column, all of which have to be numbers.
        expected: the format of the settings, in which they are not.
    """
    others = [[text for text in texts if not expected.covers(text)] for texts in columns]
    shares = {
        found: min(found.share(texts) for texts in (*columns, *others))
        for found in FORMATS
        if found != expected
    }
    best = max(shares.values())
    likely = [found for found, share in shares.items() if share == best >= MOSTLY]
    simple = min((len(f.thousands) + (f.decimal != ".") for f in likely), default=0)
    return [f for f in likely if len(f.thousands) + (f.decimal != ".") == simple]


CURRENCY = r"(?:US|CA|A|C|R|S|HK|NT)?[$€£¥₩₹₽₺₫฿]|USD|EUR|GBP|CHF|JPY|CNY|INR|Rs\.?"
# 4WD is no amount: words of capitals are units only if they are known
UNITS = r"°[CF]?|[KMB]|[MGT]B|[kMGT]?(?:Hz|Pa|W|Wh|V|A|N|J)|[^\W\dA-Z][^\d,]{0,11}"
AMOUNT = re.compile(
    rf"[+-]?(?P<before>(?:{CURRENCY}|[<>≤≥~≈\u2212('\"])?)\s*"
    rf"(?P<number>[+-]?\d[\d.,' {NO_BREAK}]*?)\s*"
    rf"(?P<after>[%‰)'\"]|{CURRENCY}|{UNITS}|)"
)
ORDINALS = {"st", "nd", "rd", "th"}


def unit_of(texts: Iterable[str]) -> str | None:
    """The signs or units of amounts, such as $ or kg; None if the texts are no amounts.

    Args:
        texts: the different values of a column.
    """
    texts = list(texts)
    matches = [found for text in texts if (found := AMOUNT.fullmatch(text))]
    amounts = [m for m in matches if _is_number(re.sub(f"[{NO_BREAK}]", " ", m["number"]))]
    units = {_unit(m) for m in amounts} - {""}
    if len(amounts) < MOSTLY * len(texts) or not 1 <= len(units) <= 3 or units & ORDINALS:
        return None
    return ", ".join(sorted(units))


def _is_number(text: str) -> bool:
    return any(one.covers(text) for one in FORMATS)


def _unit(amount: re.Match[str]) -> str:
    """What is around a number, or a space in it; empty for a mere number."""
    inside = set(amount["number"]) & set(NO_BREAK)
    around = " ".join(filter(None, (amount["before"], amount["after"])))
    return around or ("no-break space" if inside else "")


def suggestions(columns: Sequence[Collection[str]], expected: NumberFormat) -> list[Suggestion]:
    """The settings that read columns of text as numbers; none if they are not numbers."""
    likely = written_differently(columns, expected)[:1]
    return [
        Suggestion(key, value, f"numbers have {found.description}")
        for found in likely
        for key, value in (("decimal", found.decimal), ("thousands", found.thousands))
        if value != getattr(expected, key)
    ]


def hint(text: str, expected: NumberFormat) -> str:
    """What to do about a value that should be a number, to go after the message; maybe nothing."""
    if likely := written_differently([[text]], expected):
        return f"; set {' or '.join(found.settings for found in likely)} to read it"
    unit = unit_of([text])
    return f"; remove {unit!r} from the values" if unit else ""
