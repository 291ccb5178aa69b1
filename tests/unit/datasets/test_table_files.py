"""Tables as users have them: each kind of file is read right, or refused in one line."""

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
from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from netsurgery.datasets import DataError, encodings, raw_tables
from netsurgery.datasets.csv_structure import split_rows
from netsurgery.datasets.integer_series import IntegerSeries
from netsurgery.datasets.number_formats import FORMATS, PLAIN, unit_of
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
    "is an Excel file (xlsx), not a table as text; save it as a csv file": excel,
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
    "its first row, '# measured in May', names no columns; remove the lines above the header": (
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
    "columns 'a', 'b' have more than 1000 distinct values, too many for a category; remove them "
    "with `drop: [a, b]`": (
        "a,b,class\n" + "".join(f"x{i}y,y{i}z,{i % 2}\n" for i in range(1100)),
        {},
    ),
    "its header names 3 columns, but its rows have 4 values; check": (
        "size,colour,class\n" + "1,5,red,yes\n1,25,blue,no\n" * 4,
        {},
    ),
    "its first row, 'Table 1', names no columns; remove the lines above the header": (
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


def column(*values, name="v"):
    """A table with a column of these values beside a harmless one."""
    rows = "".join(f'{i % 7},"{v}",{"ab"[i % 2]}\n' for i, v in enumerate(values))
    return f"n,{name},class\n{rows}"


MANY = range(1000, 1060)
AMOUNTS = {
    "('0,98' in row 1) holds numbers with decimal commas; set `decimal: \",\"`": [
        "0,98",
        "1,5",
        "12",
    ],
    'commas between thousands or decimal commas; set `thousands: ","` or `decimal: ","`': [
        "16,885",
        "1,726",
        "995",
    ],
    'with commas between thousands; set `thousands: ","`': ["1,234.5", "12", "1,234,567"],
    'decimal commas and points between thousands; set `decimal: ","` and `thousands: "."`': [
        "1.234,5",
        "12,25",
    ],
    'set `thousands: " "`': ["12 500", "1 234 567", "3 000"],
    'set `thousands: "\'"`': ["12'500", "1'234'567.5"],
    "holds amounts with '$'": [f"${n}" for n in MANY],
    "holds amounts with '( )'": [f"({n})" if n % 3 else n for n in MANY],
    "holds amounts with '\u2212'": [f"\u2212{n}" if n % 3 else n for n in MANY],
    "holds amounts with 'no-break space'": [f"{n - 900}\u00a0000" for n in MANY],
    "holds amounts with '€', which": [f"{n},50 €" for n in MANY],
    "holds amounts with '%'": [f"{n}%" for n in MANY],
    "holds amounts with 'kg'": [f"{n}kg" for n in MANY],
    "holds amounts with 'K, M'": [f"{n}{'KM'[n % 2]}" for n in MANY],
    "leave it out with `drop: [v]`, or list it in `categorical`": [f"{n} mm" for n in MANY],
}


@pytest.mark.parametrize("line", AMOUNTS)
def test_amounts_written_as_text_are_refused(line, tmp_path):
    assert line in refused(tmp_path, column(*AMOUNTS[line] * 3))
    _, described, _ = prepared(tmp_path, column(*AMOUNTS[line] * 3), categorical=["v"])
    assert len(described["columns"][1]["levels"]) == len(AMOUNTS[line])


@pytest.mark.parametrize("decimal", [".", ","])
def test_two_formats_in_a_file_are_named(decimal, tmp_path):
    rows = "".join(f'{i}.5,"{i},25",{"ab"[i % 2]}\n' for i in range(12))
    message = refused(tmp_path, "one,two,class\n" + rows, decimal=decimal)
    one, two = ("'one' ('0.5' in row 1)", "'two' ('0,25' in row 1)")[:: 1 if decimal == "," else -1]
    assert f"column {one} holds numbers with decimal" in message
    assert f"but {two} is written with decimal" in message
    assert "write all alike, or list" in message


def test_the_format_of_most_columns_is_advised(tmp_path):
    rows = "".join(f'{i}.5,"{i},25","{i},5",{"ab"[i % 2]}\n' for i in range(12))
    message = refused(tmp_path, "one,two,three,class\n" + rows)
    advice = "set `decimal: \",\"` and list 'one' in `drop` or `categorical`"
    assert f"write all alike, or {advice}" in message
    x, *_ = prepared(tmp_path, "one,two,three,class\n" + rows, decimal=",", drop=["one"])
    np.testing.assert_array_equal(x[:2], [[0.25, 0.5], [1.25, 1.5]])


def test_all_columns_of_amounts_are_named_at_once(tmp_path):
    rows = "".join(f"{i},5;{i},25;{'ab'[i % 2]}\n" for i in range(12))
    message = refused(tmp_path, "one;two;class\n" + rows, delimiter=";")
    assert "columns 'one' ('0,5' in row 1), 'two' ('0,25' in row 1) hold numbers" in message


@pytest.mark.parametrize(
    "values",
    [["C1", "C2", "D3"], ["1st", "2nd", "3rd"], ["a,b", "c,d"], ["1-2", "3-4"], ["4WD", "2WD"]],
)
def test_codes_and_ranges_are_categories(values, tmp_path):
    _, described, notes = prepared(tmp_path, column(*values * 4))
    assert described["columns"][1]["levels"] == sorted(values)
    assert notes == []


def test_few_amounts_as_text_are_categories_with_a_word(tmp_path):
    _, described, notes = prepared(tmp_path, column(*["10 mg", "20 mg", "40 mg"] * 4))
    assert described["columns"][1]["levels"] == ["10 mg", "20 mg", "40 mg"]
    assert "column 'v' holds amounts with 'mg', taken as 3 categories" in notes[0]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("16,885", 'set `thousands: ","` or `decimal: ","` to read it'),
        ("1,5", 'set `decimal: ","` to read it'),
        ("$12", "remove '$' from the values"),
    ],
)
def test_a_target_of_formatted_numbers_gets_a_hint(value, hint, tmp_path):
    content = f'a,class\n1,"{value}"\n2,"{value}"\n'
    assert hint in refused(tmp_path, content, task="regression")


