"""A small table, its text in many forms, and what becomes of it."""

import numpy as np
import pandas as pd
import pytest

from netsurgery import datasets
from netsurgery.config import loading
from netsurgery.datasets import DataError
from tests.support.factories import SCHEMA

SEARCH = {"algorithm": "baseline", "dataset": "digits", "topology": "ff-small"}


ROWS = [("1.5", "red", "yes"), ("2", "blue", "no"), ("-3.25", "red", "no"), ("40", "blue", "yes")]


X = np.array([[1.5, 0, 1], [2, 1, 0], [-3.25, 0, 1], [40, 1, 0]], np.float32)


NAMES = ("size", "colour", "class")


HEADER = ("size,colour,class",)


def settings_of(given):
    whole = {"datasets": {"d": given}, "searches": {"s": SEARCH}}
    return loading.load(whole, SCHEMA).datasets["d"].settings


def prepared(folder, content, name="table.csv", **settings):
    """Prepare a table: its samples, description and notes."""
    path = folder / name
    if isinstance(content, pd.DataFrame):
        content.to_parquet(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = "parquet" if name.endswith(".parquet") else "csv"
    given = {"source": source, "path": str(path), "target": "class"} | settings
    notes = datasets.prepare("d", settings_of(given), folder / "prepared")
    x = np.load(folder / "prepared" / "x.npy")
    return x, datasets.describe(folder / "prepared"), notes


def refused(folder, content, name="table.csv", **settings):
    """The one line that refuses a table."""
    with pytest.raises(DataError) as caught:
        prepared(folder, content, name, **settings)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(folder / name))
    return message


def written(separator=",", head=True, rows=ROWS, end="\n", first="", last=""):
    """The table as text."""
    lines = [NAMES, *rows] if head else rows
    return "".join(first + separator.join(line) + last + end for line in lines)


R_STYLE = (
    written().split("\n", 1)[0]
    + "\n"
    + "".join(f'"{i}",{",".join(row)}\n' for i, row in enumerate(ROWS, 7))
)


def column(*values, name="v"):
    """A table with a column of these values beside a harmless one."""
    rows = "".join(f'{i % 7},"{v}",{"ab"[i % 2]}\n' for i, v in enumerate(values))
    return f"n,{name},class\n{rows}"
