"""Export to TensorFlow Lite."""

import tempfile

import keras
import numpy as np
import pytest

from netsurgery.keras_io import tflite


def of_a_row():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])


def of_a_block():
    entering = keras.Input((4,))
    x = keras.layers.Add()([keras.layers.Dense(4, "relu")(entering), entering])
    return keras.Model(entering, keras.layers.Dense(3)(x))


@pytest.mark.parametrize("make", [of_a_row, of_a_block])
def test_conversion_is_exact_and_leaves_no_files(make, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    model = make()
    x = np.random.default_rng(0).random((5, 4), np.float32)
    result = tflite.export_tflite(model, tmp_path / "model.tflite", x)
    assert result["written"]
    assert result["largest_difference"] < tflite.TOLERANCE
    content = (tmp_path / "model.tflite").read_bytes()
    np.testing.assert_allclose(tflite.predict_tflite(content, x), model(x), atol=1e-6)
    assert list(folder.iterdir()) == []


def test_several_inputs_keep_their_names(tmp_path):
    size, age = keras.Input((1,), name="size in m"), keras.Input((1,), name="age")
    image = keras.Input((4, 5, 2), name="image")
    rows = [size, 3 * age, keras.layers.GlobalAveragePooling2D()(image)]
    joined = keras.layers.Concatenate()(rows)
    model = keras.Model([size, age, image], keras.layers.Dense(3, "softmax")(joined))
    rng = np.random.default_rng(0)
    x = {
        "image": rng.random((4, 4, 5, 2)),
        "size in m": rng.random((4, 1)),
        "age": rng.random((4, 1)),
    }
    result = tflite.export_tflite(model, tmp_path / "model.tflite", x)
    assert result["written"]
    assert result["samples"] == 4
    assert result["inputs"] == {"size in m": "size_in_m", "age": "age", "image": "image"}
    content = (tmp_path / "model.tflite").read_bytes()
    named = {result["inputs"][name]: values for name, values in x.items()}
    changed = tflite.predict_tflite(content, named | {"age": x["age"][::-1]})
    assert not np.allclose(changed, tflite.predict_tflite(content, named))


def test_text_is_not_exported(tmp_path):
    kind = keras.Input((1,), dtype="string", name="kind")
    code = keras.layers.StringLookup(vocabulary=["cold", "heat"], output_mode="one_hot")(kind)
    model = keras.Model(kind, keras.layers.Dense(3)(code))
    (tmp_path / "model.tflite").touch()  # of an earlier export
    x = {"kind": np.array([["heat"]], object)}
    result = tflite.export_tflite(model, tmp_path / "model.tflite", x)
    assert (result["written"], result["why"]) == (False, tflite.TEXT)
    assert not (tmp_path / "model.tflite").exists()
