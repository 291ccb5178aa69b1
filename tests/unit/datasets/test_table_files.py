"""Text files as users have them: each kind is read right, or refused in one line."""

import bz2
import gzip
import lzma
import sqlite3
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery import datasets
from netsurgery.config.errors import ConfigError
from netsurgery.datasets import DataError, encodings, raw_tables
from netsurgery.datasets.csv_structure import split_rows
from tests.unit.datasets.table_examples import (
    NAMES,
    R_STYLE,
    ROWS,
    X,
    prepared,
    refused,
    settings_of,
    written,
)

READ = {
    "semicolons": (written(";"), {"delimiter": ";"}),
    "tabs": (written("\t"), {"delimiter": "\t"}),
    "tabs spelt out": (written("\t"), {"delimiter": r"\t"}),
    "bars": (written("|"), {"delimiter": "|"}),
    "double colons": (written("::"), {"delimiter": "::"}),
    "blanks": (written("   ", first="  ", last=" "), {"delimiter": r"\s+"}),
    "blanks as a space": (written("  ", first=" "), {"delimiter": " "}),
    "blanks and tabs": (written(" \t "), {"delimiter": r"\s+"}),
    "Windows line ends": (written(end="\r\n"), {}),
    "mixed line ends": (written(end="\r\n").replace("\r\n", "\n", 2), {}),
    "old Mac line ends": (written(end="\r"), {}),
    "no last line end": (written().strip(), {}),
    "blank lines": (written(end="\n\n"), {}),
    "byte order mark": (b"\xef\xbb\xbf" + written().encode(), {}),
    "quoted": (
        "".join(f'"{line.replace(",", chr(34) + ", " + chr(34))}"\n' for line in written().split()),
        {},
    ),
    "UTF-16": (written().encode("utf-16"), {}),
    "UTF-32": (written().encode("utf-32"), {}),
    "sep= of Excel": ("sep=;\n" + written(";"), {"delimiter": ";"}),
    "separators at line ends": (written(last=","), {}),
    "several at line ends": (written(last=",,,"), {}),
    "separators at row ends": (written().replace("yes", "yes,").replace("no", "no,"), {}),
    "separator at the header's end": (written().replace("class", "class,"), {}),
    "row names of R": (R_STYLE, {}),
    "row names of R, named": (R_STYLE, {"columns": ["row", *NAMES], "drop": ["row"]}),
    "row names of R, header renamed": (R_STYLE, {"columns": ["a", "b", "class"]}),
    "no header": (written(head=False), {"header": False, "target": 2}),
    "gzip": (gzip.compress(written().encode()), {}),
    "bz2": (bz2.compress(written().encode()), {}),
    "xz": (lzma.compress(written().encode()), {}),
    "spaces around values": (written(" , "), {}),
    "numbers as column names": (written().replace("size", "1990"), {}),
    "decimal commas": (written(";").replace(".", ","), {"delimiter": ";", "decimal": ","}),
    "quoted decimal commas": (
        written().replace("1.5", '"1,5"').replace("-3.25", '"-3,25"'),
        {"decimal": ","},
    ),
}


@pytest.mark.parametrize("kind", READ)
def test_every_kind_of_text_file_gives_the_same_samples(kind, tmp_path):
    content, settings = READ[kind]
    x, described, _ = prepared(tmp_path, content, **settings)
    np.testing.assert_array_equal(x, X)
    assert described["classes"] == ["no", "yes"]


@pytest.mark.parametrize("kind", READ)
def test_pandas_reads_every_kind_of_file_as_training_does(kind, tmp_path):
    content, settings = READ[kind]
    _, described, _ = prepared(tmp_path, content, **settings)
    (found,) = raw_tables.read_rows(described, "training", np.array([3, 0]))
    number, text = found.values()
    np.testing.assert_array_equal(number, [40, 1.5])
    assert list(text) == ["blue", "red"]


def excel(folder):
    path = folder / "book.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/workbook.xml", "")
    return path.read_bytes()


def zipped(folder):
    path = folder / "table.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.csv", written())
    return path.read_bytes()


def database(folder):
    with sqlite3.connect(folder / "x.db") as connection:
        connection.execute("create table t (a)")
    connection.close()
    return (folder / "x.db").read_bytes()


def parquet(folder):
    pd.DataFrame(ROWS, columns=NAMES).to_parquet(folder / "x.parquet")
    return (folder / "x.parquet").read_bytes()


