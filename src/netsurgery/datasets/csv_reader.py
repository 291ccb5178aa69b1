"""Read tables from text files with pandas, in chunks of rows."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets import csv_structure
from netsurgery.datasets.csv_structure import END, NAME, WHITESPACE, Structure
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.source import DataError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}  # by which pandas knows a compression
PANDAS = "Error tokenizing data. C error: "


class CsvFile:
    """A text file that is a table. All its values are text.

    Args:
        path: of the file; it may be compressed with gzip, bz2 or xz.
        settings: of the dataset.

    Raises:
        DataError: it is not a table with these settings.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.missing = frozenset(map(str, settings["na_values"])) | {""}
        self.keep_default_na: bool = settings.get("keep_default_na", True)
        self.numbers = NumberFormat(settings["decimal"], settings["thousands"])
        self.structure: Structure = csv_structure.structure_of(path, settings)
        self.columns = list(self.structure.columns)
        self.row_names = tuple({NAME} & {*self.structure.fields})
        self.named = "columns" in settings
        self.categories: frozenset[str] = frozenset()

    @property
    def notes(self) -> list[str]:
        """What the user should know about how the file is read; reads the whole file."""
        count, first = self._short_rows()
        rows = "1 row has" if count == 1 else f"{count} rows have"
        short = (
            f"{self.path}: {rows} fewer values than there are columns (first row {first}); what "
            f"is not there counts as missing"
        )
        return [*self.structure.notes, *([short] if count else [])]

    @cached_property
    def missing_numbers(self) -> set[float]:
        """The numbers that mean a missing value."""
        import pandas as pd

        found = self.numbers.numbers(pd.Series(sorted(self.missing), dtype="str"))
        return set(found[found == found].tolist())

    @property
    def pandas_options(self) -> dict[str, Any]:
        """How `pandas.read_csv` has to be called to find the columns by their names."""
        found, options = self.structure, dict[str, Any]()
        if found.delimiter != ",":
            options["sep"] = found.delimiter if self._is_regular else re.escape(found.delimiter)
        if not self._is_regular:
            options["engine"] = "python"
        if found.skipped:
            options["skiprows"] = found.skipped
        if found.comment:
            options["comment"] = found.comment
        if not self.keep_default_na:
            options |= {"keep_default_na": False, "na_values": sorted(self.missing)}
        if self.named:
            options |= {"header": 0} if found.header else {}
            options["names"] = list(found.columns)
        elif not found.header:
            options["header"] = None
        if found.fields[-1] == END:
            options["index_col"] = False
        if found.encoding not in ("utf-8", "utf-8-sig"):
            options["encoding"] = found.encoding
        if found.compression != SUFFIXES.get(self.path.suffix):
            options["compression"] = found.compression
        if self.numbers.decimal != ".":
            options["decimal"] = self.numbers.decimal
        if self.numbers.thousands:
            options["thousands"] = self.numbers.thousands
        return options

    @property
    def _is_regular(self) -> bool:
        """Whether pandas has a fast reader for the delimiter."""
        return len(self.structure.delimiter) == 1 or self.structure.delimiter == WHITESPACE

    def frames(self, rows: int, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Read some columns in chunks of rows; NaN marks a missing value.

        Raises:
            DataError: it cannot be read.
        """
        import pandas as pd

        try:
            for frame in self._read(rows):
                values = {name: self._with_missing(frame[name]) for name in columns}
                yield pd.DataFrame(values)
        except (pd.errors.ParserError, pd.errors.ParserWarning, OSError, EOFError) as error:
            reason = str(error).strip().splitlines()[-1].replace(PANDAS, "")
            raise DataError(f"{self.path}: cannot be read as a table ({reason})") from None
        except UnicodeDecodeError:
            raise csv_structure.not_decodable(self.path, self.structure.encoding) from None

    def _read(self, rows: int) -> Iterator[pd.DataFrame]:
        import pandas as pd

        found = self.structure
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row with too many values
            reader: Any = pd.read_csv(
                self.path,
                sep=found.delimiter if self._is_regular else re.escape(found.delimiter),
                engine="c" if self._is_regular else "python",
                skiprows=found.skipped,
                header=0 if found.header else None,
                names=list(found.fields),
                index_col=False,
                dtype=str,
                na_values=sorted(self.missing),
                keep_default_na=self.keep_default_na,
                comment=found.comment,
                skipinitialspace=True,
                chunksize=rows,
                encoding=found.encoding,
                compression=found.compression,
            )
            with reader:
                yield from reader

    def _with_missing(self, values: pd.Series) -> pd.Series:
        stripped = values.astype("str").str.strip()
        absent = stripped.isin(self.missing)
        if self.missing_numbers:
            absent |= np.isin(self.numbers.numbers(stripped), sorted(self.missing_numbers))
        return stripped.mask(absent)

    def _short_rows(self) -> tuple[int, int]:
        """The number of rows with fewer values than columns, and the first of them, from 1."""
        count, first, found = 0, 0, self.structure
        with csv_structure.open_text(self.path, found.encoding) as file:
            for _ in range(found.skipped):
                next(file)
            lines = csv_structure.without_comments(file, found.comment)
            rows = csv_structure.split_rows(lines, found.delimiter)
            try:
                for number, row in enumerate(rows, 0 if found.header else 1):
                    if number > 0 and len(row) < len(self.columns):
                        count, first = count + 1, first or number
            except csv.Error:  # a value without an end: pandas says so
                pass
        return count, first
