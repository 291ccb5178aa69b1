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
