"""The model card's lines of Python, run on tables as pandas reads them."""

import contextlib
import io
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from netsurgery import datasets
from netsurgery.keras_io import archive, preprocessing
from netsurgery.report.usage import usage_snippet
from tests.support.factories import complete_dataset

RNG = np.random.default_rng(0)
ROWS = 40


def numbers(scale: float = 1.0, shift: float = 0.0) -> list[float]:
    return (shift + scale * RNG.normal(size=ROWS)).tolist()


def choices(*values: object) -> list[object]:
    return [values[i] for i in RNG.integers(len(values), size=ROWS)]


@dataclass
class Table:
    """A table with its settings, and how pandas reads it.

    `text` maps columns to what stands in the file.
    """

    columns: dict[str, list[Any]]
    settings: dict[str, Any] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)
    separator: str = ","
    separator_at_end: str = ""
    header: bool = True

    source = "csv"

    def load(self, path):
        return pd.read_csv(path, **self.read)

    def write(self, path):
        rows = zip(*self.columns.values(), strict=True)
        lines = [self.separator.join(map(str, row)) + self.separator_at_end for row in rows]
        head = [self.separator.join(self.columns)] if self.header else []
        path.write_text("\n".join([*head, *lines]) + "\n")


@dataclass
class Parquet:
    """A column of a parquet file, beside a target and numbers."""

    column: Any
    settings: dict[str, Any] = field(default_factory=dict)
    source = "parquet"

    def load(self, path):
        return pd.read_parquet(path)

    def write(self, path):
        y = [str(i % 3) for i in range(ROWS)]
        pd.DataFrame({"a": numbers(), "b": self.column, "y": y}).to_parquet(path)


def with_target(columns, **kwargs):
    return Table(columns | {"y": [str(i % 3) for i in range(ROWS)]}, **kwargs)


DAYS = [str(day) for day in np.datetime64("2021-11-03") + 17 * np.arange(ROWS)]
TABLES = {
    "numbers": with_target({"a": numbers(), "b": numbers(100, 7)}),
    "missing numbers": with_target({"a": numbers(), "b": choices("", 1.5, 2.5)}),
    "question marks": with_target({"a": numbers(), "b": choices("?", " ?", 2.5, 3)}),
    "a number for missing": with_target(
        {"a": choices(-999, 1, 2), "b": choices("", -999, 1.5)}, settings={"na_values": ["-999"]}
    ),
    "text": with_target({"a": numbers(), "b": choices("red", "green", "blue")}),
    "missing text": with_target({"a": numbers(), "b": choices("red", "green", "", "?")}),
    "spaces": with_target({"a": numbers(), " b": choices(" red", " green", "blue ", " ?")}),
    "booleans": with_target({"a": numbers(), "b": choices("True", "False")}),
    "missing booleans": with_target({"a": numbers(), "b": choices("True", "False", "")}),
    "shouted booleans": with_target({"a": numbers(), "b": choices("TRUE", "FALSE")}),
    "codes": with_target({"a": numbers(), "b": choices(1, 2, 10)}, settings={"categorical": ["b"]}),
    "missing codes": with_target(
        {"a": numbers(), "b": choices(1, 2, 10, "")}, settings={"categorical": ["b"]}
    ),
    "codes with zeros": with_target(
        {"a": numbers(), "b": choices("007", "010", "100")}, settings={"categorical": ["b"]}
    ),
    "float codes": with_target(
        {"a": numbers(), "b": choices("0.50", "1.0", "2e3")}, settings={"categorical": ["b"]}
    ),
    "codes of text and numbers": with_target(
        {"a": numbers(), "b": choices("A1", "1", "2")}, settings={"categorical": ["b"]}
    ),
    "codes that differ in zeros": with_target(
        {"a": numbers(), "b": choices("1", "01", "001")},
        settings={"categorical": ["b"]},
        read={"dtype": {"b": str}},
    ),
    "seconds": with_target({"t": [1_700_000_000 + i for i in range(ROWS)], "a": numbers()}),
    "seconds and text": with_target(
        {"t": [1_700_000_000.5 + i for i in range(ROWS)], "b": choices("x", "y")}
    ),
    "no header": with_target(
        {"a": numbers(), "b": choices("x", "y")},
        settings={"header": False, "target": 2},
        read={"header": None},
        header=False,
    ),
    "semicolons": with_target(
        {"a": numbers(), "b": numbers()},
        settings={"delimiter": ";"},
        read={"sep": ";"},
        separator=";",
    ),
    "decimal commas": with_target(
        {"a": [str(v).replace(".", ",") for v in numbers()], "b": choices("1.234,5", "12")},
        settings={"delimiter": ";", "decimal": ",", "thousands": "."},
        read={"sep": ";", "decimal": ",", "thousands": "."},
        separator=";",
    ),
    "blanks": with_target(
        {"a": numbers(), "b": choices("x", "y")},
        settings={"delimiter": " "},
        read={"sep": r"\s+"},
        separator="   ",
    ),
    "[UNK]": with_target({"a": numbers(), "b": choices("[UNK]", "[UNK]_", "x")}),
    "commas in quotes": with_target({"a": numbers(), '"b, c"': choices('"p, q"', "r")}),
    "separators at the end": with_target(
        {"a": numbers(), "b": choices("x", "y")}, read={"index_col": False}, separator_at_end=","
    ),
    "blank lines": with_target({"a": numbers(), "b": choices("x", "y")}, separator_at_end="\n"),
    "slashes": with_target({"a/b": numbers(), "a_b": numbers(9), "c": choices("x", "y")}),
    "unwanted columns": with_target(
        {"a": numbers(), "b": choices("x", "y"), "c": choices("u", "v")}, settings={"drop": ["b"]}
    ),
    "dates": with_target({"a": numbers(), "b": DAYS}, settings={"dates": ["b"]}),
    "dates and times with gaps": with_target(
        {
            "a": numbers(),
            "b": [f"{day}T0{i % 9}:30" if i % 5 else "" for i, day in enumerate(DAYS)],
        },
        settings={"dates": ["b"]},
    ),
    "German dates": with_target(
        {"b": [".".join(reversed(day.split("-"))) for day in DAYS], "c": choices("x", "y")},
        settings={"dates": ["b"], "date_format": "%d.%m.%Y"},
    ),
    "one column": with_target({"b": choices("x", "y", "z")}),
    "a target of 1e-9": Table(
        {"a": numbers(), "b": choices("x", "y"), "y": numbers(1e-9, 1e-8)},
        settings={"task": "regression"},
    ),
}

