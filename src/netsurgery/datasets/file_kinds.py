"""What a file is by its first bytes, whatever its name: text, compressed text, or something else.

Signatures are those of the formats' specifications.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from netsurgery.datasets.source import DataError

SAVE_AS_CSV = "save it as a csv file"
WITH_PANDAS = "convert it, for example with pandas: `pandas.{}({!r}).to_csv(...)`"

COMPRESSED: tuple[tuple[bytes, str, Callable[[Path], object]], ...] = (
    (b"\x1f\x8b", "gzip", gzip.open),
    (b"BZh", "bz2", bz2.open),
    (b"\xfd7zXZ\x00", "xz", lzma.open),
)
# signature, what it is, what to do
OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel file (xls)", "save it as xlsx or csv"),
    (b"PAR1", "a parquet file", "set `source: parquet`"),
    (b"ARROW1", "a feather file", WITH_PANDAS.format("read_feather", "FILE")),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as a csv file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "for arrays set `source: hdf5`"),
    (b"\x93NUMPY", "a NumPy array", "use `source: npz` or `npy`"),
    (b"MATLAB ", "a MATLAB file", "export the table there with writetable"),
    (b"$FL2", "an SPSS file", WITH_PANDAS.format("read_spss", "FILE")),
    (b"<stata_dta>", "a Stata file", WITH_PANDAS.format("read_stata", "FILE")),
    (b"RDX", "an R file", "export the table there with write.csv"),
    (b"X\n", "an R file", "export the table there with write.csv"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"Rar!", "a rar archive", "unpack it first"),
    (b"%PDF", "a PDF", SAVE_AS_CSV),
    (b"\x89PNG", "a picture", "use `source: image_folder` for pictures"),
    (b"\xff\xd8\xff", "a picture", "use `source: image_folder` for pictures"),
    (b"\x80\x04\x95", "a Python pickle, which is never loaded", SAVE_AS_CSV),
    (b"\x80\x05\x95", "a Python pickle, which is never loaded", SAVE_AS_CSV),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file", "fetch it: `git lfs pull`"),
)
# the start of a text, in lower case
TEXTS: tuple[tuple[bytes, str, str], ...] = (
    (b"<!doctype html", "a web page", "the download went wrong, or needs a log-in"),
    (b"<html", "a web page", "the download went wrong, or needs a log-in"),
    (b"<?xml", "an XML file", SAVE_AS_CSV),
    (b"{", "a JSON file", WITH_PANDAS.format("read_json", "FILE")),
    (b"[{", "a JSON file", WITH_PANDAS.format("read_json", "FILE")),
    (b"@relation", "an ARFF file", "`netsurgery init` writes the settings that read it"),
)
START = 8192  # bytes to look at; ARFF files may begin with pages of comments


def compression(path: Path) -> str | None:
    """How a file is compressed, in pandas' words; None if it is not.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(START)
    return next((name for magic, name, _ in COMPRESSED if start.startswith(magic)), None)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading bytes, decompressed."""
    name = compression(path)
    opener = next((opener for _, found, opener in COMPRESSED if found == name), None)
    return path.open("rb") if opener is None else cast("IO[bytes]", opener(path))


def _zip_contents(path: Path) -> tuple[str, str]:
    """What a zip file is, and what to do with it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return "a damaged zip archive", "get it again"
    if any(name.startswith("xl/") for name in names):
        return "an Excel file (xlsx)", "set `source: excel`"
    if "content.xml" in names:
        return "a spreadsheet of LibreOffice (ods)", SAVE_AS_CSV
    if any(name.endswith(".npy") for name in names):
        return "an npz file", "set `source: npz`"
    held = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"a zip archive of {held}", "unpack it and give the path of the table"


def other_kind(path: Path) -> tuple[str, str] | None:
    """What a file is and what to do with it; None if it may be a table as text.

    Raises:
        DataError: it is empty, or cannot be read.
    """
    try:
        with open_bytes(path) as file:
            start = file.read(START)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text:
        raise DataError(f"{path}: is empty")
    if start.startswith(b"PK\x03\x04"):
        return _zip_contents(path)
    if text.startswith(b"%") and b"@relation" in text:  # after comments
        return TEXTS[-1][1:]
    for known, signatures in ((start, OTHERS), (text, TEXTS)):
        for magic, kind, advice in signatures:
            if known.startswith(magic):
                return kind, advice.replace("FILE", path.name)
    return None
