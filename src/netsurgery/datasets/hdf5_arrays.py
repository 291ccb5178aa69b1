"""Arrays in an HDF5 file: its datasets x_train, y_train and so on, as in an `.npz` file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netsurgery.datasets.source import DataError

if TYPE_CHECKING:
    import h5py

MAGIC = b"\x89HDF\r\n\x1a\n"


def is_hdf5(path: Path) -> bool:
    """Whether a path is that of an HDF5 file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _open(path: Path) -> h5py.File:
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: is not a readable HDF5 file ({reason})") from None


def names_in(path: Path) -> set[str]:
    """The names of the arrays in an HDF5 file.

    Raises:
        DataError: it cannot be read, or holds tables of pandas alone.
    """
    import h5py

    with _open(path) as file:
        names = {name for name, item in file.items() if isinstance(item, h5py.Dataset)}
        tables = [name for name, item in file.items() if "pandas_type" in item.attrs]
    if tables and not names:
        raise DataError(
            f"{path}: holds a table of pandas, not arrays; write it as parquet: "
            f'pandas.read_hdf("{path.name}", "{tables[0]}").to_parquet("{path.stem}.parquet")'
        )
    return names


class Hdf5Array:
    """One array of an HDF5 file, read in chunks.

    Args:
        path: of the file.
        name: of the array, such as x_train.

    Raises:
        DataError: there is no such array.
    """

    def __init__(self, path: Path, name: str) -> None:
        import h5py

        self.path, self.name = path, name
        with _open(path) as file:
            dataset = file.get(name)
            if not isinstance(dataset, h5py.Dataset):
                raise DataError(f"{self}: is not an array")
            self.shape: tuple[int, ...] = dataset.shape or ()
            self._is_text = h5py.check_string_dtype(dataset.dtype) is not None
            self.dtype = np.dtype("U") if self._is_text else dataset.dtype
        if self.dtype.hasobject:
            raise DataError(f"{self}: holds objects, not numbers or text")

    def __str__(self) -> str:
        return f"{self.path}: {self.name}"

    def chunks(self, rows: int) -> Iterator[np.ndarray]:
        """Read the array in chunks of the given number of rows.

        Raises:
            DataError: the file is damaged.
        """
        with _open(self.path) as file:
            dataset = file[self.name]
            for start in range(0, self.shape[0], rows):
                try:
                    values = dataset[start : start + rows]
                except OSError as error:
                    reason = str(error).splitlines()[0]
                    raise DataError(f"{self}: is damaged ({reason})") from None
                yield np.char.decode(values.astype("S")) if self._is_text else values
