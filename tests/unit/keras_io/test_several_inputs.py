"""Keras models with several inputs: what is read of them, and surgery on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import archive, model_surgery, reading, user_files
from netsurgery.keras_io.calibration import samples_for
from netsurgery.networks.blocks import Parallel
from netsurgery.networks.inference import predict
from netsurgery.networks.layers import InputPart
from netsurgery.networks.packed_inputs import packed
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import Mutation, operations

SHAPES = {"image": (6, 6, 3), "series": (8, 2), "row": (5,)}
Inputs = dict[str, np.ndarray]


def batch(count: int = 4) -> Inputs:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(count, *shape)).astype("f4") for name, shape in SHAPES.items()}


def model(style: str = "list") -> keras.Model:
    """A model of an image, a series and a row, which are joined one after the other."""
    image, series, row = (keras.Input(shape, name=name) for name, shape in SHAPES.items())
    one = layers.Conv2D(4, 3, padding="same", activation="relu", name="look")(image)
    one = layers.GlobalAveragePooling2D()(one)
    two = layers.Flatten()(layers.Conv1D(3, 3, name="listen")(series))
    both = layers.Dense(6, "relu", name="both")(layers.Concatenate(name="sides")([two, one]))
    x = layers.Concatenate(name="all")([both, layers.Dense(4, "relu", name="read")(row)])
    given: Any = {
        "list": [series, row, image],
        "mapping": {"row": row, "image": image, "series": series},
    }
    made = keras.Model(given[style], layers.Dense(2, name="out")(x), name="own")
    made.compile("adam", "mse", run_eagerly=True)
    return made


def as_taken(made: keras.Model, x: Inputs) -> Any:
    return keras.tree.map_structure(lambda tensor: x[tensor.name], made.input)


def output(made: keras.Model, x: Inputs) -> np.ndarray:
    return np.asarray(made(as_taken(made, x), training=False))


@pytest.mark.parametrize("style", ["list", "mapping"])
def test_inputs_are_read_as_rows_of_their_own(style: str) -> None:
    made, x = model(style), batch()
    network, _ = reading.read(made)
    order = [part.name for part in network.topology.inputs]
    assert order == [tensor.name for tensor in made.inputs]
    assert network.topology.input_shape == (6 * 6 * 3 + 8 * 2 + 5,)
    first, *_ = network.topology.row
    assert isinstance(first, Parallel)
    assert [type(row[0]) for row in first.rows] == [Parallel, InputPart]
    found = predict(network, packed([x[name] for name in order]))
    np.testing.assert_allclose(found, output(made, x), atol=1e-5)


def test_every_row_can_change() -> None:
    offers = model_surgery.list_mutations(model(), [operations.ADD_CHANNELS, operations.ADD_UNITS])
    assert {offer.layer for offer in offers} == {"look", "listen", "both", "read"}


@pytest.mark.parametrize(
    ("style", "layer"), [("list", "look"), ("mapping", "listen"), ("mapping", "read")]
)
def test_children_keep_inputs_and_their_structure(style: str, layer: str, tmp_path: Path) -> None:
    made, x = model(style), batch()
    made.train_on_batch(as_taken(made, x), np.ones((4, 2)))
    before, structure = output(made, x), keras.tree.map_structure(lambda t: t.name, made.input)
    wider = operations.ADD_UNITS if layer == "read" else operations.ADD_CHANNELS
    child = model_surgery.apply(made, Mutation(wider, layer), calibration=x).model
    assert keras.tree.map_structure(lambda t: t.name, child.input) == structure
    np.testing.assert_allclose(output(child, x), before, atol=1e-5)
    child.train_on_batch(as_taken(child, x), np.ones((4, 2)))
    archive.save(child, tmp_path / "child.keras")
    copy = user_files.read_model(tmp_path / "child.keras")
    np.testing.assert_allclose(output(copy, x), output(child, x), atol=1e-6)


def test_calibration_samples_go_to_their_inputs() -> None:
    x, made = batch(50), model()
    network, _ = reading.read(made)
    order = [tensor.name for tensor in made.inputs]
    expected = packed([x[name] for name in order])
    for samples in (x, [x[name] for name in order]):
        np.testing.assert_array_equal(samples_for(network.topology, samples), expected)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        ([np.zeros((4, 5))], r"takes 3 inputs \(series, row, image\); give an array for each"),
        (np.zeros((4, 5)), "takes 3 inputs"),
        ({**batch(), "row": np.zeros((4, 6))}, r"of shape \(6,\), but the model takes \(5,\)"),
        ({**batch(), "row": np.zeros((3, 5))}, "different numbers of samples: 3, 4"),
    ],
)
def test_samples_that_fit_no_input_are_refused(samples: Any, reason: str) -> None:
    network, _ = reading.read(model())
    with pytest.raises(UnusableFileError, match=f"calibration: .*{reason}"):
        samples_for(network.topology, samples)


def unusual(kind: str) -> keras.Model:
    one, two = keras.Input((3,), name="one"), keras.Input((3,), name="two")
    if kind == "unused":
        return keras.Model([one, two], layers.Dense(2)(one))
    long = keras.Input((None, 3), name="long")
    flat = layers.GlobalAveragePooling1D()(long)
    return keras.Model([one, long], layers.Dense(2)(layers.Add()([one, flat])))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("unused", "input two leads to no output"), ("long", "input long has no fixed size")],
)
def test_inputs_that_cannot_be_kept_are_refused(kind: str, reason: str) -> None:
    with pytest.raises(UnusableFileError, match=f"its {reason}"):
        model_surgery.list_mutations(unusual(kind))
