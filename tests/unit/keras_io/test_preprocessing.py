"""Models that take raw data, loaded with Keras alone."""

from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest

from netsurgery.datasets import Scaling
from netsurgery.keras_io import archive, conversion, preprocessing
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build
from netsurgery.surgery import legal_mutations

SHAPE = (6, 5, 3)


def network() -> keras.Sequential:
    hidden = [{"conv_cell": {"channels": 2}}, {"dense": {"units": 4}}]
    made = conversion.to_keras(initialise(build(hidden, SHAPE, 3), np.random.default_rng(0)))
    made.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    return made


def whole(inner: keras.Model, scaling: Scaling) -> keras.Model:
    data = {"shape": SHAPE, "columns": [], "features": [], "resized": False}
    return preprocessing.with_preprocessing(inner, data, scaling, None)


RAW = np.random.default_rng(1).integers(256, size=(7, *SHAPE)).astype(np.uint8)
CHANNELS = np.array([[[100.0, 120.0, 140.0]]], np.float32), np.array([[[0.01, 0.02, 0.03]]])


@pytest.mark.parametrize(
    ("shift", "scale"), [(np.float32(0), np.float32(1 / 255)), CHANNELS], ids=["unit", "standard"]
)
def test_model_with_scaling_takes_raw_samples(
    tmp_path: Path, shift: np.ndarray, scale: np.ndarray
) -> None:
    inner = network()
    scaling = Scaling(np.asarray(shift), np.asarray(scale, np.float32))
    archive.save(whole(inner, scaling), tmp_path / "model.keras")
    found = keras.models.load_model(tmp_path / "model.keras").predict(RAW, verbose=0)
    expected = inner.predict((RAW - shift) * scale, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(expected) > 0.01


def test_model_with_scaling_shares_the_weights() -> None:
    inner = network()
    scaled = whole(inner, Scaling(np.array(0), np.array(0.5)))
    inner.train_on_batch(RAW / 255, np.arange(7) % 3)
    expected = inner(RAW / 255, training=False)
    np.testing.assert_allclose(scaled(RAW / 127.5, training=False), expected, rtol=1e-4, atol=1e-6)


def test_model_with_scaling_can_be_mutated() -> None:
    inner = network()
    scaled = whole(inner, Scaling(np.array(0), np.array(0.5)))
    inside, outside = (conversion.from_keras(model).topology for model in (inner, scaled))
    assert outside.layers[1:] == inside.layers
    before, after = (Counter(m.operation for m in legal_mutations(t)) for t in (inside, outside))
    assert before == after
