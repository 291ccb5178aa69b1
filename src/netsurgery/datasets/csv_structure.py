"""How a text file is a table: its encoding, delimiter, header and columns, from its first rows."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from netsurgery.datasets import arff, encodings, file_kinds
from netsurgery.datasets.number_formats import NumberFormat
from netsurgery.datasets.source import DataError, Suggestion

WHITESPACE = r"\s+"
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", WHITESPACE: "spaces"}
LOOKED_AT = 100  # rows
NAME, END = "row name", "after the last separator"  # of columns that are none
COMMENTS = ("#", "%", "//")
UNNAMED = "Unnamed: {}"  # as in pandas


@dataclass(frozen=True)
class Structure:
    """How a text file is a table.

    Rows may have a value more than there are columns: the row's name before the others, as R writes
    it, or nothing after a separator at the end of the line.
    """

    encoding: str
    compression: str | None
    delimiter: str
    skipped: int  # lines before the header
    comment: str | None  # what starts one, which ends with the line
    header: bool
    columns: tuple[str, ...]
    fields: tuple[str, ...]  # the columns, and NAME before or END after them
    notes: tuple[str, ...] = ()


def split_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The values of each row that is not blank, stripped."""
    if delimiter == WHITESPACE:
        lines = (" ".join(line.split()) for line in lines)
        delimiter = " "
    if len(delimiter) == 1:
        rows: Iterable[list[str]] = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    else:
        rows = (line.rstrip("\r\n").split(delimiter) for line in lines)
    for row in rows:
        if any(map(str.strip, row)) or len(row) > 1:
            yield [value.strip().strip('"' if len(delimiter) > 1 else "") for value in row]


def open_text(path: Path, encoding: str) -> IO[str]:
    """Open a file, decompressed, as text with the line ends that it has."""
    return io.TextIOWrapper(file_kinds.open_bytes(path), encoding=encoding, newline="")


def without_comments(lines: Iterable[str], comment: str | None) -> Iterator[str]:
    """Lines without their comments, and without those that hold nothing else."""
    if not comment:
        yield from lines
        return
    sign = re.escape(comment)
    before = re.compile(rf'(?:[^"{sign}]|"[^"]*")*')
    for line in lines:
        kept = before.match(line)
        if kept is None or kept.end() == len(line):
            yield line
        elif kept.group().strip():
            yield kept.group() + "\n"


def normal_delimiter(delimiter: str) -> str:
    """The delimiter that a setting means: a tab may be spelt out, blanks may be repeated."""
    delimiter = delimiter.replace(r"\t", "\t")
    blanks = {" ", r"\s", r"\s*", r" +", r"[ ]+", r"[ \t]+", "[\t ]+", "[ \t]+"}
    return WHITESPACE if delimiter in blanks else delimiter


def _likely_delimiter(lines: Sequence[str], given: str) -> str | None:
    """The delimiter that splits all rows into the same number of values, if only it does."""
    counts = {}
    for delimiter in DELIMITERS.keys() - {given}:
        found = {len(row) for row in split_rows(lines, delimiter)}
        if len(found) == 1 and max(found) > 1:
            counts[delimiter] = found.pop()
    order = list(DELIMITERS)
    return min(counts, key=lambda d: (d == WHITESPACE, -counts[d], order.index(d)), default=None)


def _spelt(delimiter: str) -> str:
    return repr(delimiter).replace("'", '"').replace("\\\\", "\\")


def _first_lines(
    path: Path, encoding: str, skip_rows: int, comment: str | None
) -> tuple[int, list[str]]:
    """The number of lines before the header, and some lines from there on, without comments.

    Raises:
        DataError: the file cannot be decoded, or is empty.
    """
    try:
        with open_text(path, encoding) as file:
            lines = list(itertools.islice(file, skip_rows + 2 * LOOKED_AT))
    except UnicodeDecodeError:
        raise not_decodable(path, encoding) from None
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    skipped = int(bool(lines) and re.fullmatch(r"sep=.\s*", lines[0]) is not None)  # of Excel
    skipped += skip_rows
    found = list(without_comments(lines[skipped:], comment))
    if not any(map(str.strip, found)):
        raise DataError(f"{path}: is empty{' below `skip_rows`' if skip_rows else ''}")
    return skipped, found