OTHER_FILES = {
    "is an Excel file (xlsx), not a table as text; set `source: excel`": excel,
    "is an Excel file (xls)": lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "is a zip archive of rows.csv, not a table as text; unpack it": zipped,
    "is a damaged zip archive": lambda folder: zipped(folder)[:60],
    "is an SQLite database": database,
    "is a parquet file, not a table as text; set `source: parquet`": parquet,
    "is a web page": lambda _: b"\n<!DOCTYPE html><html></html>",
    "is a JSON file, not a table as text; convert it, for example with pandas": (
        lambda _: b'[{"size": 1, "class": "a"}]'
    ),
    "is an ARFF file": lambda _: b"% iris\n@RELATION iris\n",
    "is an HDF5 file": lambda _: b"\x89HDF\r\n\x1a\n" + bytes(99),
    "is a pointer of Git LFS": lambda _: b"version https://git-lfs.github.com/spec/v1\n",
    "is empty": lambda _: b" \n \n",
    "cannot be read (": lambda _: gzip.compress(written().encode())[:30],
}


def test_a_file_that_is_no_parquet_is_named_for_what_it_is(tmp_path):
    message = refused(tmp_path, written(), "table.parquet")
    assert "is not a parquet file, but text; set `source: csv`" in message
    assert "but an Excel file" in refused(tmp_path, excel(tmp_path), "table.parquet")
    assert "is damaged (" in refused(tmp_path, parquet(tmp_path)[:-20], "table.parquet")


@pytest.mark.parametrize("line", OTHER_FILES)
def test_a_file_that_is_no_text_is_named_for_what_it_is(line, tmp_path):
    assert line in refused(tmp_path, OTHER_FILES[line](tmp_path))


TEXTS = {
    "cp949": "차종,연료,class\n쏘나타,가솔린,a\n그랜저,디젤,b\n",
    "shift_jis": "車種,カラー,class\nセダン,ブルー,a\nクーペ,レッド,b\n",
    "euc_jp": "車種,カラー,class\nセダン,ブルー,a\nクーペ,レッド,b\n",
    "gb2312": "品种,颜色,class\n轿车,蓝色,a\n跑车,红色,b\n",
    "big5": "品種,顏色,class\n轎車,藍色,a\n跑車,紅色,b\n",
    "cp1251": "модель,цвет,class\nседан,синий,a\nкупе,красный,b\n",  # noqa: RUF001
    "cp1252": "größe,été,class\n5 µm,garçon,a\n7 °C,naïve,b\n",
    "utf-16-le": "größe,farbe,class\n5,blau,a\n7,rot,b\n",
    "utf-16-be": "größe,farbe,class\n5,blau,a\n7,rot,b\n",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_another_encoding_is_named_and_can_be_set(encoding, tmp_path):
    content = (TEXTS[encoding] * 3).encode(encoding)
    message = refused(tmp_path, content)
    assert f"is not UTF-8; set its `encoding` (it looks like `{encoding}`" in message
    text = TEXTS[encoding].replace("class\n", "class\n" + TEXTS[encoding].split("\n", 1)[1] * 3)
    _, described, _ = prepared(tmp_path, text.encode(encoding), encoding=encoding)
    assert described["columns"][0]["name"] == TEXTS[encoding].split(",")[0]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "miasto,wartość,Łódź,żółty,część,książka"),
        ("cp850", "Größe,Länge,Übung,süß,für,Maß"),
        ("mac_roman", "été,garçon,élève,naïve,Größe,fähig"),
        ("koi8_r", "город,Москва,красный"),
        ("cp1253", "Αθήνα,πόλη,χρώμα"),
        ("cp1255", "שלום,עולם"),
        ("cp1256", "مرحبا,العالم"),
        ("cp874", "สวัสดี,โลก"),
    ],
)
def test_the_encoding_of_a_text_is_guessed(encoding, text):
    assert encodings.guess((text + "\n").encode(encoding) * 3) == encoding


def test_a_wrong_encoding_is_named(tmp_path):
    assert "is not in the encoding utf-8-sig" not in refused(tmp_path, "é,class\n".encode("cp1252"))
    content = written().replace("red", "röd").encode("utf-8")
    assert "is not in the encoding ascii (see `encoding`)" in refused(
        tmp_path, content, encoding="ascii"
    )


def test_bytes_beyond_the_first_rows_are_checked_too(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "SAMPLE", 1000)
    content = written(head=False).encode() * 500 + "1,レッド,no\n".encode("shift_jis")
    message = refused(tmp_path, content, header=False, target=2)
    assert "it looks like `shift_jis`, in which a word reads 'レッド'" in message


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"encoding": "cp9999"}, "datasets.d.encoding: Python knows no encoding 'cp9999'"),
        ({"encoding": "base64"}, "datasets.d.encoding: Python knows no encoding 'base64'"),
        ({"thousands": "."}, "datasets.d.thousands: is also the decimal sign"),
        ({"decimal": ";"}, "datasets.d.decimal: unknown value ';'"),
    ],
)
def test_settings_of_reading_are_checked_at_once(wrong, line, tmp_path):
    with pytest.raises(ConfigError, match=line):
        prepared(tmp_path, written(), **wrong)


