"""Files that the rows of a table name, one each: what a kind of them has to provide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.datasets.image_folders import printable
from netsurgery.datasets.source import DataError, Settings, Source
from netsurgery.networks.layers import Shape

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 3  # names in a message
Description = Mapping[str, Any]  # of an input, as of a prepared dataset


@dataclass(frozen=True)
class FileKind:
    """A kind of files, of which each row of a table has one.

    Attributes:
        name: of the input that the files are, and of one of them in messages.
        key: the setting with their folder; several of them in messages.
        column_key: the setting that names their column.
        suffixes: of their names, in lower case.
        files: those in a folder at any depth; a `DataError` if there are none.
        smallest: the smallest shape that a sample may have, as the settings say.
        open: the files of each part as a source, from the folder, the files and the settings.
        raw: files as the final model takes them, (n, *shape); one by one if their sizes differ.
        read: the same of any files, in the size of training, and notes on them; the path is for
            messages.
    """

    name: str
    key: str
    column_key: str
    suffixes: Callable[[], Set[str]]
    files: Callable[[Path], Sequence[Path]]
    smallest: Callable[[Settings], Shape]
    open: Callable[[Path, Mapping[str, list[Path]], Settings], Source]
    raw: Callable[[Sequence[Path], Description], list[np.ndarray]]
    read: Callable[[Sequence[Path], Description, Path], tuple[np.ndarray, list[str]]]


class FileNames:
    """The files of a folder by what a table may call them.

    Args:
        path: of the folder.
        files: in it, at any depth.
    """

    def __init__(self, path: Path, files: Iterable[Path]) -> None:
        self.path, self.name = path, path.resolve().name
        self.known: dict[str, Path | None] = {}
        for file in files:
            relative = file.relative_to(path)
            whole = relative.as_posix()
            below = f"{self.name}/{whole}"
            for name in {whole, relative.with_suffix("").as_posix(), file.name, file.stem}:
                taken = name in self.known and name not in (whole, below)
                self.known[name] = None if taken else file
            self.known[below] = file

    def find(self, name: str) -> Path | None:
        """The file of a name; None if there is none, or more than one.

        Folders above that of the files do not matter, as in the paths of another computer.
        """
        plain = name.replace("\\", "/").removeprefix("./")
        if plain in self.known:
            return self.known[plain]
        _, folder, below = plain.rpartition(f"/{self.name}/")
        return self.known.get(f"{self.name}/{below}") if folder else None


def file_column(frame: pd.DataFrame, names: FileNames, what: str, table: Path) -> str:
    """The column with most names of files.

    Args:
        frame: some rows of the table.
        names: of the files.
        what: they are, such as images.
        table: for messages.

    Raises:
        DataError: no column names any.
    """
    found = {str(name): 0 for name in frame.columns}
    whole = dict(found)  # names with the ending: others may be numbers of the rows
    for name in found:
        for value in map(str, frame[name].dropna()):
            if (file := names.find(value)) is not None:
                found[name] += 1
                whole[name] += value.endswith(file.suffix)
    best = max(found, key=lambda name: (found[name], whole[name]), default="")
    if not found.get(best):
        raise DataError(
            f"{table}: no column names the {what} in {names.path}; one must hold names of files, "
            f"with or without their folder and ending (columns: {', '.join(found)})"
        )
    return best


def named_files(
    named: Iterable[pd.Series], names: FileNames, kind: FileKind, table: Path
) -> Iterator[list[Path]]:
    """The files that some rows name, for each chunk of rows.

    Raises:
        DataError: there are none of some names; the message lists the first ones.
    """
    found: list[list[Path]] = []
    lost: list[str] = []
    for values in named:
        found.append([])
        for row, name in zip(values.index, values.fillna("").astype(str), strict=True):
            file = names.find(name)
            if file is None:
                lost.append(f"{printable(name)!r} in row {row + 1}")
            else:
                found[-1].append(file)
    if lost:
        raise DataError(
            f"{table}: {len(lost)} of {len(lost) + sum(map(len, found))} rows name no {kind.name} "
            f"in {names.path}, such as {', '.join(lost[:SHOWN])}; add the {kind.key}, or remove "
            f"the rows"
        )
    return iter(found)
