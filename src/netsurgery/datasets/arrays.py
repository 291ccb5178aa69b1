"""Arrays in a `.npz` file, or in a folder of `.npy` files: x_train, y_train and the like.

They are read piece by piece, and pickled objects are refused before anything is unpickled.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from netsurgery.datasets.source import (
    TEST,
    TRAINING,
    VALIDATION,
    DataError,
    Piece,
    Source,
    rows_per_piece,
    stored_dtype,
)
from netsurgery.networks.layers import Shape

SUFFIXES = {TRAINING: "train", VALIDATION: "val", TEST: "test"}


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and type; the file is left where the values begin."""
    major, _ = npy.read_magic(file)
    read = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    return read(file)


class ArrayFile:
    """One array: a member of a `.npz` file, or a `.npy` file in a folder; only its header is read.

    Args:
        path: the `.npz` file or the folder.
        name: of the array, such as x_train.

    Raises:
        DataError: it cannot be read, or holds pickled objects.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        try:
            with self._opened() as file:
                self.shape, self.columns_first, self.dtype = _read_header(file)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{self}: is not a readable array ({error})") from None
        if self.dtype.hasobject:
            raise DataError(
                f"{self}: holds pickled Python objects, which could run any code and are never "
                f"loaded; save plain numbers, all samples in one shape"
            )

    def __str__(self) -> str:
        return f"{self.path}: {self.name}"

    @contextlib.contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        if self.path.is_dir():
            with (self.path / f"{self.name}.npy").open("rb") as file:
                yield file
        else:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.name}.npy") as file:
                yield file

    def read(self) -> np.ndarray:
        """The whole array."""
        with self._opened() as file:
            return npy.read_array(file, allow_pickle=False)

    def pieces(self, rows: int) -> Iterator[np.ndarray]:
        """The array, so many rows at a time.

        Raises:
            DataError: the file is cut off or damaged.
        """
        if self.columns_first:  # its rows lie scattered
            whole = self.read()
            yield from (whole[i : i + rows] for i in range(0, len(whole), rows))
            return
        size = int(np.prod(self.shape[1:])) * self.dtype.itemsize
        with self._opened() as file:
            _read_header(file)
            for start in range(0, self.shape[0], rows):
                count = min(rows, self.shape[0] - start)
                try:
                    content = file.read(count * size)
                except zipfile.BadZipFile as error:
                    raise DataError(f"{self}: is damaged ({error})") from None
                if len(content) < count * size:
                    raise DataError(f"{self}: ends before its last sample")
                yield np.frombuffer(content, self.dtype).reshape(count, *self.shape[1:])


def _names(path: Path) -> set[str]:
    """The arrays that are there.

    Raises:
        DataError: the file is no `.npz`.
    """
    if path.is_dir():
        return {file.stem for file in path.glob("*.npy")}
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        raise DataError(f"{path}: is not an npz file; numpy.savez writes one") from None


def _find(path: Path) -> dict[str, tuple[ArrayFile, ArrayFile]]:
    """The arrays x and y of each part that is there.

    Raises:
        DataError: an array is missing, or its partner, or it has another number of samples.
    """
    there, found = _names(path), {}
    for part, suffix in SUFFIXES.items():
        pair = [f"{kind}_{suffix}" for kind in "xy"]
        missing = [name for name in pair if name not in there]
        if missing == pair and part != TRAINING:
            continue
        if missing:
            raise DataError(
                f"{path}: {missing[0]} is missing; it holds {', '.join(sorted(there)) or 'nothing'}"
                f" (needed: x_train, y_train; optional: x_val, y_val, x_test, y_test)"
            )
        x, y = (ArrayFile(path, name) for name in pair)
        if x.shape[:1] != y.shape[:1]:
            raise DataError(f"{x} has shape {x.shape}, but {y.name} {y.shape}: one label a sample")
        found[part] = x, y
    return found


def _sample_shape(x: ArrayFile) -> Shape:
    """The shape of a sample; a grey image without an axis for channels gets one.

    Raises:
        DataError: these are neither images nor rows of a table.
    """
    match x.shape:
        case (_, height, width) if height and width:
            return height, width, 1
        case (_, features) if features:
            return (features,)
        case (_, height, width, channels) if height and width and channels:
            if height in (1, 3) and width > 4 and channels > 4:
                raise DataError(f"{x} has shape {x.shape}: channels must come last")
            return height, width, channels
        case _:
            raise DataError(
                f"{x} has shape {x.shape}; images are (samples, height, width, channels) or "
                f"(samples, height, width), tables (samples, features)"
            )


def is_flat(settings: dict[str, Any]) -> bool | None:
    """Whether samples are rows of features; None where the file does not say."""
    try:
        return len(ArrayFile(Path(settings["path"]), "x_train").shape) == 2
    except (DataError, KeyError):
        return None


def open_arrays(settings: dict[str, Any]) -> Source:
    """The arrays of a `.npz` file or of a folder.

    Raises:
        DataError: an array is missing, or has a shape that is none of a dataset.
    """
    path = Path(settings["path"])
    found = _find(path)
    first, labels = found[TRAINING]
    shape = _sample_shape(first)
    for x, y in found.values():
        if x.dtype.kind not in "buif":
            raise DataError(f"{x}: is of type {x.dtype}; samples are of whole or real numbers")
        if x.shape[1:] != first.shape[1:]:
            raise DataError(
                f"{x} has shape {x.shape}, but {first.name} {first.shape}: samples differ"
            )
        if y.shape[1:] != labels.shape[1:]:
            raise DataError(f"{y} has shape {y.shape}, but {labels.name} {labels.shape}")
    dtype = stored_dtype(np.result_type(*(x.dtype for x, _ in found.values())))

    def pieces(part: str) -> Iterator[Piece]:
        x, y = found[part]
        rows = rows_per_piece(shape, x.dtype)
        for some, their in zip(x.pieces(rows), y.pieces(rows), strict=True):
            yield some.reshape(-1, *shape), their

    whole = dtype.kind in "iu"
    return Source(
        origin=str(path),
        version="",
        shape=shape,
        dtype=dtype,
        counts={part: x.shape[0] for part, (x, _) in found.items()},
        pieces=pieces,
        scaling="unit" if whole and len(shape) == 3 else "standard",
        largest=float(np.iinfo(dtype).max) if whole else 1.0,
        names={part: str(y) for part, (_, y) in found.items()},
    )
