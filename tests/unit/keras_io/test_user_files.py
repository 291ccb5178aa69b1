"""A user's model and sample files: nothing in them is executed, and errors name the file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import model_surgery, optimizer_slots, user_files
from netsurgery.storage.files import UnusableFileError
from netsurgery.surgery import Mutation, operations
from tests.support.keras_models import random_model


def test_lambda_layers_are_refused_by_name(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: 2 * x, name="twice")])
    random_model((4,), inner, layers.Dense(2)).save(tmp_path / "lambda.keras")
    with pytest.raises(UnusableFileError, match="layer twice would execute Python code"):
        user_files.read_model(tmp_path / "lambda.keras")


class Unregistered(layers.Layer):
    """A layer that is not part of Keras."""

    def call(self, x):
        return x


def unregistered(true, predicted):
    return keras.ops.mean((true - predicted) ** 2)


def test_layers_from_elsewhere_are_refused_by_name(tmp_path: Path) -> None:
    random_model((4,), Unregistered(), layers.Dense(2)).save(tmp_path / "own.keras")
    with pytest.raises(
        UnusableFileError, match=r"own\.keras: it uses Unregistered, .* not part of Keras"
    ):
        user_files.read_model(tmp_path / "own.keras")


def test_custom_loss_loads_without_compilation(tmp_path: Path) -> None:
    model = random_model((4,), layers.Dense(3), layers.Dense(2))
    model.compile("sgd", unregistered)
    model.save(tmp_path / "own.keras")
    with pytest.raises(UnusableFileError, match=r"--uncompiled ignores it.*: it uses unregistered"):
        user_files.read_model(tmp_path / "own.keras")
    assert model_surgery.list_mutations(
        user_files.read_model(tmp_path / "own.keras", compiled=False)
    )


def test_other_files_are_refused_with_the_reason(tmp_path: Path) -> None:
    model = random_model((4,), layers.Dense(2))
    model.save_weights(tmp_path / "weights.h5.weights.h5")
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["model_config"] = "{}"
    with h5py.File(tmp_path / "broken.h5", "w") as file:
        file.attrs["model_config"] = "{"
    (tmp_path / "text.keras").write_text("hello")
    (tmp_path / "empty.keras").write_bytes(b"")
    (tmp_path / "damaged.keras").write_bytes(b"\x89HDF\r\n\x1a\n")
    (tmp_path / "model.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    for folder, files in (("exported", []), ("saved", ["keras_metadata.pb"])):
        (tmp_path / folder).mkdir()
        for name in ("saved_model.pb", *files):
            (tmp_path / folder / name).write_bytes(b"")
    np.savez(tmp_path / "other.npz", np.zeros(3))
    for name, reason in (
        ("text.keras", "not a .keras file$"),
        ("empty.keras", "not a .keras file$"),
        ("other.npz", "not a .keras file, but another zip archive$"),
        ("old.h5", r"Keras [\d.]+ cannot load it: "),
        ("broken.h5", "its model_config is no JSON$"),
        ("weights.h5.weights.h5", "weights only: build the model in Python, load_weights, and"),
        ("damaged.keras", "not a .keras file, but a damaged HDF5 file$"),
        ("model.tflite", "a TensorFlow Lite model"),
        ("none.keras", "no such file"),
        (".", "is a folder"),
        ("saved", "a SavedModel folder of Keras 2, which Keras 3 cannot read: load it with Keras"),
        ("exported", r"a SavedModel folder, which holds no layers of Keras: save .* model.save"),
    ):
        with pytest.raises(UnusableFileError, match=reason):
            user_files.read_model(tmp_path / name)


def rewritten(path: Path, name: str, change: Callable[[Any], None]) -> None:
    """Change one of the JSON files in a .keras file."""
    with zipfile.ZipFile(path) as source:
        content = {member: source.read(member) for member in source.namelist()}
    values = json.loads(content[name])
    change(values)
    content[name] = json.dumps(values).encode()
    with zipfile.ZipFile(path, "w") as target:
        for member, value in content.items():
            target.writestr(member, value)


def of_keras_2(config: Any) -> None:
    layer = config["config"]["layers"].pop(0)
    config["config"]["layers"][0]["config"]["batch_input_shape"] = layer["config"]["batch_shape"]


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("config.json", of_keras_2, "a file of Keras 2: load it with Keras 2 .* save it as .h5"),
        ("metadata.json", lambda it: it.update(keras_version="2.15.0"), "a file of Keras 2: load"),
        (
            "config.json",
            lambda it: it["config"]["layers"][1]["config"].update(frobnicate=3),
            r"cannot load it: .*frobnicate",
        ),
    ],
)
def test_files_of_other_versions_are_named(
    name: str, change: Any, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.keras"
    random_model((4,), layers.Dense(2)).save(path)
    rewritten(path, name, change)
    with pytest.raises(UnusableFileError, match=reason) as refused:
        user_files.read_model(path)
    assert "\n" not in str(refused.value)


def trained(model: keras.Sequential, **compiled_with: Any) -> keras.Sequential:
    model.compile(**compiled_with, run_eagerly=True)
    shape = (4, *model.input_shape[1:])
    model.fit(np.ones(shape), np.ones((4, *model.output_shape[1:])), batch_size=2, verbose=0)
    return model


def state(model: keras.Sequential) -> list[Any]:
    return [np.asarray(variable) for variable in model.optimizer.variables]


def test_loss_scale_is_read_under_another_policy(tmp_path: Path) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = trained(random_model((4,), layers.Dense(3), layers.Dense(2)), loss="mse")
        model.save(tmp_path / "mixed.keras")
    finally:
        keras.config.set_dtype_policy(before)
    read = user_files.read_model(tmp_path / "mixed.keras")
    assert keras.config.dtype_policy() == before
    for written, found in zip(state(model), state(read), strict=True):
        np.testing.assert_array_equal(found, written)


def test_state_of_layers_frozen_later_is_read(tmp_path: Path) -> None:
    hidden = layers.Dense(3)
    model = trained(random_model((4,), hidden, layers.Dense(2)), optimizer="adam", loss="mse")
    hidden.trainable = False
    model.save(tmp_path / "frozen.keras")
    read = user_files.read_model(tmp_path / "frozen.keras")
    assert [layer.trainable for layer in read.layers] == [False, True]
    child = model_surgery.apply(read, Mutation(operations.IDENTITY)).model
    assert int(child.optimizer.iterations) == 2
    kept = optimizer_slots.read_slots(child, child.layers)["velocities"]
    for written, found in zip(
        optimizer_slots.read_slots(model, model.layers)["velocities"][1], kept[1], strict=True
    ):
        np.testing.assert_array_equal(found, written)
        assert found.any()


def test_state_that_fits_no_layers_is_refused(tmp_path: Path) -> None:
    frozen = layers.Dense(3, trainable=False)
    model = trained(
        random_model((4,), frozen, layers.Dense(3, trainable=False), layers.Dense(2)),
        optimizer="adam",
        loss="mse",
    )
    frozen.trainable = True
    model.save(tmp_path / "thawed.keras")
    with pytest.raises(UnusableFileError, match=r"--uncompiled ignores it.*state of its optimizer"):
        user_files.read_model(tmp_path / "thawed.keras")
    assert user_files.read_model(tmp_path / "thawed.keras", compiled=False)


def test_untrained_optimizers_are_read(tmp_path: Path) -> None:
    model = random_model((4,), layers.Dense(2))
    model.compile("adam", "mse")
    model.save(tmp_path / "untrained.keras")
    assert user_files.read_model(tmp_path / "untrained.keras").compiled


def of_a_block() -> keras.Model:
    entering = keras.Input((4,))
    x = layers.Dense(4, "relu", name="hidden")(entering)
    return keras.Model(entering, layers.Dense(2)(layers.Add()([x, entering])))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", ["model.h5", "model.hdf5", "named otherwise"])
def test_hdf5_files_are_read_with_their_state(name: str, frozen: bool, tmp_path: Path) -> None:
    model = of_a_block()
    model.get_layer("hidden").trainable = not frozen
    trained(model, optimizer="adam", loss="mse", metrics=["mae"])
    model.save(tmp_path / "model.h5")
    (tmp_path / "model.h5").rename(tmp_path / name)
    read = user_files.read_model(tmp_path / name)
    x = np.ones((1, 4))
    np.testing.assert_array_equal(np.asarray(read(x)), np.asarray(model(x)))
    for written, found in zip(state(model), state(read), strict=True):
        np.testing.assert_array_equal(found, written)
    assert int(read.optimizer.iterations) == 2


def test_code_in_hdf5_files_is_refused(tmp_path: Path) -> None:
    random_model((4,), layers.Lambda(lambda x: 2 * x, name="twice")).save(tmp_path / "new.h5")
    config = {"class_name": "Lambda", "config": {"name": "old", "function": ["4wEA", None, None]}}
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["model_config"] = json.dumps({"config": {"layers": [config]}})
    for name, layer in (("new.h5", "twice"), ("old.h5", "old")):
        with pytest.raises(UnusableFileError, match=f"layer {layer} would execute Python code"):
            user_files.read_model(tmp_path / name)


def test_functional_models_that_are_no_blocks_are_refused(tmp_path: Path) -> None:
    entering = keras.Input((4,))
    outputs = [layers.Dense(2, name="one")(entering), layers.Dense(2, name="two")(entering)]
    keras.Model(entering, outputs).save(tmp_path / "two.keras")
    with pytest.raises(UnusableFileError, match=r"two\.keras: it has 2 outputs \(one, two\): only"):
        user_files.read_model(tmp_path / "two.keras")


def test_samples_are_read_from_npy_and_npz_only(tmp_path: Path) -> None:
    x = np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x, y=np.zeros(3))
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "objects.npy", np.array([{}, None]), allow_pickle=True)
    (tmp_path / "text.npy").write_text("hello")
    np.savez(tmp_path / "named.npz", x=x, y=np.array(["a", "b", "c"]))
    np.testing.assert_array_equal(user_files.read_samples(tmp_path / "x.npy"), x)
    assert list(user_files.read_samples(tmp_path / "x.npz")) == ["x", "y"]
    assert list(user_files.read_samples(tmp_path / "named.npz")) == ["x"]
    for name in ("words.npy", "objects.npy", "text.npy"):
        with pytest.raises(UnusableFileError, match=r"not a \.npy or \.npz file of numbers"):
            user_files.read_samples(tmp_path / name)
    with pytest.raises(UnusableFileError, match="no such file"):
        user_files.read_samples(tmp_path / "none.npy")
