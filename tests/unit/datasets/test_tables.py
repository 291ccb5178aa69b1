"""Tables: how columns are encoded, what is rejected, and models that take raw rows."""

import keras
import numpy as np
import pandas as pd
import pytest

from netsurgery import datasets
from netsurgery.config import loading
from netsurgery.config.errors import ConfigError
from netsurgery.datasets import DataError, table_reader
from netsurgery.datasets.builtin import BUILTIN_DATASETS, RAREST_COUNTRIES
from netsurgery.keras_io import preprocessing
from tests.support.factories import ROOT, SCHEMA

TABLE = """\
age, work, hours, code, income
39, State, 40, 1, <=50K
50, Self, 13.5, 2, <=50K
38, Private, , 1, >50K
53, ?, 40, 2, <=50K
28, Private, 40, 1, >50K
37, Private, 45, 3, >50K
"""


def settings_of(given):
    """A dataset's settings with all defaults, as the configuration completes them."""
    whole = {"datasets": {"d": given}, "searches": {"s": SEARCH}}
    return loading.load(whole, SCHEMA).datasets["d"].settings


SEARCH = {"algorithm": "baseline", "dataset": "digits", "topology": "ff-small"}


def prepared(folder, text, source="csv", **settings):
    path = folder / f"table.{source}"
    if source == "csv":
        path.write_text(text)
    else:
        text.to_parquet(path)
    given = {"source": source, "path": str(path), "target": "income"} | settings
    datasets.prepare("d", settings_of(given), folder / "prepared")
    x, y = (np.load(folder / "prepared" / f"{stem}.npy") for stem in "xy")
    return x, y, datasets.describe(folder / "prepared")


def names_of(described):
    suffixes = {"number": "", "missing": "-missing"}
    return [f["column"] + suffixes.get(f["kind"], f"-{f['level']}") for f in described["features"]]


NAN = np.nan
ENCODED = [
    [39, 0, 0, 1, 0, 40, 0, 1],
    [50, 0, 1, 0, 0, 13.5, 0, 2],
    [38, 1, 0, 0, 0, NAN, 1, 1],
    [53, 0, 0, 0, 1, 40, 0, 2],
    [28, 1, 0, 0, 0, 40, 0, 1],
    [37, 1, 0, 0, 0, 45, 0, 3],
]
FEATURES = "age work-Private work-Self work-State work-missing hours hours-missing code".split()


