"""Models that take raw data, loaded with Keras alone."""

from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest

from netsurgery import datasets
from netsurgery.datasets import Scaling
from netsurgery.keras_io import archive, conversion, preprocessing
from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.layers import BatchNorm, Conv, Dense, GlobalPool
from netsurgery.networks.network import initialise
from netsurgery.networks.topologies import build
from netsurgery.networks.topology import Topology
from netsurgery.surgery import legal_mutations

SHAPE = (6, 5, 3)


ROWS = build([{"conv_cell": {"channels": 2}}, {"dense": {"units": 4}}], SHAPE, 3)
BLOCKS = Topology(
    SHAPE,
    (
        Residual((Conv(4), BatchNorm(), Conv(3))),
        Parallel(((Conv(2),), ())),
        GlobalPool(),
        Dense(3, "softmax"),
    ),
)


def network(topology: Topology = ROWS) -> keras.Model:
    made = conversion.to_keras(initialise(topology, np.random.default_rng(0)))
    made.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    return made


def whole(inner: keras.Model, scaling: Scaling) -> keras.Model:
    data = {"shape": SHAPE, "inputs": [], "columns": [], "features": [], "resized": False}
    return preprocessing.with_preprocessing(inner, data, scaling, None)


RAW = np.random.default_rng(1).integers(256, size=(7, *SHAPE)).astype(np.uint8)
CHANNELS = np.array([[[100.0, 120.0, 140.0]]], np.float32), np.array([[[0.01, 0.02, 0.03]]])


@pytest.mark.parametrize(
    ("shift", "scale"), [(np.float32(0), np.float32(1 / 255)), CHANNELS], ids=["unit", "standard"]
)
@pytest.mark.parametrize("topology", [ROWS, BLOCKS], ids=["row", "blocks"])
def test_model_with_scaling_takes_raw_samples(
    tmp_path: Path, topology: Topology, shift: np.ndarray, scale: np.ndarray
) -> None:
    inner = network(topology)
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


@pytest.mark.parametrize("topology", [ROWS, BLOCKS], ids=["row", "blocks"])
def test_model_with_scaling_can_be_mutated(topology: Topology) -> None:
    inner = network(topology)
    scaled = whole(inner, Scaling(np.array(0), np.array(0.5)))
    inside, outside = (conversion.from_keras(model).topology for model in (inner, scaled))
    assert outside.layers[1:] == inside.layers
    before, after = (Counter(m.operation for m in legal_mutations(t)) for t in (inside, outside))
    assert before == after


RNG = np.random.default_rng(2)
SAMPLES: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "rows": (RNG.normal(size=(40, 3)), np.arange(40) % 2),
    "picofarads": (RNG.normal(5, 1, (40, 3)) * [1e-12, 1, 1e-30], np.arange(40) % 2),
    "planets": (RNG.random((40, 2)) * [1e28, 1e18], np.arange(40) % 2),
    "beyond float32": (RNG.random((40, 2)) * [1e60, 1e-60], np.arange(40) % 2),
    "seconds": (1_700_000_000 + RNG.integers(100, size=(40, 2)), np.arange(40) % 2),
    "constant": (np.stack([np.full(40, 1e-13), RNG.random(40)], axis=1), np.arange(40) % 2),
    "grey": (RNG.integers(256, size=(40, 4, 5)).astype(np.uint8), np.arange(40) % 2),
    "16 bits": (RNG.integers(65536, size=(40, 4, 5, 3)).astype(np.uint16), np.arange(40) % 2),
    "float images": (RNG.normal(0.5, 0.1, (40, 4, 5, 2)), np.arange(40) % 2),
    "dark images": (RNG.random((40, 4, 5, 1)) * 1e-13, np.arange(40) % 2),
    "target": (RNG.normal(size=(40, 3)), 3 * RNG.normal(size=40)),
    "small target": (RNG.normal(size=(40, 3)), 1e-9 * RNG.normal(size=40)),
    "targets": (RNG.normal(size=(40, 3)), RNG.normal(5, 1, (40, 2)) * [1e-30, 1e30]),
    "dates": (RNG.normal(size=(40, 3)), 1_700_000_000.0 + RNG.integers(100, size=40)),
    "huge target": (RNG.normal(size=(40, 3)), 1e60 * RNG.random(40)),
}


@pytest.mark.parametrize(("x", "y"), SAMPLES.values(), ids=SAMPLES)
def test_the_model_of_raw_arrays_agrees_with_the_network(
    x: np.ndarray, y: np.ndarray, tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", x_train=x, y_train=y)
    task = "regression" if y.dtype.kind == "f" else "classification"
    settings = {"source": "npz", "path": str(tmp_path / "data.npz"), "task": task}
    datasets.prepare("d", settings, tmp_path / "prepared")
    split = tmp_path / "split.npz"
    datasets.write_split(tmp_path / "prepared", split, datasets.SplitSettings(0.2, 0.2), 0)
    part = datasets.read_part(tmp_path / "prepared", split, "test")
    layers = [keras.layers.Flatten(), keras.layers.Dense(y[0].size if task == "regression" else 3)]
    inner = keras.Sequential([keras.Input(part.x.shape[1:]), *layers])
    described = datasets.describe(tmp_path / "prepared")
    model = preprocessing.with_preprocessing(inner, described, part.scaling, part.target)
    archive.save(model, tmp_path / "model.keras")
    found = np.asarray(keras.models.load_model(tmp_path / "model.keras")(x[part.indices]))
    inputs = part.inputs(np.arange(len(part)))
    assert np.isfinite(inputs).all()
    assert inputs.std() > 0.1
    expected = np.asarray(inner(inputs))
    if part.target is None:
        expected = np.asarray(keras.ops.softmax(expected))
    else:
        expected = part.target.restore(expected / part.target.scale + part.target.shift)
        errors = np.sqrt(np.mean((expected - y[part.indices].reshape(len(expected), -1)) ** 2))
        assert errors < 10 * y.std()
    np.testing.assert_allclose(
        found / abs(expected).max(axis=0), expected / abs(expected).max(axis=0), atol=1e-5
    )
    assert (np.ptp(expected, axis=0) > 0).all()


@pytest.mark.parametrize("deviation", [1e-9, 1e-25, 1e22])
def test_deviations_may_be_far_from_one(deviation: float) -> None:
    # as those of training samples without an outlier that the test samples have
    scaling = Scaling(
        np.array([3 * deviation, 0], np.float32), np.array([1 / deviation, 1], np.float32)
    )
    x = np.random.default_rng(0).normal(3, 1, (20, 2)) * [deviation, 1]
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    data = {"shape": (2,), "inputs": [], "columns": [], "features": [], "resized": False}
    model = preprocessing.with_preprocessing(inner, data, scaling, scaling)
    scaled = np.asarray(inner(scaling.apply(x)))
    expected = scaled / scaling.scale + scaling.shift
    np.testing.assert_allclose(model(x) * scaling.scale, expected * scaling.scale, atol=1e-5)
    assert np.ptp(scaled, axis=0).min() > 0.1