CODES = {"categorical": ["b"]}
TABLES |= {
    "parquet booleans": Parquet(choices(True, False)),
    "parquet boolean codes": Parquet(choices(True, False), CODES),
    "parquet missing booleans": Parquet(pd.array(choices(True, False, None), "boolean")),
    "parquet missing integers": Parquet(pd.array(choices(1, 2, None), "Int64")),
    "parquet missing codes": Parquet(pd.array(choices(1, 2, None), "Int64"), CODES),
    "parquet text": Parquet(choices("x", "y", None, "?")),
    "parquet categories": Parquet(pd.Categorical(choices(3, 4, 10))),
    "parquet decimals": Parquet(choices(Decimal("1.25"), Decimal("2.50"))),
    "parquet float32 codes": Parquet(np.array(choices(0.1, 1.0), np.float32), CODES),
    "parquet -999": Parquet(choices(1.0, -999.0, 3.5), {"na_values": ["-999"]}),
    "parquet dates": Parquet(np.array(DAYS, "datetime64[ns]"), {"dates": ["b"]}),
    "parquet seconds": Parquet(1_700_000_000 + np.arange(ROWS)),
}


def trained(table, folder):
    """The folder's model.keras, its description, and what its network predicts for all rows."""
    table.write(folder / "table.csv")
    given = {
        "source": table.source,
        "path": str(folder / "table.csv"),
        "target": "y",
    } | table.settings
    datasets.prepare("d", complete_dataset(given), folder / "prepared")
    split = folder / "split.npz"
    datasets.write_split(folder / "prepared", split, datasets.SplitSettings(0.2, 0.2), 0)
    part = datasets.read_part(folder / "prepared", split, "training")
    inner = keras.Sequential([keras.Input(part.x.shape[1:]), keras.layers.Dense(3)])
    data = datasets.describe(folder / "prepared")
    if part.target is not None:
        inner = keras.Sequential([keras.Input(part.x.shape[1:]), keras.layers.Dense(1)])
    model = preprocessing.with_preprocessing(inner, data, part.scaling, part.target)
    archive.save(model, folder / "model.keras")
    outputs = np.asarray(inner(part.scaling.apply(np.asarray(part.x))))
    if part.target is None:
        return data, np.asarray(keras.ops.softmax(outputs))
    return data, part.target.restore(outputs / part.target.scale + part.target.shift)


def run_card(data, frame, folder):
    code = usage_snippet(data).replace('"model.keras"', repr(str(folder / "model.keras")))
    names = {"table": frame}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, names)
    return np.asarray(names["outputs"])


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_lines_of_the_card_predict_what_was_tested(table, tmp_path):
    data, expected = trained(table, tmp_path)
    frame = table.load(tmp_path / "table.csv")
    scale = abs(expected).max()
    assert np.ptp(expected, axis=0).min() > 1e-3 * scale
    without_target = frame[frame.columns[-2::-1]].assign(more="?")
    for variant in (frame, without_target):
        found = run_card(data, variant, tmp_path)
        np.testing.assert_allclose(found / scale, expected / scale, atol=2e-5)


def test_the_comment_of_the_card_reads_the_table(tmp_path):
    names = ("no header", "semicolons", "codes that differ in zeros", "decimal commas", "blanks")
    for name in names:
        table = TABLES[name]
        (tmp_path / name).mkdir()
        data, _ = trained(table, tmp_path / name)
        (comment,) = (s for s in usage_snippet(data).splitlines() if s.startswith("# table = "))
        found = eval(comment.removeprefix("# table = "), {"pd": pd})
        expected = table.load(tmp_path / name / "table.csv")
        pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("name", ["numbers", "text", "seconds"])
def test_a_table_without_a_column_is_an_error(name, tmp_path):
    data, _ = trained(TABLES[name], tmp_path)
    frame = pd.read_csv(tmp_path / "table.csv").drop(columns="a")
    with pytest.raises(KeyError, match="a"):
        run_card(data, frame, tmp_path)


def test_text_among_numbers_is_an_error(tmp_path):
    data, _ = trained(TABLES["numbers"], tmp_path)
    frame = pd.read_csv(tmp_path / "table.csv").astype({"a": object})
    frame.loc[3, "a"] = "1,5"
    with pytest.raises(ValueError, match="1,5"):
        run_card(data, frame, tmp_path)


def test_long_lists_of_columns_are_wrapped(tmp_path):
    table = with_target({f"a rather long name {i}": numbers() for i in range(30)})
    data, _ = trained(table, tmp_path)
    code = usage_snippet(data).replace(str(tmp_path), "folder")  # a path is as long as it is
    assert max(map(len, code.splitlines())) < 100
    compile(code, "card", "exec")