@pytest.mark.parametrize("rows", [2, 100])
def test_numbers_are_kept_and_text_is_one_hot_encoded(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(table_reader, "ROWS", rows)
    x, y, described = prepared(tmp_path, TABLE)
    assert names_of(described) == FEATURES
    np.testing.assert_array_equal(x, np.array(ENCODED, np.float32))
    assert described["classes"] == ["<=50K", ">50K"]
    np.testing.assert_array_equal(y, [0, 0, 1, 0, 1, 1])


def test_parquet_and_csv_give_the_same_samples(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    frame = pd.read_csv(tmp_path / "t.csv", skipinitialspace=True)
    x, y, described = prepared(tmp_path, frame, "parquet")
    assert names_of(described) == FEATURES
    np.testing.assert_array_equal(x, np.array(ENCODED, np.float32))
    np.testing.assert_array_equal(y, [0, 0, 1, 0, 1, 1])


def test_columns_can_be_dropped_categorical_and_numbered(tmp_path):
    headless = TABLE.split("\n", 1)[1]
    options = {"header": False, "target": 4, "drop": [0], "categorical": [3]}
    x, _, described = prepared(tmp_path, headless, missing_indicator=False, **options)
    assert names_of(described) == ["1-Private", "1-Self", "1-State", "2", "3-1", "3-2", "3-3"]
    np.testing.assert_array_equal(x[:, -3:].argmax(axis=1) + 1, [1, 2, 1, 2, 1, 3])


def test_levels_missing_from_training_rows_are_unknown(tmp_path):
    (tmp_path / "test.csv").write_text("age,work,hours,code,income\n20,Other,1,1,>50K.\n")
    options = {"test_path": str(tmp_path / "test.csv"), "strip_labels": "."}
    x, y, described = prepared(tmp_path, TABLE, **options)
    assert described["parts"] == {"training": 6, "test": 1}
    np.testing.assert_array_equal(x[-1], [20, 0, 0, 0, 1, 1, 0, 1])
    assert y[-1] == 1


def test_reshaping_and_shuffling_keep_all_features(tmp_path):
    x, _, described = prepared(tmp_path, TABLE, reshape_to=[2, 4], feature_order_seed=3)
    assert x.shape == (6, 2, 4, 1)
    names = names_of(described)
    assert names != FEATURES
    back = [names.index(name) for name in FEATURES]
    np.testing.assert_array_equal(x.reshape(6, 8)[:, back], np.array(ENCODED, np.float32))


def test_regression_targets_are_numbers(tmp_path):
    _, y, described = prepared(tmp_path, TABLE, target="code", task="regression", drop=["income"])
    assert described["classes"] is None
    np.testing.assert_array_equal(y, np.array([[1], [2], [1], [2], [1], [3]]))


def lines(*changed):
    """The table with some of its lines changed."""
    found = TABLE.splitlines()
    for number, text in changed:
        found[number] = text
    return "\n".join(found) + "\n"


WRONG = {
    "has no column 'incom' (see `target`); did you mean 'income'?": (
        TABLE,
        {"target": "incom"},
    ),
    "has no column 9 (see `drop`); the columns are age, work": (TABLE, {"drop": [9]}),
    "2 columns are named 'age'; give each its own name": (
        lines((0, "age, work, age, code, income")),
        {},
    ),
    "column 'age' mixes 5 numbers with text ('old' in row 2); add the column to `categorical`": (
        lines((2, "old, Self, 13, 2, <=50K")),
        {},
    ),
    "column 'hours', row 1 is inf, not a finite number": (
        lines((1, "39, State, inf, 1, <=50K")),
        {},
    ),
    "target 'income' is missing in row 3": (lines((3, "38, Private, 4, 1,")), {}),
    "target 'hours' holds floats (13.5 in row 2); classes must be integers or text (for a numeric "
    "target set `task: regression`)": (lines((3, "38, Private, 1, 1, >50K")), {"target": "hours"}),
    "target 'income', row 1 is '<=50K', not a finite number; regression needs numbers": (
        TABLE,
        {"task": "regression"},
    ),
    "target 'work': all samples are of one class (a); at least two classes are needed": (
        "age,work\n1,a\n2,a\n3,a\n",
        {"target": "work"},
    ),
    "cannot be read as a table (Expected 5 fields in line 3, saw 6)": (
        lines((2, "50, Self, 13, 2, <=50K, more")),
        {},
    ),
    "column 'work' has no values; remove it with `drop: [work]`": (
        "age,work,income\n1,,a\n2,,b\n",
        {},
    ),
    "is empty": ("", {}),
    "has 5 columns, but `columns` lists 2": (TABLE, {"columns": ["a", "b"]}),
    "has no feature 'work-Nobody' (see `drop_features`)": (
        TABLE,
        {"drop_features": ["work-Nobody"]},
    ),
    "has 8 features, but `reshape_to` needs 3 x 3 = 9": (TABLE, {"reshape_to": [3, 3]}),
    "has no column besides the target": ("income\na\nb\n", {}),
}


@pytest.mark.parametrize("line", WRONG)
def test_an_invalid_table_gives_one_line_with_file_and_place(line, tmp_path):
    text, options = WRONG[line]
    with pytest.raises(DataError) as caught:
        prepared(tmp_path, text, **options)
    message = str(caught.value)
    assert line in message
    assert "\n" not in message
    assert message.startswith(str(tmp_path / "table.csv"))


def test_too_many_distinct_values_are_not_a_category(tmp_path):
    text = "id,income\n" + "".join(f"n{i},{'ab'[i % 2]}\n" for i in range(1200))
    with pytest.raises(DataError, match=r"'id' has more than 1000 distinct values.*drop: \[id\]"):
        prepared(tmp_path, text)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (
            "age,work,hours,code,income\n20,State,1,1,none\n",
            "sample 0 is 'none', which is not a class",
        ),
        ("age,work,hours,code,income\nold,State,1,1,>50K\n", "column 'age', row 1 is 'old'"),
        ("age,work,hours,kode,income\n20,State,1,1,>50K\n", "its columns differ from those of"),
    ],
)
def test_an_invalid_test_file_is_named_in_the_message(rows, line, tmp_path):
    (tmp_path / "test.csv").write_text(rows)
    with pytest.raises(DataError, match=line) as caught:
        prepared(tmp_path, TABLE, test_path=str(tmp_path / "test.csv"))
    assert str(caught.value).startswith(str(tmp_path / "test.csv"))