def not_decodable(path: Path, encoding: str) -> DataError:
    """The error for a file that is not in the encoding."""
    if encoding in ("utf-8", "utf-8-sig"):
        likely, advice = encodings.advice(path)
        suggestion = Suggestion("encoding", likely, "the likely one; it is not UTF-8")
        return DataError(f"{path}: is not UTF-8; {advice}", suggestion)
    return DataError(f"{path}: is not in the encoding {encoding} (see `encoding`)")


def structure_of(path: Path, settings: Mapping[str, Any]) -> Structure:
    """Find out how a text file is a table.

    Raises:
        DataError: it is none, or not with these settings.
    """
    other = file_kinds.other_kind(path)
    is_arff = other is not None and other[0] == arff.KIND
    if other and not (is_arff and settings.get("skip_rows")):
        message = f"{path}: is {other[0]}, not a table as text; {other[1]}"
        raise DataError(message, *(arff.suggestions(path) if is_arff else ()))
    encoding = settings.get("encoding") or encodings.by_mark(path)
    encoding = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    comment = settings.get("comment")
    skipped, lines = _first_lines(path, encoding, settings.get("skip_rows", 0), comment)
    if "\0" in "".join(lines):  # as in UTF-16 without a byte order mark
        other_encoding, _ = encodings.advice(path)
        raise DataError(
            f"{path}: has bytes of value 0 and is not text in {encoding}; set `encoding`",
            Suggestion("encoding", other_encoding, "the likely one; half of its bytes are 0"),
        )
    delimiter = normal_delimiter(settings["delimiter"])
    try:
        rows = list(itertools.islice(split_rows(lines, delimiter), LOOKED_AT))
    except csv.Error as error:
        raise DataError(f"{path}: cannot be read as a table ({error})") from None
    names, width = rows[0], Counter(map(len, rows[1:] or rows)).most_common(1)[0][0]
    if len(names) == 1 or width == 1:
        below = lines[len(lines) // 2 :]  # there may be a title above
        likely = _likely_delimiter(lines, delimiter)
        if likely is None and width == 1:
            likely = _likely_delimiter(below, delimiter)
        if likely:
            raise DataError(
                f"{path}: has one column with the delimiter {_spelt(delimiter)}; its values are "
                f"separated by {DELIMITERS[likely]}: set `delimiter: {_spelt(likely)}`",
                Suggestion("delimiter", likely, f"{DELIMITERS[likely]} separate the values"),
            )
    if settings["header"]:
        _check_header(names, rows[1:], path, settings)
    _check_first_row(lines, names, width, delimiter, path, settings)
    columns, fields, notes = _columns(names, rows, width, path, settings)
    return Structure(
        encoding=encoding,
        compression=file_kinds.compression(path),
        delimiter=delimiter,
        skipped=skipped,
        comment=comment,
        header=settings["header"],
        columns=tuple(columns),
        fields=tuple(fields),
        notes=tuple(notes),
    )


def _check_header(
    names: list[str], rows: list[list[str]], path: Path, settings: Mapping[str, Any]
) -> None:
    """Raise a `DataError` if the first row seems to hold values as the others do."""
    numbers = NumberFormat(settings["decimal"], settings["thousands"])
    numeric = [
        name
        for name, *values in zip(names, *rows, strict=False)
        if values and all(map(numbers.covers, values))
    ]
    years = [int(name) for name in numeric if name.isdecimal()]  # or other numbers as names
    named = len(years) == len(numeric) and years == sorted(set(years))
    if numeric and all(map(numbers.covers, numeric)) and not named:
        shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
        raise DataError(
            f"{path}: its first row holds values ({shown}), not names of columns; set "
            f"`header: false`, and name the columns in `columns` if you like",
            Suggestion("header", False, "the first row holds values, not names"),
        )


def _check_first_row(
    lines: Sequence[str],
    names: Sequence[str],
    width: int,
    delimiter: str,
    path: Path,
    settings: Mapping[str, Any],
) -> None:
    """Raise a `DataError` if the first row is no header, but a comment or a title above it."""
    if not settings["header"] or (len(names) >= width and sum(map(bool, names)) > 1):
        return
    sign = next((sign for sign in COMMENTS if names[0].startswith(sign)), None)
    if sign is None and not (sum(map(bool, names)) == 1 < width):
        return
    advice, suggestion = "remove the lines above the header", None
    if sign is not None and len(sign) == 1 and sign not in "".join(lines[-len(lines) // 2 :]):
        suggestion = Suggestion("comment", sign, "lines that start with it are comments")
        advice = f"set `comment: {_spelt(sign)}`"
    elif above := _lines_above(lines, width, delimiter):
        skip = settings.get("skip_rows", 0) + above
        suggestion = Suggestion("skip_rows", skip, "lines above the header")
        advice = f"set `skip_rows: {skip}`"
    raise DataError(
        f"{path}: its first row, {names[0]!r}, names no columns; {advice}, or set `header: false` "
        f"and name all {width} in `columns`",
        *filter(None, [suggestion]),
    )


def _lines_above(lines: Sequence[str], width: int, delimiter: str) -> int | None:
    """The number of lines above the first that may be a header: as many names as rows are wide."""
    numbers = NumberFormat()
    for i, line in enumerate(lines):
        row = next(iter(split_rows([line], delimiter)), [])
        if len(row) == width and all(row) and not any(map(numbers.covers, row)):
            return i
    return None


def _columns(
    names: list[str],
    rows: list[list[str]],
    width: int,
    path: Path,
    settings: Mapping[str, Any],
) -> tuple[list[str], list[str], list[str]]:
    """The names of a table's columns, of the fields of its rows, and notes for the user.

    Args:
        names: the first row.
        rows: the first rows.
        width: number of values that most of the others have.
        path: of the file, for messages.
        settings: of the dataset.

    Raises:
        DataError: the header does not fit the rows, or the names are not right.
    """
    header, given = settings["header"], settings.get("columns")
    while header and len(names) > width and not names[-1]:  # a separator at the header's end
        names = names[:-1]
    columns = names if header else [str(i) for i in range(len(names))]
    before, after, notes = [], [], []
    others = [row for row in rows[1:] if len(row) == width]
    ends_empty = not any(row[-1] for row in others)
    # names of rows are all different; what repeats is the first part of a number
    named_rows = len({row[0] for row in others}) == len(others) == len(rows) - 1
    if header and width == len(names) + 1 and (ends_empty or named_rows):
        if ends_empty:
            after = [END]
        elif given and len(given) == width:
            columns = [NAME, *names]
        else:
            before = [NAME]
            notes.append(
                f"{path}: its rows have one value more than the header names, as R writes them: "
                f"the first ({others[0][0]!r}) is taken for the row's name and left out; to use "
                f"it, list all {width} names in `columns`"
            )
    elif header and width != len(names):
        raise DataError(
            f"{path}: its header names {_counted(len(names), 'column')}, but its rows have "
            f"{_counted(width, 'value')}; check `delimiter`, decimal commas and quotes, and remove "
            f"lines above the header, or skip them with `skip_rows`",
            *_without_first_line(names, rows[1:], settings),
        )
    if given:
        if len(given) != len(columns):
            raise DataError(f"{path}: has {len(columns)} columns, but `columns` lists {len(given)}")
        columns = list(given)
    columns = [name or UNNAMED.format(i) for i, name in enumerate(columns)]
    return columns, [*before, *columns, *after], notes


def _without_first_line(
    names: Sequence[str], rows: Sequence[Sequence[str]], settings: Mapping[str, Any]
) -> list[Suggestion]:
    """The settings that read values below a line that is neither header nor row."""
    is_ragged = len({len(row) for row in rows}) > 1 or len(names) > len(rows[0])
    # without a number, it may be a header above decimal commas
    if is_ragged or not (any(map(_is_number, names)) and any(map(_is_number, rows[0]))):
        return []
    return [
        Suggestion("skip_rows", settings.get("skip_rows", 0) + 1, "the first line is no row"),
        Suggestion("header", False, "the second line holds values, not names"),
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