def test_thousands_are_read_in_features_and_targets(tmp_path):
    content = 'a,class\n"1,234.5",1\n"12","2,000"\n"1,234,567","3,000"\n'
    options = {"thousands": ",", "task": "regression"}
    x, _, _ = prepared(tmp_path, content, **options)
    np.testing.assert_array_equal(x, np.array([[1234.5], [12], [1234567]], np.float32))
    y = np.load(tmp_path / "prepared" / "y.npy")
    np.testing.assert_array_equal(y, [[1], [2000], [3000]])
    message = refused(tmp_path, content.replace("2,000", "2,00"), **options)
    assert "row 2 is '2,00', not a finite number" in message


@pytest.mark.parametrize("number_format", FORMATS, ids=lambda f: f.decimal + f.thousands)
def test_pandas_reads_formatted_numbers_as_training_does(number_format, tmp_path):
    signs = {",": number_format.thousands, ".": number_format.decimal}
    values = [1234.5, -12, 1234567.25, 0]
    texts = ["".join(signs.get(c, c) for c in f"{value:,}") for value in values]
    options = {"decimal": number_format.decimal, "thousands": number_format.thousands}
    x, described, _ = prepared(tmp_path, column(*texts), **options)
    np.testing.assert_array_equal(x[:, 1], np.float32(values))
    (found,) = raw_tables.read_rows(described, "training", np.arange(4))
    raw = found["v"] if isinstance(found, dict) else found[:, 1]
    np.testing.assert_array_equal(raw, values)


