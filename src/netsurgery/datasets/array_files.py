"""Single arrays in files of NumPy, or in HDF5 files, read in chunks.

Pickled objects are rejected; nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from netsurgery.datasets import hdf5_arrays
from netsurgery.datasets.hdf5_arrays import Hdf5Array
from netsurgery.datasets.source import TEST, TRAINING, VALIDATION, DataError

SUFFIXES = {TRAINING: "train", VALIDATION: "val", TEST: "test"}


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the order is Fortran's, and dtype; leaves the file at the first value."""
    major, _ = npy.read_magic(file)
    read = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    return read(file)


class ArrayFile:
    """One array: a member of an `.npz` file, or an `.npy` file in a folder.

    The constructor reads only the header.

    Args:
        path: of the `.npz` file or the folder.
        name: of the array, such as x_train.

    Raises:
        DataError: the array cannot be read, or contains pickled objects.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        try:
            with self._open() as file:
                self.shape, self.fortran_order, self.dtype = _read_header(file)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{self}: is not a readable array ({error})") from None
        if self.dtype.hasobject:
            raise DataError(
                f"{self}: contains pickled Python objects, which are never loaded because they can "
                f"run code; save a numeric array with samples of one shape"
            )

    def __str__(self) -> str:
        return f"{self.path}: {self.name}"

    @contextlib.contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        if self.path.is_dir():
            with (self.path / f"{self.name}.npy").open("rb") as file:
                yield file
        else:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.name}.npy") as file:
                yield file

    def _whole(self) -> np.ndarray:
        """The whole array, memory-mapped if it is a file of its own."""
        try:
            if self.path.is_dir():
                return np.load(self.path / f"{self.name}.npy", mmap_mode="r", allow_pickle=False)
            with self._open() as file:
                return npy.read_array(file, allow_pickle=False)
        except zipfile.BadZipFile as error:
            raise DataError(f"{self}: is damaged ({error})") from None
        except ValueError:
            raise self._truncated() from None

    def _truncated(self) -> DataError:
        return DataError(f"{self}: is truncated: it ends before the last sample")

    def chunks(self, rows: int) -> Iterator[np.ndarray]:
        """Read the array in chunks of the given number of rows.

        Raises:
            DataError: the file is truncated or damaged.
        """
        if self.fortran_order:  # the values of a row are not contiguous
            array = self._whole()
            yield from (array[i : i + rows] for i in range(0, len(array), rows))
            return
        size = int(np.prod(self.shape[1:])) * self.dtype.itemsize
        with self._open() as file:
            _read_header(file)
            for start in range(0, self.shape[0], rows):
                count = min(rows, self.shape[0] - start)
                try:
                    content = file.read(count * size)
                except zipfile.BadZipFile as error:
                    raise DataError(f"{self}: is damaged ({error})") from None
                if len(content) < count * size:
                    raise self._truncated()
                yield np.frombuffer(content, self.dtype).reshape(count, *self.shape[1:])


AnyArray = ArrayFile | Hdf5Array


def array_names(path: Path) -> set[str]:
    """The names of the arrays in a file or folder.

    Raises:
        DataError: the file is neither an `.npz` nor an HDF5 file.
    """
    if path.is_dir():
        return {file.stem for file in path.glob("*.npy")}
    if hdf5_arrays.is_hdf5(path):
        return hdf5_arrays.names_in(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        raise DataError(f"{path}: is not an npz file; write it with numpy.savez") from None


def open_array(path: Path, name: str) -> AnyArray:
    """Open an array of a file or folder.

    Raises:
        DataError: it cannot be read.
    """
    return Hdf5Array(path, name) if hdf5_arrays.is_hdf5(path) else ArrayFile(path, name)
