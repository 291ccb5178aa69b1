"""Settings that a refused table calls for: with them it is read as the plain one."""

import numpy as np
import pandas as pd
import pytest

from netsurgery import datasets
from netsurgery.datasets import DataError, raw_tables
from tests.unit.datasets.table_examples import NAMES, ROWS, X, prepared, settings_of, written

PLAIN = written()
COMMA = [tuple(value.replace(".", ",") for value in row) for row in ROWS]
MANY = [(f"{i % 7}.5", "ab"[i % 2], "yn"[i % 3 == 0]) for i in range(60)]

ROUNDABOUT = {
    "semicolons": written(";"),
    "tabs": written("\t"),
    "decimal commas": written(";", rows=COMMA * 10),
    "a comment above": "# measured in May, by hand\n" + PLAIN,
    "a title above": "Table 1\n\n" + PLAIN,
    "a title above tabs": "Table 1, of May\n" + written("\t", rows=ROWS * 30),
    "latin 1": PLAIN.replace("blue", "bläu").encode("latin-1"),
    "UTF-16 without a mark": PLAIN.encode("utf-16-le"),
    "a row without a target": PLAIN + "7,red,\n",
    "a text among numbers": written(rows=MANY) + "unknown,a,y\n",
    "an empty column": "\n".join(f"{line},{end}" for line, end in zip(
        PLAIN.splitlines(), ["nothing", "", "", "", ""], strict=True
    )),
}  # fmt: skip


def followed(folder, content, **settings):
    """Prepare a table; follow what refusals suggest, and return the samples and settings."""
    for _ in range(5):
        try:
            x, *_ = prepared(folder, content, **settings)
        except DataError as error:
            suggestions = error.suggestions
            for suggestion in suggestions:
                assert suggestion.why
                old = settings.get(suggestion.key)
                assert old != suggestion.value
                settings[suggestion.key] = suggestion.value
        else:
            return x, settings
        assert suggestions
    raise AssertionError(settings)


@pytest.mark.parametrize("case", ROUNDABOUT)
def test_a_table_is_read_with_what_its_refusal_suggests(case, tmp_path):
    x, settings = followed(tmp_path, ROUNDABOUT[case])
    assert settings
    if case == "a text among numbers":
        assert settings == {"na_values": ["unknown"]}
        assert np.isnan(x[-1, 0])
    else:
        repeated = len(x) // len(X)
        np.testing.assert_array_equal(x, np.tile(X, (repeated, 1)))


def test_a_table_without_header_is_read_with_what_is_suggested(tmp_path):
    x, settings = followed(tmp_path, written(head=False), target=2)
    assert settings == {"target": 2, "header": False}
    np.testing.assert_array_equal(x, X)


def test_columns_worth_leaving_out_are_suggested(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": range(60),
            "site": "Jena",
            "day": pd.date_range("2020-01-01", periods=60).astype(str),
            "age": np.where(np.arange(60) % 6, rng.integers(18, 90, 60), -999),
            "result": ["good", "bad"] * 30,
            "class": ["y", "n"] * 30,
        }
    )
    _, described, _ = prepared(tmp_path, frame.to_csv(index=False))
    found = {(s["key"], *s["value"]): s["why"] for s in described["suggestions"]}
    assert found == {
        ("drop", "id"): "counts the rows",
        ("drop", "site"): "has one value",
        ("dates", "day"): "dates as text",
        ("na_values", -999): "seems to mean missing in 'age'",
        ("drop", "result"): "gives the target away",
    }


COMMENTED = f"# first\n{NAMES[0]},{NAMES[1]},{NAMES[2]} # names\n" + "".join(
    f"{','.join(row)}{' # checked' * (i % 2)}\n# between\n" for i, row in enumerate(ROWS)
)


def test_comments_may_be_anywhere_but_in_quotes(tmp_path):
    x, *_ = prepared(tmp_path, COMMENTED, comment="#")
    np.testing.assert_array_equal(x, X)
    _, described, _ = prepared(tmp_path, PLAIN.replace("red", '"C#"'), comment="#")
    assert described["columns"][1]["levels"] == ["C#", "blue"]


def test_texts_that_pandas_takes_for_missing_can_be_values(tmp_path):
    content = PLAIN.replace("red", "NA").replace("blue", "None")
    with pytest.raises(DataError, match="has no values"):
        prepared(tmp_path, content)
    given = {"keep_default_na": False, "na_values": ["40"]}
    x, described, _ = prepared(tmp_path, content, **given)
    assert described["columns"][1]["levels"] == ["NA", "None"]
    assert np.isnan(x[3, 0])


def test_rows_without_a_target_keep_their_numbers(tmp_path):
    content = "size,colour,class\n1,red,yes\n2,red,\n3,blue,no\n4,blue,NA\n"
    x, described, _ = prepared(tmp_path, content, drop_missing_target=True)
    np.testing.assert_array_equal(x[:, 0], [1, 3])
    raw = raw_tables.read_rows(described, "training", np.array([0, 1]))
    np.testing.assert_array_equal(raw[0]["size"], [1, 3])
    (tmp_path / "test.csv").write_text("size,colour,class\n1,red,\n?,red,yes\nlarge,red,no\n")
    with pytest.raises(DataError, match=r"row 3 is 'large'"):
        prepared(tmp_path, content, drop_missing_target=True, test_path=str(tmp_path / "test.csv"))
    with pytest.raises(DataError, match="has no rows with a target"):
        prepared(tmp_path, "size,colour,class\n1,red,\n", drop_missing_target=True)


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        ("title\n" + PLAIN, {"skip_rows": 1}),
        (COMMENTED, {"comment": "#"}),
        (PLAIN.replace("red", "NA"), {"keep_default_na": False}),
    ],
)
def test_pandas_reads_the_same_with_the_lines_of_the_card(content, settings, tmp_path):
    (tmp_path / "table.csv").write_text(content)
    given = {"source": "csv", "path": str(tmp_path / "table.csv"), "target": "class", **settings}
    datasets.prepare("d", settings_of(given), tmp_path / "prepared")
    described = datasets.describe(tmp_path / "prepared")
    (raw,) = raw_tables.read_rows(described, "training", np.arange(4))
    np.testing.assert_array_equal(raw["size"], X[:, 0])
    first = "NA" if "NA" in content else "red"
    assert raw["colour"].tolist() == [first, "blue", first, "blue"]