@given(st.floats(-1e12, 1e12).map(lambda v: round(v, 3)), st.sampled_from(FORMATS))
def test_numbers_are_read_as_they_are_written(value, number_format):
    plain = f"{value:,.3f}"
    signs = {",": number_format.thousands, ".": number_format.decimal}
    text = "".join(signs.get(c, c) for c in plain)
    assert number_format.numbers(pd.Series([text], dtype="str"))[0] == value
    assert number_format.covers(text)


@given(st.text(alphabet="0123456789.,' -+e", max_size=8), st.sampled_from(FORMATS))
def test_only_whole_groups_of_thousands_are_numbers(text, number_format):
    found = number_format.numbers(pd.Series([text], dtype="str"))[0]
    if number_format == PLAIN:
        return
    assert np.isnan(found) != number_format.covers(text)
    grouped = (
        text.lstrip("+-").split(number_format.decimal)[0].split(number_format.thousands or "x")
    )
    if number_format.covers(text) and len(grouped) > 1:
        assert len(grouped[-1]) == 3


@pytest.mark.parametrize(
    "texts", [["a"], ["12"], ["2020-01-01"], ["C1"], ["1st", "2nd", "3rd"], []]
)
def test_other_texts_are_no_amounts(texts):
    assert unit_of(texts) is None


def test_the_decimal_sign_of_the_settings_is_the_only_one(tmp_path):
    content = column(*["1.5", "2.25", "3.75"] * 5)
    message = refused(tmp_path, content, decimal=",")
    assert 'holds numbers with decimal points; set `decimal: "."`' in message


# --- columns that identify rows -------------------------------------------------------------------

