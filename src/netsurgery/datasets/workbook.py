"""The cells of an Excel workbook (xlsx), read from its XML.

Office Open XML, ECMA-376 part 1: a zip file with the sheets' names in `xl/workbook.xml`, their
files in `xl/_rels/workbook.xml.rels`, texts in `xl/sharedStrings.xml`, and formats, which tell
dates from numbers, in `xl/styles.xml`.
"""

from __future__ import annotations

import datetime
import posixpath
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

Cell = float | str | bool | datetime.datetime | None

RELATION = "id"  # the attribute, whose namespace has two versions
# formats of dates and times that have a number instead of a pattern
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
NOT_PATTERN = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')  # quoted, colours, escaped, spaces
ERRORS = "e"


class WorkbookError(ValueError):
    """The file is no workbook that can be read; the message says why."""


def _name(element: ElementTree.Element) -> str:
    """The name of an element or attribute without its namespace, of which there are two."""
    return element.tag.rpartition("}")[2]


def _attribute(element: ElementTree.Element, name: str) -> str | None:
    found = (value for key, value in element.items() if key.rpartition("}")[2] == name)
    return next(found, None)


def _text(element: ElementTree.Element) -> str:
    """The text of a string: of its runs, without the pronunciation that may stand by."""
    if _name(element) == "rPh":
        return ""
    own = (element.text or "") if _name(element) == "t" else ""
    return own + "".join(map(_text, element))


def _column(reference: str) -> int:
    """The number of a column from 0, of a cell such as B7."""
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter.upper()) - ord("A") + 1
    return number - 1


@dataclass(frozen=True)
class Workbook:
    """An Excel workbook; its sheets are read when they are asked for."""

    path: Path

    def _root(self, member: str) -> ElementTree.Element | None:
        """The root of a file in the workbook; None if there is no such file."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                if member not in archive.namelist():
                    return None
                return ElementTree.fromstring(archive.read(member))
        except (OSError, zipfile.BadZipFile, ElementTree.ParseError) as error:
            raise WorkbookError(f"is damaged ({error})") from None

    @cached_property
    def sheets(self) -> dict[str, str]:
        """The file of each sheet of cells, by its name, in order."""
        book, relations = self._root("xl/workbook.xml"), self._root("xl/_rels/workbook.xml.rels")
        if book is None or relations is None:
            raise WorkbookError("is no Excel workbook (xlsx)")
        targets = {each.get("Id"): each for each in relations}
        found = {}
        for element in book.iter():
            if _name(element) == "sheet":
                relation = targets[_attribute(element, RELATION)]
                if (relation.get("Type") or "").endswith("/worksheet"):
                    target = relation.get("Target") or ""
                    place = target.lstrip("/") if target[:1] == "/" else f"xl/{target}"
                    found[element.get("name") or ""] = posixpath.normpath(place)
        return found

    @cached_property
    def _starts_1904(self) -> bool:
        book = self._root("xl/workbook.xml")
        properties = (e for e in book.iter() if _name(e) == "workbookPr") if book else ()
        return any(each.get("date1904") in ("1", "true") for each in properties)

    @cached_property
    def _strings(self) -> list[str]:
        root = self._root("xl/sharedStrings.xml")
        return [] if root is None else [_text(each) for each in root if _name(each) == "si"]

    @cached_property
    def _dates(self) -> list[bool]:
        """Whether each style is that of a date or time."""
        root = self._root("xl/styles.xml")
        if root is None:
            return []
        patterns = {
            int(each.get("numFmtId", 0)): each.get("formatCode", "")
            for each in root.iter()
            if _name(each) == "numFmt"
        }
        formats = [
            int(style.get("numFmtId", 0))
            for group in root
            if _name(group) == "cellXfs"
            for style in group
        ]
        return [
            number in DATE_FORMATS
            or re.search("[dmyhs]", NOT_PATTERN.sub("", patterns.get(number, "")).lower())
            is not None
            for number in formats
        ]

    def rows(self, sheet: str) -> Iterator[list[Cell]]:
        """The rows of a sheet from the first on, empty ones too.

        Raises:
            WorkbookError: It cannot be read.
        """
        root = self._root(self.sheets[sheet])
        if root is None:
            raise WorkbookError(f"is damaged: it has no {self.sheets[sheet]}")
        expected = 1
        for row in (each for each in root.iter() if _name(each) == "row"):
            number = int(row.get("r", expected))
            yield from ([] for _ in range(expected, number))
            expected = number + 1
            cells: list[Cell] = []
            for cell in row:
                place = _column(cell.get("r") or "") if cell.get("r") else len(cells)
                cells += [None] * (place + 1 - len(cells))
                cells[place] = self._value(cell)
            yield cells

    def _value(self, cell: ElementTree.Element) -> Cell:
        kind, parts = cell.get("t", "n"), {_name(part): part for part in cell}
        if kind == "inlineStr":
            return _text(parts["is"]) if "is" in parts else None
        text = parts["v"].text if "v" in parts else None
        if text is None or kind == ERRORS:
            return None
        if kind == "s":
            return self._strings[int(text)]
        if kind == "b":
            return text == "1"
        if kind == "d":
            return datetime.datetime.fromisoformat(text)
        if kind == "str":
            return text
        style = int(cell.get("s", 0))
        if style < len(self._dates) and self._dates[style]:
            return self._date(float(text))
        return float(text)

    def _date(self, days: float) -> datetime.datetime:
        """The date that a number of days means; Excel takes 1900 for a leap year."""
        if self._starts_1904:
            start = datetime.datetime(1904, 1, 1)
        else:
            start = datetime.datetime(1899, 12, 31 if days < 60 else 30)
        return start + datetime.timedelta(milliseconds=round(days * 86_400_000))


def is_empty(row: Sequence[Cell]) -> bool:
    """Whether a row has no values."""
    return not any(value is not None and value != "" for value in row)
