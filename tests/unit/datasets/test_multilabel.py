"""Several labels per sample: how they are read, and how parts keep their shares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsurgery import datasets
from netsurgery.config.errors import ConfigError
from netsurgery.datasets import DataError, label_strata
from netsurgery.datasets.multilabel import label_matrix
from tests.unit.datasets.table_examples import settings_of

ROWS = [[1, 0], [0, 1], [1, 1], [0, 0]]
TEXTS = ["cat", "dog;", "dog; cat", ""]


@pytest.mark.parametrize(
    ("given_labels", "separator"),
    [
        (np.array(ROWS), None),
        (np.array(ROWS, bool), None),
        (np.array(ROWS, np.float32), None),
        (np.array(TEXTS), ";"),
        (np.array(TEXTS, object), ";"),
    ],
)
def test_labels_become_a_matrix(given_labels, separator):
    names = None if separator else ("cat", "dog")
    matrices, found = label_matrix({"training": given_labels}, {"training": "y"}, names, separator)
    assert found == ("cat", "dog")
    assert matrices["training"].dtype == np.uint8
    assert matrices["training"].tolist() == ROWS


@pytest.mark.parametrize(
    ("training", "test", "message"),
    [
        ([[1, 2], [0, 0]], None, "sample 0, label 1 is 2; it must be 0 or 1"),
        ([[1, 0.5], [0, 0]], None, "is 0.5; it must be 0 or 1"),
        ([[1, 0], [1, 0]], None, "every sample has the same labels"),
        (["a", "b"], None, "labels have text"),
        ([[1, 0], [0, 1]], [[1, 0, 1]], "t has 3 labels, but there are 2"),
    ],
)
def test_what_is_no_label_is_refused(training, test, message):
    parts = {"training": np.array(training)} | ({"test": np.array(test)} if test else {})
    with pytest.raises(DataError, match=message):
        label_matrix(parts, {"training": "y", "test": "t"})


def test_a_label_that_training_lacks_is_refused():
    parts = {"training": np.array(["a", "a b"]), "test": np.array(["c"])}
    with pytest.raises(DataError, match="'c', which is not a label of the training samples"):
        label_matrix(parts, {"training": "y", "test": "t"}, None, " ")


@settings(max_examples=40)
@given(
    seed=st.integers(0, 999),
    samples=st.integers(20, 120),
    share=st.sampled_from([0.1, 0.2, 0.5]),
)
def test_parts_keep_the_share_of_every_label(seed, samples, share):
    rng = np.random.default_rng(seed)
    y = (rng.random((samples, 4)) < (0.6, 0.3, 0.1, 0.02)).astype(np.uint8)
    rest, size = np.arange(samples), round(share * samples)
    remaining, drawn = label_strata.draw(rest, y, size, np.random.default_rng(1))
    assert sorted([*remaining, *drawn]) == rest.tolist()
    assert len(drawn) == size
    counts = y.sum(axis=0)
    assert (y[remaining].sum(axis=0)[counts > 0] > 0).all()  # all labels can be learnt
    assert abs(y[drawn].sum(axis=0) - share * counts).max() <= 4 + 0.1 * samples


def test_folds_test_every_sample_once_and_every_label():
    rng = np.random.default_rng(0)
    y = (rng.random((60, 3)) < (0.5, 0.3, 0.2)).astype(np.uint8)
    parts = [
        label_strata.fold(np.arange(60), y, i, 4, np.random.default_rng(2))[1] for i in range(4)
    ]
    assert sorted(np.concatenate(parts).tolist()) == list(range(60))
    assert all((y[part].sum(axis=0) > 0).all() for part in parts)


def arrays(folder, y, **more):
    x = np.random.default_rng(0).normal(size=(len(y), 3)).astype(np.float32)
    np.savez(folder / "d.npz", x_train=x, y_train=y, **more)
    return {"source": "npz", "path": str(folder / "d.npz")}


LABELS = (np.random.default_rng(3).random((60, 3)) < (0.5, 0.3, 0.2)).astype(int)


def test_arrays_of_labels_are_prepared_and_split(tmp_path):
    groups = np.repeat(np.arange(12), 5)
    given_settings = arrays(tmp_path, LABELS, who_train=groups) | {"task": "multilabel"}
    for name, more in (("random", {}), ("groups", {"group": "who"})):
        folder = tmp_path / name
        datasets.prepare("d", settings_of(given_settings | more), folder)
        data = datasets.describe(folder)
        assert data["outputs"] == 3
        assert data["labels"] == ["0", "1", "2"]
        assert data["classes"] is None
        assert list(data["label_counts"]["training"].values()) == LABELS.sum(axis=0).tolist()
        datasets.write_split(folder, folder / "s.npz", datasets.SplitSettings(0.2, 0.2), 0)
        test = datasets.read_part(folder, folder / "s.npz", "test")
        assert test.task == "multilabel"
        assert test.y[test.indices].sum(axis=0).all()
        if more:
            training = datasets.read_part(folder, folder / "s.npz", "training")
            assert not {*groups[test.indices]} & {*groups[training.indices]}


def test_several_labels_without_the_task_are_explained(tmp_path):
    with pytest.raises(DataError, match="set `task: multilabel`") as caught:
        datasets.prepare("d", settings_of(arrays(tmp_path, LABELS)), tmp_path / "p")
    (suggestion,) = caught.value.suggestions
    assert (suggestion.key, suggestion.value) == ("task", "multilabel")


@pytest.mark.parametrize(
    ("y", "warning"),
    [
        (np.column_stack([LABELS, np.zeros(60, int)]), "nothing to learn"),
        (np.column_stack([LABELS, np.arange(60) < 3]), "fewer than 10 training samples"),
        (np.eye(3, dtype=int)[np.arange(60) % 3], "exactly one label"),
    ],
)
def test_labels_that_teach_little_are_named(tmp_path, y, warning):
    settings_ = settings_of(arrays(tmp_path, y) | {"task": "multilabel"})
    lines = datasets.prepare("d", settings_, tmp_path / "p")
    assert any(warning in line for line in lines)


TABLE = "size,tall,old,height\n" + "".join(
    f"{i},{'yes' if i % 2 else 'No'},{i % 3 == 0},{i * 0.5}\n" for i in range(12)
)


def prepared(folder, text=TABLE, **given_settings):
    (folder / "t.csv").write_text(text)
    given_settings = {"source": "csv", "path": str(folder / "t.csv")} | given_settings
    datasets.prepare("d", settings_of(given_settings), folder / "prepared")
    return np.load(folder / "prepared" / "y.npy"), datasets.describe(folder / "prepared")


def test_columns_of_a_table_are_labels(tmp_path):
    y, data = prepared(tmp_path, target=["tall", "old"], task="multilabel")
    assert y.tolist() == [[i % 2, int(i % 3 == 0)] for i in range(12)]
    assert data["labels"] == data["targets"] == ["tall", "old"]
    became = {row["name"]: row["became"] for row in data["table"]}
    assert became == {"size": "number", "tall": "target", "old": "target", "height": "number"}


def test_columns_of_a_table_are_several_targets(tmp_path):
    y, data = prepared(tmp_path, target=["size", "height"], task="regression", drop=["old"])
    np.testing.assert_allclose(y, [[i, i * 0.5] for i in range(12)])
    assert data["target_ranges"] == [[0, 11], [0, 5.5]]
    datasets.write_split(
        tmp_path / "prepared", tmp_path / "s.npz", datasets.SplitSettings(0.2, 0.2), 0
    )
    training = datasets.read_part(tmp_path / "prepared", tmp_path / "s.npz", "training")
    scaled = training.target.apply(training.y[training.indices])
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-5)  # each target for itself


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        (
            {"target": ["tall", "height"], "task": "multilabel"},
            "'height', row 2 is .*each target is 0 or 1",
        ),
        ({"target": ["tall", "size"], "task": "regression"}, "'tall', row 1 is 'No', not a finite"),
        ({"target": ["tall", "tall"], "task": "multilabel"}, "`target` names 'tall' twice"),
        ({"target": ["tall", "old"]}, "2 targets need `task: multilabel`.*`task: regression`"),
        ({"target": "tall", "label_separator": ";"}, "label_separator: divides the labels in one"),
    ],
)
def test_targets_that_do_not_fit_are_one_line(tmp_path, given_settings, message):
    with pytest.raises((DataError, ConfigError), match=message) as caught:
        prepared(tmp_path, **given_settings)
    assert "\n" not in str(caught.value)


def test_a_row_without_labels_in_its_text_has_none(tmp_path):
    text = "size,tags\n" + "".join(f"{i},{['a|b', 'b', ''][i % 3]}\n" for i in range(12))
    y, data = prepared(tmp_path, text, target="tags", task="multilabel", label_separator="|")
    assert y[:3].tolist() == [[1, 1], [0, 1], [0, 0]]
    assert any("4 training samples have no label" in line for line in data["warnings"])


def test_a_column_that_tells_a_label_is_named(tmp_path):
    text = "a,b,old,tall\n" + "".join(
        f"{i * 7 % 60},{i % 2},{i % 3 % 2},{i % 2}\n" for i in range(60)
    )
    _, data = prepared(tmp_path, text, target=["old", "tall"], task="multilabel")
    assert any("'b' gives the target away" in line for line in data["warnings"])