N = 40
RNG = np.random.default_rng(0)
IDENTIFYING: dict[str, list] = {
    "counts the rows": [range(N), range(1, N + 1), range(0, 10 * N, 10), RNG.permutation(N)],
    "counts groups of rows": [np.arange(N) // 3],
    "has a different text in each row": [[f"sample {i}x" for i in range(N)]],
    "different texts in 40 rows": [[f"s{i}x" for i in np.arange(N) // 1.5]],
}


@pytest.mark.parametrize(
    ("reason", "values"), [(r, v) for r, several in IDENTIFYING.items() for v in several]
)
def test_columns_that_identify_rows_are_named(reason, values, tmp_path):
    *_, notes = prepared(tmp_path, column(*values, name="my column"))
    found = [note for note in notes if reason in note]
    assert len(found) == 1
    assert "'my column'" in found[0]
    assert "set `drop: [my column]`" in found[0]
    *_, notes = prepared(tmp_path, column(*values, name="my column"), drop=["my column"])
    assert notes == []


@pytest.mark.parametrize("name", ["id", "patient_id", "PassengerId", "Customer ID", "Unnamed: 7"])
def test_integers_named_as_identifiers_are_named(name, tmp_path):
    *_, notes = prepared(tmp_path, column(*RNG.integers(0, 500, N), name=name))
    assert f"{name!r} is an identifier by its name" in notes[0]


def test_an_index_without_a_name_is_named_as_in_pandas(tmp_path):
    content = pd.DataFrame({"a": RNG.normal(size=N), "class": ["a", "b"] * (N // 2)}).to_csv()
    *_, notes = prepared(tmp_path, content)
    assert 'set `drop: ["Unnamed: 0"]`' in notes[0]
    for key in ("Unnamed: 0", "", 0):
        _, described, notes = prepared(tmp_path, content, drop=[key])
        assert [c["name"] for c in described["columns"]] == ["a"]
        assert notes == []


@pytest.mark.parametrize(
    "values",
    [RNG.normal(size=N), RNG.integers(0, 500, N), [1.5 * i for i in range(N)], ["a", "b"] * 20],
    ids=["floats", "integers", "steady floats", "categories"],
)
def test_other_columns_are_not_said_to_identify_rows(values, tmp_path):
    *_, notes = prepared(tmp_path, column(*values))
    assert notes == []


@given(st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=10, max_size=60), st.integers(1, 20))
def test_the_order_of_integers_does_not_depend_on_chunks(values, size):
    whole, parts = IntegerSeries(), IntegerSeries()
    array = np.array(values, np.float64)
    whole.update(array)
    for start in range(0, len(array), size):
        parts.update(array[start : start + size])
    assert whole == parts
    assert whole.numbers_rows == (
        sorted(values) == list(range(min(values), min(values) + len(values)))
    )


@given(st.permutations(range(-7, 23)))
def test_a_permutation_of_numbers_numbers_the_rows(values):
    series = IntegerSeries()
    series.update(np.array(values, np.float64))
    assert series.numbers_rows
    series = IntegerSeries()
    series.update(np.array([*values[:-1], values[0]], np.float64))
    assert not series.numbers_rows


def test_an_identifier_is_no_target(tmp_path):
    content = "a,class\n" + "".join(f"{i % 5},n{i}\n" for i in range(30))
    message = refused(tmp_path, content)
    assert "target 'class' has 30 different values in 30 samples" in message
    assert "`task: regression`" in message


def test_dates_and_codes_are_taken_with_a_word(tmp_path):
    days = pd.date_range("2024-01-01", periods=30).astype(str)
    *_, notes = prepared(tmp_path, column(*[*days] * 3, name="day"))
    assert "dates or times are taken as categories: 'day'" in notes[0]
    *_, notes = prepared(tmp_path, column(*["00501", "10001", "94110"] * 4, name="zip"))
    assert "numbers with leading zeros may be codes: 'zip' ('00501')" in notes[0]


@pytest.mark.parametrize(
    "date",
    [
        "{d}.{m}.2020",
        "2020-{m}-{d}T12:00",
        "{d} Jan 20{m}",
        "Jan {d}, 20{m}",
        "{m}:{d}",
        "{d} days {m}:00:00",
    ],
)
def test_dates_of_many_forms_are_known(date, tmp_path):
    values = [date.format(d=d, m=m) for d in range(10, 28) for m in (10, 11)]
    *_, notes = prepared(tmp_path, column(*values, name="day"))
    assert "dates or times are taken as categories: 'day'" in notes[0]
    assert "set `drop: [day]`" in notes[0]


def test_many_categories_get_a_word(tmp_path):
    *_, notes = prepared(tmp_path, column(*[f"a{i}z" for i in range(150)] * 3))
    assert "column 'v' is text ('a0z') with 150 different values, one feature each" in notes[0]


def test_values_that_differ_in_capitals_are_named(tmp_path):
    content = column(*["Male", "male", "Female"] * 4).replace(",b\n", ",A\n", 3)
    *_, notes = prepared(tmp_path, content.replace(",a\n", ",c\n", 1))
    assert any("'v' has values that differ in capitals only: 'Male', 'male'" in n for n in notes)
    assert any("classes differ in capitals only: 'A', 'a'" in n for n in notes)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([20, 31.5, 60, -9, -9] * 3, -9),
        ([1.5, -2, 3, -999, -999] * 3, -999),
        ([1.5, 2, 3, 999] * 3, 999),
        ([1.5, -20, 3, -9] * 3, None),
        ([900, 950, 999, 1020] * 3, None),
        ([1, 2, 3, 4, 5, 6, -999], None),
    ],
)
def test_likely_codes_of_missing_numbers_are_named(values, code, tmp_path):
    *_, notes = prepared(tmp_path, column(*values))
    named = [note for note in notes if "may stand for a missing value" in note]
    assert len(named) == (code is not None)
    if code is not None:
        assert f"{code} may stand for a missing value in 'v'" in named[0]
        assert f"`na_values: [{code}]`" in named[0]


# --- several files, missing values ----------------------------------------------------------------


def test_columns_of_a_test_file_are_found_by_name(tmp_path):
    (tmp_path / "test.csv").write_text("class,extra,colour,size\nno,9,blue,7\n")
    x, described, _ = prepared(tmp_path, written(), test_path=str(tmp_path / "test.csv"))
    np.testing.assert_array_equal(x[-1], [7, 1, 0])
    assert described["parts"] == {"training": 4, "test": 1}


@pytest.mark.parametrize("code", ["-999", -999, -999.0])
@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_codes_of_missing_numbers_are_missing(code, name, tmp_path):
    frame = pd.DataFrame({"a": [1.5, -999, 3], "b": [4, -999, 6], "class": ["a", "b", "a"]})
    content = frame if name.endswith("parquet") else frame.to_csv(index=False)
    x, described, _ = prepared(tmp_path, content, name, na_values=[code])
    np.testing.assert_array_equal(x[1], [np.nan, 1, np.nan, 1])
    assert [c["missing"] for c in described["columns"]] == [True, True]


def test_a_code_is_missing_however_it_is_written(tmp_path):
    content = column("-999.00", "-9.99e2", 1, 2, 3, 4)
    x, *_ = prepared(tmp_path, content, na_values=[-999])
    np.testing.assert_array_equal(np.isnan(x[:, 1]), [True, True] + 4 * [False])


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


FRAME = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": ["u", "v", "u", "v"], "class": [0, 1, 0, 1]})
INDEXES = {
    "filtered": (FRAME[FRAME.a > 0].iloc[[0, 2, 3]], []),
    "named": (FRAME.set_index(pd.Index([5, 3, 9, 1], name="id")), ["id"]),
    "multi-index": (
        FRAME.set_index([pd.Index(["p", "p", "q", "q"], name="site"), pd.Index([1, 2, 1, 2])]),
        ["site"],
    ),
    "dates": (FRAME.set_index(pd.date_range("2020", periods=4, name="day")), ["day"]),
    "range": (FRAME.set_index(pd.RangeIndex(10, 14, name="row")), []),
}


@pytest.mark.parametrize("kind", INDEXES)
def test_an_index_is_not_among_the_columns_of_parquet(kind, tmp_path):
    frame, named = INDEXES[kind]
    x, described, notes = prepared(tmp_path, frame, "table.parquet")
    assert [c["name"] for c in described["columns"]] == ["a", "b"]
    np.testing.assert_array_equal(x[:, 0], frame.a)
    assert [name for name in ("id", "site", "day", "row") if any(name in n for n in notes)] == named


def test_an_index_that_the_settings_name_is_a_column(tmp_path):
    frame = FRAME.set_index(pd.Index(["p", "p", "q", "q"], name="site"))
    _, described, notes = prepared(tmp_path, frame, "table.parquet", target="site")
    assert described["classes"] == ["p", "q"]
    assert notes == []
    *_, notes = prepared(tmp_path, frame, "table.parquet", drop=["site"])
    assert notes == []


def test_columns_with_several_names_are_refused(tmp_path):
    frame = FRAME.set_axis(pd.MultiIndex.from_tuples([("x", n) for n in FRAME.columns]), axis=1)
    message = refused(tmp_path, frame, "table.parquet")
    assert "its columns have names of 2 levels; give each one name" in message


def test_columns_of_other_types_are_named_at_once_and_dropped(tmp_path):
    days = pd.date_range("2020", periods=4)
    frame = FRAME.assign(day=days, span=days - days[0])
    message = refused(tmp_path, frame, "table.parquet")
    assert "columns 'day' has type timestamp" in message
    assert "remove them with `drop: [day, span]`" in message
    _, described, _ = prepared(tmp_path, frame, "table.parquet", drop=["day", "span"])
    assert [c["name"] for c in described["columns"]] == ["a", "b"]


def test_categories_of_parquet_are_categories(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "code": pd.Categorical([7, 9, 7]), "class": [0, 1, 1]})
    _, described, _ = prepared(tmp_path, frame, "table.parquet")
    assert described["columns"][1]["levels"] == ["7", "9"]


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
