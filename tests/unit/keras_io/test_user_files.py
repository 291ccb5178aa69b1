"""A user's model and sample files: nothing in them is executed, and errors name the file."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from netsurgery.keras_io import model_surgery, user_files
from netsurgery.storage.files import UnusableFileError
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
    (tmp_path / "text.keras").write_text("hello")
    (tmp_path / "old.keras").write_bytes(b"\x89HDF\r\n\x1a\n")
    np.savez(tmp_path / "other.npz", np.zeros(3))
    for name, reason in (
        ("text.keras", "not a .keras file$"),
        ("other.npz", "not a .keras file$"),
        ("old.keras", "not a .keras file, but an older HDF5 file"),
        ("none.keras", "no such file"),
        (".", "is a folder"),
    ):
        with pytest.raises(UnusableFileError, match=reason):
            user_files.read_model(tmp_path / name)


def test_functional_models_are_refused(tmp_path: Path) -> None:
    entering = keras.Input((4,))
    keras.Model(entering, layers.Dense(2)(entering)).save(tmp_path / "branched.keras")
    with pytest.raises(UnusableFileError, match=r"branched\.keras: .* only sequential"):
        user_files.read_model(tmp_path / "branched.keras")


def test_samples_are_read_from_npy_and_npz_only(tmp_path: Path) -> None:
    x = np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x, y=np.zeros(3))
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "objects.npy", np.array([{}, None]), allow_pickle=True)
    (tmp_path / "text.npy").write_text("hello")
    for name in ("x.npy", "x.npz"):
        np.testing.assert_array_equal(user_files.read_samples(tmp_path / name), x)
    for name in ("words.npy", "objects.npy", "text.npy"):
        with pytest.raises(UnusableFileError, match=r"not a \.npy or \.npz file of numbers"):
            user_files.read_samples(tmp_path / name)
    with pytest.raises(UnusableFileError, match="no such file"):
        user_files.read_samples(tmp_path / "none.npy")