STRUCTURE = {
    'has one column with the delimiter ","; its values are separated by semicolons: set '
    '`delimiter: ";"`': (written(";"), {}),
    'separated by tabs: set `delimiter: "\\t"`': (written("\t"), {}),
    'separated by spaces: set `delimiter: "\\s+"`': (written("  "), {}),
    'separated by commas: set `delimiter: ","`': (written(), {"delimiter": ";"}),
    "its first row holds values (1.5, red, yes), not names of columns; set `header: false`": (
        written(head=False),
        {"target": 2},
    ),
    "its header names 4 columns, but its rows have 3 values": (
        "# size,colour,more,class\n" + written(head=False),
        {},
    ),
    "its first row, '# measured in May', names no columns; set `comment: \"#\"`": (
        "# measured in May\n" + written(),
        {},
    ),
    "its header names 2 columns, but its rows have 4 values; check `delimiter`, decimal commas "
    "and quotes, and remove lines above the header": ("In May,Bonn\n" + written(last=",x"), {}),
    "has no rows, only a header": ("size,colour,class\n", {}),
    "columns 'size' mixes 3 numbers with text ('mm' in row 1), 'class' mixes": (
        "size,colour,class,y\nmm,name,code,a\n1,red,1,a\n2,blue,2,b\n3,red,1,b\n",
        {"target": "y"},
    ),
    "row 1 seems to be a header: set `header: true`": (written(), {"header": False, "target": 2}),
    "mixes 2 numbers with text ('-' in row 2 and 'n.a.'); add the column to `categorical`": (
        "a,class\n1,x\n-,y\nn.a.,x\n4,y\n",
        {},
    ),
    "columns 'a', 'b' have no values; remove them with `drop: [a, b]`": (
        "a,b,c,class\n,,1,x\n,,2,y\n",
        {},
    ),
    "columns 'a', 'b' have more than 1000 distinct values, too many for a category with fewer "
    "than 5 rows each; remove them with `drop: [a, b]`": (
        "a,b,class\n" + "".join(f"x{i}y,y{i}z,{i % 2}\n" for i in range(1100)),
        {},
    ),
    "its header names 3 columns, but its rows have 4 values; check": (
        "size,colour,class\n" + "1,5,red,yes\n1,25,blue,no\n" * 4,
        {},
    ),
    "its first row, 'Table 1', names no columns; set `skip_rows: 1`": (
        "Table 1,,\n" + written(),
        {},
    ),
    "has bytes of value 0 and is not text in utf-8": (written().encode("utf-16-le"), {}),
    "2 columns are named 'size'": (written().replace("colour", "size"), {}),
    "cannot be read as a table (Expected 3 fields in line 4, saw 5)": (
        written().replace("-3.25", "-3,2,5"),
        {},
    ),
    "has 3 columns, but `columns` lists 2": (written(), {"columns": ["a", "class"]}),
    "target 'class' is missing in row 2 (an empty cell, or a text such as NA or None)": (
        written().replace("2,blue,no", "2,blue,None"),
        {},
    ),
}


@pytest.mark.parametrize("line", STRUCTURE)
def test_a_table_of_another_structure_is_refused(line, tmp_path):
    content, settings = STRUCTURE[line]
    assert line in refused(tmp_path, content, **settings)


def test_columns_of_a_test_file_are_found_by_name(tmp_path):
    (tmp_path / "test.csv").write_text("class,extra,colour,size\nno,9,blue,7\n")
    x, described, _ = prepared(tmp_path, written(), test_path=str(tmp_path / "test.csv"))
    np.testing.assert_array_equal(x[-1], [7, 1, 0])
    assert described["parts"] == {"training": 4, "test": 1}


def test_how_a_refused_table_was_read_is_said(tmp_path):
    (tmp_path / "table.csv").write_text(R_STYLE.replace("1.5", "small"))
    given = {"source": "csv", "path": str(tmp_path / "table.csv"), "target": "class"}
    with pytest.raises(DataError, match="mixes 3 numbers with text") as caught:
        datasets.prepare("d", settings_of(given), tmp_path / "prepared")
    (note,) = caught.value.__notes__
    assert "one value more than the header" in note


def test_short_rows_are_counted(tmp_path):
    content = "a,b,class\n1,2,x\n2\n3,4,y\n"
    *_, notes = prepared(tmp_path, content, target="a", task="regression")
    assert "1 row has fewer values than there are columns (first row 2)" in notes[0]


@given(
    st.lists(
        st.lists(st.text(alphabet="ab 12", max_size=4).map(str.strip), min_size=2, max_size=4),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_rows_are_split_as_they_were_joined(rows, separator):
    lines = [separator.join(row) + "\n" for row in rows]
    assert list(split_rows(lines, separator)) == rows
