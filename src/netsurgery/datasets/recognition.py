"""What a file or folder of a user holds: the source of data that reads it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from netsurgery.datasets import arff, file_guess, file_kinds, hdf5_arrays, image_folders
from netsurgery.datasets.folders import is_system
from netsurgery.datasets.image_layout import listed, part_of
from netsurgery.datasets.parquet_reader import MAGIC
from netsurgery.datasets.series.folders import SUFFIXES
from netsurgery.datasets.source import PARTS, PATH_KEYS, TRAINING, DataError, Suggestion

NPY_NAME = "x_train.npy"
UCR, UCR_TEXTS, TRAIN = ".ts", (".tsv", ".txt"), "_TRAIN"
# files of a folder that may be tables
TABLES = {".csv", ".tsv", ".txt", ".data", ".xlsx", ".parquet", ".arff"}
KEYS = {part: key for key, part in PATH_KEYS.items()}


def recognize(path: Path) -> list[Suggestion]:
    """The settings that say what reads a file or folder, `source` first.

    Raises:
        DataError: nothing does; the message says what it is.
    """
    if not path.exists():
        raise DataError(f"{path}: does not exist")
    return _folder(path) if path.is_dir() else _file(path)


def _file(path: Path) -> list[Suggestion]:
    place = Suggestion("path", str(path), "")
    if path.suffix == UCR or (path.suffix in UCR_TEXTS and TRAIN in path.stem):
        test = path.with_name(path.name.replace(TRAIN, "_TEST"))
        return [
            Suggestion("source", "series", "series as the UCR archive has them"),
            place,
            *([Suggestion("test_path", str(test), "by its name")] if test.exists() else []),
        ]
    with file_kinds.open_bytes(path) as file:
        start = file.read(len(MAGIC))
    if start == MAGIC:
        return [Suggestion("source", "parquet", "a parquet file"), place]
    if zipfile.is_zipfile(path) and _holds_arrays(path):
        return [Suggestion("source", "npz", "arrays in a file of NumPy"), place]
    if hdf5_arrays.is_hdf5(path):
        hdf5_arrays.names_in(path)  # which says what to do with a table of pandas
        return [Suggestion("source", "hdf5", "arrays in an HDF5 file"), place]
    other = file_kinds.other_kind(path)
    if other and "xlsx" in other[0]:
        return [Suggestion("source", "excel", "an Excel workbook"), place]
    if other and other[0] == arff.KIND:
        return [
            Suggestion("source", "csv", "a table as text, with an ARFF header"),
            place,
        ]
    if other:
        raise DataError(f"{path}: is {other[0]}; {other[1]}")
    return [Suggestion("source", "csv", "a table as text"), place]


def _holds_arrays(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(".npy") for name in archive.namelist())


def _folder(path: Path) -> list[Suggestion]:
    if (path / NPY_NAME).exists():
        source = Suggestion("source", "npy", f"the folder holds {NPY_NAME}")
        return [source, Suggestion("path", str(path), "")]
    suffixes = image_folders.image_suffixes()
    files = [file for file in sorted(path.rglob("*")) if not is_system(file.name)]
    if any(file.suffix.lower() in suffixes for file in files):
        source = Suggestion("source", "image_folder", "the folder holds images")
        labels = file_guess.labels_of(path)
        named = [Suggestion("labels", str(labels), "its rows name the images")] if labels else []
        return [source, Suggestion("path", str(path), ""), *named]
    recordings = {file.parent for file in files if file.suffix.lower() in SUFFIXES} - {path}
    if len(recordings) > 1:
        source = Suggestion("source", "series", "a folder per class, a file per recording")
        return [source, Suggestion("path", str(path), "")]
    tables = [file for file in files if file.parent == path and file.suffix.lower() in TABLES]
    parts = {part_of(file.stem): file for file in tables}
    if len(tables) == 1:
        return _file(tables[0])
    if TRAINING in parts:
        found = [KEYS[part] for part in PARTS if part in parts]
        source, _ = _file(parts[TRAINING])
        named = [Suggestion(key, str(parts[PATH_KEYS[key]]), "by its name") for key in found]
        return [source, *named]
    held = f"{listed(file.name for file in files)}" if files else "nothing"
    raise DataError(
        f"{path}: no data are recognized in it (found {held}); give a file, or a folder with a "
        f"subfolder of images per class"
    )
