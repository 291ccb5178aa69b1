"""Tables in Excel workbooks: every kind of cell, sheets, headers, and what is refused."""

import datetime
import zipfile
from xml.sax.saxutils import escape

import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.datasets import DataError, raw_tables
from netsurgery.datasets.workbook import Workbook
from netsurgery.report.usage import read_call
from tests.unit.datasets.table_examples import NAMES, ROWS, X, settings_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = (
    '<numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="0.0 &quot;days&quot;"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="164"/><xf numFmtId="165"/></cellXfs>'
)


def cell(value):
    """A cell in XML; a text is taken as it is if it starts with <."""
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return value if value[:2] == "<c" else f'<c t="s"><v>{shared(value)}</v></c>'
    return f"<c><v>{value}</v></c>"


STRINGS: list[str] = []


def shared(text):
    STRINGS.append(text)
    return len(STRINGS) - 1


def workbook(path, sheets, namespace=MAIN, properties="", first=1):
    """Write a workbook of these sheets of rows."""
    STRINGS.clear()
    members = {}
    for number, rows in enumerate(sheets.values(), 1):
        body = "".join(
            f'<row r="{i}">{"".join(map(cell, row))}</row>'
            for i, row in enumerate(rows, first)
            if row
        )
        members[f"worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{namespace}"><sheetData>{body}</sheetData></worksheet>'
        )
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{i}" r:id="r{i}"/>'
        for i, name in enumerate(sheets, 1)
    )
    members["workbook.xml"] = (
        f'<workbook xmlns="{namespace}" xmlns:r="{RELATIONS}"><workbookPr {properties}/>'
        f"<sheets>{listed}</sheets></workbook>"
    )
    links = "".join(
        f'<Relationship Id="r{i}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    members["_rels/workbook.xml.rels"] = f"<Relationships>{links}</Relationships>"
    members["styles.xml"] = f'<styleSheet xmlns="{namespace}">{STYLES}</styleSheet>'
    texts = "".join(f"<si><t>{escape(text)}</t></si>" for text in STRINGS)
    members["sharedStrings.xml"] = f'<sst xmlns="{namespace}">{texts}</sst>'
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"xl/{name}", content)
    return path


def cells(*row, **options):
    """What cells hold, read back from a workbook."""

    def read(folder):
        book = Workbook(workbook(folder / "w.xlsx", {"one": [row]}, **options))
        (found,) = book.rows("one")
        return found

    return read


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (1.5, 1.5),
        ('<c r="A1" t="n"><v>1E-13</v></c>', 1e-13),
        ("a & b", "a & b"),
        ('<c t="str"><f>A1&amp;B1</f><v>joined</v></c>', "joined"),
        ('<c t="inlineStr"><is><t>here</t></is></c>', "here"),
        ('<c t="inlineStr"><is><r><t>two </t></r><r><t>runs</t></r></is></c>', "two runs"),
        ('<c t="inlineStr"><is><t>kanji</t><rPh><t>kana</t></rPh></is></c>', "kanji"),
        ('<c t="b"><v>1</v></c>', True),
        ('<c t="e"><v>#N/A</v></c>', None),
        ("<c/>", None),
        ('<c s="1"><v>43831</v></c>', datetime.datetime(2020, 1, 1)),
        ('<c s="2"><v>43831.75</v></c>', datetime.datetime(2020, 1, 1, 18)),
        ('<c s="1"><v>1</v></c>', datetime.datetime(1900, 1, 1)),
        ('<c s="3"><v>2.5</v></c>', 2.5),
    ],
)
def test_each_kind_of_cell_is_read(xml, expected, tmp_path):
    for namespace in (MAIN, STRICT):
        assert cells(xml, namespace=namespace)(tmp_path) == [expected]


def test_dates_may_count_from_1904(tmp_path):
    (found,) = cells('<c s="1"><v>0</v></c>', properties='date1904="1"')(tmp_path)
    assert found == datetime.datetime(1904, 1, 1)


def test_cells_that_are_not_there_are_empty(tmp_path):
    rows = [['<c r="B3"><v>7</v></c>', '<c r="AA3"><v>8</v></c>']]
    book = Workbook(workbook(tmp_path / "w.xlsx", {"one": rows}, first=3))
    assert list(book.rows("one")) == [[], [], [None, 7.0, *[None] * 24, 8.0]]


def typed(rows):
    return [[float(row[0]), *row[1:]] for row in rows]


def prepared(folder, sheets, **settings):
    path = workbook(folder / "table.xlsx", sheets)
    given = {"source": "excel", "path": str(path), "target": "class"} | settings
    notes = datasets.prepare("d", settings_of(given), folder / "prepared")
    return np.load(folder / "prepared" / "x.npy"), datasets.describe(folder / "prepared"), notes


TABLE = [list(NAMES), *typed(ROWS)]


@pytest.mark.parametrize(
    ("rows", "settings"),
    [
        (TABLE, {}),
        ([["Trees of 2020"], [], *TABLE], {"skip_rows": 2}),
        (typed(ROWS), {"header": False, "target": 2}),
        ([["a", "b", "c"], *TABLE[1:]], {"columns": list(NAMES)}),
        ([[*row, None] for row in TABLE], {}),
        ([TABLE[0], [], *TABLE[1:], [], ["", None]], {}),
    ],
)
def test_a_sheet_is_a_table(rows, settings, tmp_path):
    x, described, notes = prepared(tmp_path, {"one": rows}, **settings)
    np.testing.assert_array_equal(x, X)
    assert notes == []
    (raw,) = raw_tables.read_rows(described, "training", np.array([1, 3]))
    first = described["columns"][0]["name"]
    np.testing.assert_array_equal(raw[first], [2, 40])


def test_another_sheet_can_be_chosen(tmp_path):
    sheets = {"Notes": [["nothing"], ["here"]], "Data": TABLE}
    for key in ("Data", 1):
        x, described, notes = prepared(tmp_path, sheets, sheet=key)
        np.testing.assert_array_equal(x, X)
        assert "others are left out: 'Notes'" in notes[0]
        assert read_call(described).endswith('table.xlsx", sheet_name="Data")')
    with pytest.raises(DataError, match=r"has no sheet 'data' .* did you mean Data"):
        prepared(tmp_path, sheets, sheet="data")


@pytest.mark.parametrize(
    ("rows", "key", "value"),
    [([["Trees"], [], *TABLE], "skip_rows", 2), (typed(ROWS), "header", False)],
)
def test_a_refused_sheet_suggests_what_reads_it(rows, key, value, tmp_path):
    with pytest.raises(DataError, match=rf"set `{key}: {str(value).lower()}`") as caught:
        prepared(tmp_path, {"one": rows}, target=2)
    assert [(s.key, s.value) for s in caught.value.suggestions] == [(key, value)]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a,b\n1,2\n", "but text; set `source: csv`"), (b"PK\x03\x04...", "a damaged zip archive")],
)
def test_another_file_is_refused(content, message, tmp_path):
    path = tmp_path / "t.xlsx"
    path.write_bytes(content)
    given = settings_of({"source": "excel", "path": str(path), "target": "class"})
    with pytest.raises(DataError, match=message):
        datasets.prepare("d", given, tmp_path / "prepared")
