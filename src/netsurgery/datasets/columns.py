"""The columns of a table: numbers or categories, found by looking at every value once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets.source import DataError

if TYPE_CHECKING:
    import pandas as pd

NUMBER, CATEGORY = "number", "category"
MOST_LEVELS = 1000


@dataclass(frozen=True)
class Column:
    """A column that networks learn from."""

    name: str
    kind: str  # number or category
    levels: tuple[str, ...] = ()  # of a category, in the order of the alphabet
    missing: bool = False  # whether training samples lack a value

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"levels": list(self.levels)}


@dataclass
class Survey:
    """What was seen of one column so far."""

    name: str
    forced: bool  # to be a category
    rows: int = 0
    missing: int = 0
    numbers: int = 0
    first_text: tuple[int, str] | None = None  # row, value
    infinite: tuple[int, str] | None = None
    levels: set[str] = field(default_factory=set)

    def see(self, values: pd.Series) -> None:
        """Look at some more values."""
        there = values.notna().to_numpy()
        as_numbers = numbers_of(values)
        good = there & ~np.isnan(as_numbers)
        for mask, name in (
            (there & ~good, "first_text"),
            (good & np.isinf(as_numbers), "infinite"),
        ):
            if getattr(self, name) is None and mask.any():
                place = int(np.flatnonzero(mask)[0])
                setattr(self, name, (self.rows + place + 1, str(values.iloc[place])))
        self.rows += len(values)
        self.missing += int((~there).sum())
        self.numbers += int(good.sum())
        if len(self.levels) <= MOST_LEVELS and (self.forced or self.first_text):
            self.levels.update(text_of(values[there]))

    def column(self, path: Path) -> Column:
        """The column that this is.

        Raises:
            DataError: it has no values, too many levels, infinite numbers, or numbers beside text.
        """
        where = f"{path}: column {self.name!r}"
        missing = self.missing > 0
        if self.missing == self.rows:
            raise DataError(f"{where} has no values; leave it out: drop: [{self.name}]")
        if not self.forced and self.first_text is None:
            if self.infinite:
                row, value = self.infinite
                raise DataError(f"{where}, row {row} is {value}, not a finite number")
            return Column(self.name, NUMBER, (), missing)
        if not self.forced and self.numbers and self.first_text:
            row, value = self.first_text
            raise DataError(
                f"{where} mixes {self.numbers} numbers with text ({value!r} in row {row}): add it "
                f"to `categorical`, or the text to `missing`"
            )
        if len(self.levels) > MOST_LEVELS:
            raise DataError(
                f"{where} has more than {MOST_LEVELS} different texts, too many to tell apart; "
                f"leave it out: drop: [{self.name}]"
            )
        return Column(self.name, CATEGORY, tuple(sorted(self.levels)), missing)


def numbers_of(values: pd.Series) -> np.ndarray:
    """Values as float64; NaN where they are missing or no numbers."""
    import pandas as pd

    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def text_of(values: pd.Series) -> Iterable[str]:
    """Values as text; whole numbers without a fraction, as a csv file would have them."""
    if values.dtype.kind == "f":
        return (str(int(v)) if float(v).is_integer() else str(v) for v in values)
    return (str(v) for v in values)


def codes_of(values: pd.Series, levels: tuple[str, ...]) -> np.ndarray:
    """Index of each value's level; -1 for a missing or unknown one."""
    index = {level: i for i, level in enumerate(levels)}
    found = np.full(len(values), -1)
    there = values.notna().to_numpy()
    found[there] = [index.get(text, -1) for text in text_of(values[there])]
    return found


def survey(
    frames: Iterable[pd.DataFrame], names: list[str], forced: set[str], path: Path
) -> list[Column]:
    """The columns of a table, after looking at all of it.

    Args:
        frames: the table, some rows at a time.
        names: of the columns that count.
        forced: those that are categories even if they look like numbers.
        path: of the file, for messages.

    Raises:
        DataError: a column is neither numbers nor text.
    """
    seen = [Survey(name, name in forced) for name in names]
    for frame in frames:
        for column in seen:
            column.see(frame[column.name])
    return [column.column(path) for column in seen]
