"""Labels of classes: names and numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsurgery.datasets import labels
from tests.unit.datasets.array_examples import X, Y, prepared, saved


def test_class_names_are_numbered_alphabetically(tmp_path):
    names = np.array(["dog", "ant", "cat"])
    _, y, described, _ = prepared(tmp_path, saved(tmp_path, x_train=X, y_train=names[Y]))
    assert described["classes"] == ["ant", "cat", "dog"]
    np.testing.assert_array_equal(np.array(described["classes"])[y], names[Y])


def test_class_names_may_be_bytes(tmp_path):
    names = np.array(["dog", "ant", "cät"])
    encoded = np.char.encode(names, "utf-8")
    _, y, described, _ = prepared(tmp_path, saved(tmp_path, x_train=X, y_train=encoded[Y]))
    assert described["classes"] == ["ant", "cät", "dog"]
    np.testing.assert_array_equal(np.array(described["classes"])[y], names[Y])


@given(
    st.lists(st.sampled_from(["ant", "bee", "1", "-2", "10"]), min_size=2).filter(
        lambda names: len(set(names)) > 1
    ),
    st.booleans(),
)
def test_class_names_map_to_numbers_for_any_label_shape(names, standing):
    array = np.array(names)[:, None] if standing else np.array(names)
    numbers, classes = labels.class_numbers({"training": array}, {"training": "y"})
    assert [classes[number] for number in numbers["training"]] == names
    if all(name.removeprefix("-").isdecimal() for name in names):
        assert list(classes) == sorted(classes, key=int)
    else:
        assert list(classes) == sorted(classes)


@pytest.mark.parametrize("kind", ["?", "u1", "i8", "u8"])
def test_class_numbers_may_have_any_integer_dtype(kind):
    array = np.array([0, 1, 1]).astype(kind)
    numbers, classes = labels.class_numbers({"training": array}, {"training": "y"})
    np.testing.assert_array_equal(numbers["training"], [0, 1, 1])
    assert classes == ("0", "1")


def test_imbalanced_classes_give_a_warning(tmp_path):
    uneven = np.array([0] * 9 + [1] * 3)
    *_, described, warnings = prepared(tmp_path, saved(tmp_path, x_train=X, y_train=uneven))
    assert described["warnings"] == warnings
    assert warnings[0].startswith("imbalanced classes: 0 has 9 training samples (75%)")
    (tmp_path / "even").mkdir()
    assert prepared(tmp_path, saved(tmp_path / "even", x_train=X, y_train=Y))[3] == []