def test_parquet_columns_must_hold_numbers_or_text(tmp_path):
    frame = pd.DataFrame({"when": pd.to_datetime(["2020-01-01", "2021-01-01"]), "income": [0, 1]})
    with pytest.raises(DataError, match=r"column 'when' has type timestamp.*`drop: \[when\]`"):
        prepared(tmp_path, frame, "parquet")
    (tmp_path / "table.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DataError, match="is not a parquet file"):
        datasets.prepare(
            "d",
            settings_of(
                {"source": "parquet", "path": str(tmp_path / "table.parquet"), "target": "a"}
            ),
            tmp_path / "p",
        )


# --- models that take raw rows --------------------------------------------------------------------


def network_of(features):
    return keras.Sequential([keras.Input(features), keras.layers.Flatten(), keras.layers.Dense(3)])


def saved(folder, inner, scaling, target=None):
    described = datasets.describe(folder / "prepared")
    model = preprocessing.with_preprocessing(inner, described, scaling, target)
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


@pytest.mark.parametrize(
    "options", [{}, {"reshape_to": [2, 4], "feature_order_seed": 1}, {"drop_features": ["code"]}]
)
def test_the_model_takes_raw_rows_of_numbers_and_text(options, tmp_path):
    x, _, _ = prepared(tmp_path, TABLE, **options)
    rng = np.random.default_rng(0)
    shape = x.shape[1:]
    shift, scale = rng.normal(size=shape), rng.random(shape) + 0.1
    scaling = datasets.Scaling(shift.astype(np.float32), scale.astype(np.float32), True)
    inner = network_of(shape)
    model = saved(tmp_path, inner, scaling)
    frame = pd.read_csv(tmp_path / "table.csv", skipinitialspace=True)
    frame["work"] = frame["work"].replace("?", "")
    raw = {name: frame[name].to_numpy() for name in ("age", "work", "hours", "code")}
    expected = keras.ops.softmax(inner(scaling.apply(x)))
    np.testing.assert_allclose(model(raw), expected, rtol=1e-4, atol=1e-6)
    assert np.ptp(expected) > 0.01


def test_a_regression_model_predicts_in_target_units(tmp_path):
    text = "a,b,income\n1,10,100\n2,,300\n3,30,200\n"
    x, _, _ = prepared(tmp_path, text, task="regression")
    scaling = datasets.Scaling(np.array([2, 20, 0], "f4"), np.array([1, 0.1, 1], "f4"), True)
    target = datasets.Scaling(np.array([200.0] * 3), np.array([0.01] * 3))
    inner = network_of((3,))
    model = saved(tmp_path, inner, scaling, target)
    found = model.predict(np.array([[1, 10], [2, np.nan], [3, 30]]), verbose=0)
    expected = np.asarray(inner(scaling.apply(x))) * 100 + 200
    np.testing.assert_allclose(found, expected, rtol=1e-4)


# --- Adult ----------------------------------------------------------------------------------------

DATA = ROOT.parent / "shared" / "data"
adult = pytest.mark.skipif(
    not (DATA / "adult-train.csv").exists(), reason=f"Adult's files are not in {DATA}"
)


@adult
def test_adult_is_reshaped_to_the_images_of_ectonas(tmp_path):
    given = {
        "adult": {"path": str(DATA / "adult-train.csv"), "test_path": str(DATA / "adult-test.csv")}
    }
    whole = {"datasets": given, "searches": {"s": SEARCH | {"dataset": "adult"}}}
    settings = loading.load(whole, SCHEMA).datasets["adult"].settings
    datasets.prepare("adult", settings, tmp_path)
    described = datasets.describe(tmp_path)
    assert described["shape"] == [10, 10, 1]
    assert described["parts"] == {"training": 32561, "test": 16281}
    assert described["classes"] == ["<=50K", ">50K"]
    fractions = datasets.SplitSettings(0.1, 0.1)
    datasets.write_split(tmp_path, tmp_path / "split.npz", fractions, 0)
    training = datasets.read_part(tmp_path, tmp_path / "split.npz", "training")
    x = training.inputs(np.arange(len(training)))
    np.testing.assert_array_equal(x.min(axis=0), 0)
    np.testing.assert_array_equal(x.max(axis=0), 1)
    names = names_of(described)
    assert names != sorted(names)
    assert not [name for name in names if name.endswith(("?", "missing"))]


@adult
def test_the_countries_dropped_from_adult_are_the_rarest():
    table = pd.read_csv(DATA / "adult-train.csv", header=None, skipinitialspace=True)
    countries = table[13][table[13] != "?"].value_counts()
    assert set(countries.index[-4:]) == set(RAREST_COUNTRIES)
    assert countries.iloc[-4] < countries.iloc[-5]


def test_the_papers_datasets_are_built_in():
    names = {"digits", "mnist", "fashion-mnist", "cifar10", "cifar100", "svhn"}
    assert set(BUILTIN_DATASETS) == names | {"emnist-byclass", "emnist-digits", "eurosat", "adult"}
    for name in BUILTIN_DATASETS.keys() - {"adult"}:
        found = loading.load({"searches": {"s": SEARCH | {"dataset": name}}}, SCHEMA)
        assert set(found.datasets) == {name}
    with pytest.raises(ConfigError, match=r"datasets.adult.path: is missing"):
        loading.load({"searches": {"s": SEARCH | {"dataset": "adult"}}}, SCHEMA)
