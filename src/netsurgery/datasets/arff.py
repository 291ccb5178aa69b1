"""The header of an ARFF file, as Weka and OpenML write it, as settings of a table as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from netsurgery.datasets import file_kinds
from netsurgery.datasets.source import Suggestion

KIND = "an ARFF file"
ATTRIBUTE = re.compile(r"@attribute\s+(?:'([^']*)'|\"([^\"]*)\"|(\S+?))\s*(?:[\s{].*)?", re.I)
DATA = "@data"


def suggestions(path: Path) -> Iterator[Suggestion]:
    """The settings that read the rows of an ARFF file; none if it has no rows."""
    names: list[str] = []
    with file_kinds.open_bytes(path) as file:
        for number, line in enumerate(file, 1):
            text = line.decode("utf-8", "replace").strip()
            if found := ATTRIBUTE.fullmatch(text):
                names.append(next(filter(None, found.groups())))
            elif text.lower().startswith(DATA):
                yield Suggestion("skip_rows", number, "the header of an ARFF file")
                yield Suggestion("header", False, "names stand in the ARFF header")
                yield Suggestion("columns", names, "from the ARFF header")
                yield Suggestion("comment", "%", "starts comments in ARFF files")
                return
