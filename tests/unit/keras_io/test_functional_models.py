"""Functional Keras models: what is read of them, and surgery on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from netsurgery.keras_io import archive, model_surgery, optimizer_slots, reading, user_files
from netsurgery.networks.blocks import Kept, Parallel, Residual
from netsurgery.networks.layers import Activation, Dense, Other, Reshape
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import OPERATIONS, IllegalMutation, Mutation, operations
from tests.support.keras_children import check_children, compiled, predicted, samples, train_step

IMAGE = (6, 6, 3)
Body = Callable[[Any], Any]


def functional(shape: tuple[int, ...], body: Body, kind: type = keras.Model) -> keras.Model:
    """A model whose weights and statistics are not neutral."""
    entering = keras.Input(shape, name="pixels")
    model, rng = kind(entering, body(entering), name="own"), np.random.default_rng(0)
    for variable in model.weights:
        if "seed" not in variable.name and variable.dtype == "float32":
            variable.assign(rng.uniform(0.3, 1.2, variable.shape) * rng.choice([1, 0.3]))
    return model


def cell(x: Any, channels: int, strides: int = 1) -> Any:
    x = layers.Conv2D(channels, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def of_residual_blocks(x: Any) -> Any:
    x = cell(layers.Rescaling(1 / 255)(x), 4)
    body = layers.Conv2D(4, 3, padding="same")(cell(x, 5))
    x = layers.ReLU(name="joined")(layers.Add()([x, body]))
    body = layers.Conv2D(6, 1)(cell(x, 3, 2))
    x = layers.Add()([body, layers.Conv2D(6, 1, strides=2)(x)])
    return layers.Dense(3)(layers.Dense(5, "relu")(layers.GlobalAveragePooling2D()(x)))


def of_gates(x: Any) -> Any:
    x = cell(x, 4)
    gate = layers.Dense(2, "relu", name="squeeze")(layers.GlobalAveragePooling2D()(x))
    gate = layers.Reshape((1, 1, 4))(layers.Dense(4, "sigmoid", name="excite")(gate))
    x = layers.Multiply()([x, gate])
    return layers.Dense(3)(layers.Flatten()(x))


def of_dense_blocks(x: Any) -> Any:
    for _ in range(2):
        x = layers.Concatenate()([x, layers.Conv2D(2, 3, padding="same")(cell(x, 4))])
    return layers.Dense(3)(layers.GlobalMaxPooling2D()(x))


def of_branches(x: Any) -> Any:
    rows = [cell(x, 3), cell(cell(x, 4), 2), layers.MaxPooling2D(3, 1, "same")(x)]
    x = layers.Concatenate()(rows)
    return layers.Dense(3)(layers.GlobalAveragePooling2D()(x))


def of_layers_kept_as_they_are(x: Any) -> Any:
    x = layers.Reshape((9, 12))(x)
    x = layers.MultiHeadAttention(2, 4)(x, x) + x
    average = layers.Average()([layers.Dense(12)(x), x])
    x = ops.mean(average, axis=1) * 0.5
    x = layers.Dense(5, "relu")(layers.Dense(6, "relu")(x))
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(4)])
    return layers.Dense(3)(inner(x))


def of_a_row(x: Any) -> Any:
    return layers.Dense(3)(layers.Dense(6, "relu")(layers.Flatten()(cell(x, 3))))


STYLES: dict[str, Body] = {
    "residual": of_residual_blocks,
    "gates": of_gates,
    "dense blocks": of_dense_blocks,
    "branches": of_branches,
    "kept layers": of_layers_kept_as_they_are,
    "row": of_a_row,
}


# one style tries all operations: each child takes Keras a tenth of a second
OF_ROWS_THAT_JOIN = (
    *(operations.ADD_UNITS, operations.ADD_CHANNELS, operations.REMOVE_CHANNELS),
    *(operations.ADD_DENSE, operations.REMOVE_BRANCH, operations.REMOVE_GATE),
)


@pytest.mark.parametrize("style", STYLES)
def test_children_of_functional_models_are_sound(style: str, tmp_path: Path) -> None:
    model = compiled(functional(IMAGE, STYLES[style]))
    offered = OPERATIONS if style == "residual" else OF_ROWS_THAT_JOIN
    done = check_children(model, tmp_path / "child.keras", offered)
    assert {"add_units", "add_channels"} & done


def test_blocks_are_read_whatever_the_order_of_their_rows() -> None:
    network, found = reading.read(functional(IMAGE, of_residual_blocks))
    assert [type(node).__name__ for node in network.topology.row] == [
        *("Rescaling", "Conv", "BatchNorm", "Activation", "Residual", "Activation", "Residual"),
        *("GlobalPool", "Dense", "Dense"),
    ]
    one, two = (node for node in network.topology.row if isinstance(node, Residual))
    assert len(one.body) == len(two.body) == 4
    assert (len(one.shortcut), len(two.shortcut)) == (0, 1)
    assert found[network.topology.position(5)].name == "joined"


def test_sums_of_tensors_are_blocks() -> None:
    network, _ = reading.read(functional((4,), lambda x: layers.Dense(2)(x + layers.Dense(4)(x))))
    assert network.topology.row == (Residual((Dense(4, "linear"),)), Dense(2, "linear"))


def test_other_layers_with_several_inputs_are_kept() -> None:
    network, _ = reading.read(functional(IMAGE, of_layers_kept_as_they_are))
    assert [type(node) for node in network.topology.row] == [
        *(Reshape, Residual, Kept, Other, Other, Dense, Dense, Other, Dense)
    ]
    average = next(node for node in network.topology.row if isinstance(node, Kept))
    assert str(average.layer) == "Average"
    assert network.topology.from_json(network.topology.to_json()) == network.topology


@pytest.mark.parametrize("style", STYLES)
def test_child_is_connected_as_its_parent(style: str) -> None:
    model = functional(IMAGE, STYLES[style])
    x, before = samples(model), predicted(model, samples(model))
    names = [layer.name for layer in model.layers]
    child = model_surgery.apply(model, Mutation(operations.IDENTITY)).model
    assert (type(child), child.name, child.input.name) == (type(model), "own", "pixels")
    assert [layer.name for layer in child.layers] == names
    np.testing.assert_array_equal(predicted(child, x), before)


class OwnTraining(keras.Model):
    """A model that trains otherwise."""

    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


class OwnCall(keras.Model):
    """A model that computes otherwise."""

    def call(self, x: Any) -> Any:
        return 2 * x


def test_subclass_of_a_functional_model_stays() -> None:
    model = compiled(functional(IMAGE, of_a_row, OwnTraining))
    child = model_surgery.apply(model, Mutation(operations.IDENTITY)).model
    assert type(child) is OwnTraining
    train_step(child)


class Subclassed(keras.Model):
    """A model that Python code connects."""

    def call(self, x: Any) -> Any:
        return x


def shared(x: Any) -> Any:
    layer = layers.Dense(4, name="twice")
    return layer(layer(x))


def crossing(x: Any) -> Any:
    one, two = layers.Dense(4, name="one")(x), layers.Dense(4, name="two")(x)
    both = layers.Add(name="both")([one, two])
    return layers.Add()([layers.ReLU(name="last")(two), layers.ReLU()(both)])


def two_outputs(x: Any) -> Any:
    leaving, *_ = layers.LSTM(3, return_state=True, name="lstm")(layers.Reshape((2, 2))(x))
    return leaving


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: functional((4,), shared), "its layer twice is shared: it is called twice"),
        (lambda: functional((4,), crossing), "layer two is on two rows .* by way of (both|last)"),
        (lambda: functional((4,), two_outputs), "its layer lstm gives 3 outputs"),
        (lambda: functional((4,), layers.Dense(2), OwnCall), "OwnCall has call of its own"),
        (Subclassed, "it is a Subclassed model, whose layers Python code connects"),
        (
            lambda: keras.Model(a := keras.Input((4,)), [a + 1, a * 2]),
            "it has 2 outputs",
        ),
    ],
    ids=["shared", "crossing", "gives several", "call", "subclass", "outputs"],
)
def test_layer_in_the_way_is_named(model: Callable[[], keras.Model], reason: str) -> None:
    with pytest.raises(UnusableFileError, match=reason) as refused:
        model_surgery.list_mutations(model())
    assert "\n" not in str(refused.value)


def test_slots_follow_the_weights_in_blocks(tmp_path: Path) -> None:
    model = compiled(functional(IMAGE, of_residual_blocks))
    network, own = reading.read(model)
    before = optimizer_slots.read_slots(model, own)["velocities"]
    result = model_surgery.apply(model, Mutation(operations.ADD_CHANNELS, "4.body.0", 8))
    archive.save(result.model, tmp_path / "child.keras")
    child = user_files.read_model(tmp_path / "child.keras")
    _, read = reading.read(child)
    after = optimizer_slots.read_slots(child, read)["velocities"]
    changed = network.topology.position("4.body.0")
    for i, (olds, news) in enumerate(zip(before, after, strict=True)):
        for old, new in zip(olds, news, strict=True):
            if old.shape == new.shape:
                np.testing.assert_array_equal(old, new)
            else:
                assert i in range(changed, changed + 4)
                assert new.any()


def test_places_may_be_names_of_layers() -> None:
    listed = model_surgery.list_mutations(model := functional(IMAGE, of_residual_blocks))
    found = {offer.layer: offer.mutation.position for offer in listed if offer.layer}
    inside = next(name for name, place in found.items() if place == "4.body.0")
    summary = model_surgery.apply(model, Mutation(operations.ADD_CHANNELS, inside)).summary
    assert summary.startswith("add_channels at 4.body.0: ")
    with pytest.raises(IllegalMutation, match=r"at position other: .* legal at .*4\.body"):
        model_surgery.apply(model, Mutation(operations.ADD_CHANNELS, "other"))


def test_new_layers_of_a_block_are_named_by_their_place() -> None:
    def body(x: Any) -> Any:
        hidden = layers.Dense(4, "relu", name="one")(x)
        return layers.Dense(2, name="three")(layers.Dense(4, "relu", name="two")(hidden) + x)

    model = functional((4,), body)
    child = model_surgery.apply(model, Mutation(operations.ADD_DENSE, "0.body.1")).model
    network, own = reading.read(child)
    (residual,) = (node for node in network.topology.row if isinstance(node, Residual))
    assert [type(node) for node in residual.body] == [Dense, Dense, Dense]
    assert [layer.name for layer in own if isinstance(layer, layers.Dense)] == [
        *("one", "dense_0_body_1", "two", "three")
    ]


def test_squeeze_and_excitation_is_a_gate() -> None:
    network, _ = reading.read(functional(IMAGE, of_gates))
    gate = next(node for node in network.topology.row if isinstance(node, Parallel))
    assert gate.function == "multiply"
    assert Activation("relu") in network.topology.row
