"""The first training step of a search that starts from a user's model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from netsurgery.config.starting_models import content_of_model
from netsurgery.datasets import DataError
from netsurgery.jobs import initial_network, train
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.networks.inference import predict
from netsurgery.networks.penalties import penalty_of
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.plans import Offspring
from netsurgery.storage.files import UnusableFileError
from netsurgery.storage.settings import from_settings
from netsurgery.surgery import Mutation
from netsurgery.surgery.operations import REMOVE_DENSE
from netsurgery.surgery.settings import SurgerySettings
from tests.support.factories import prepare_digits, search


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    prepare_digits(folder)
    return folder


def step(data: Path, output: Path) -> TrainingStep:
    settings = search(topology="ff-small", learning_rate=1e-12, score_window=1).settings
    return TrainingStep(data, data / "split.npz", 0, dict(settings), output, "warm-up")


def saved(path: Path, outputs: int = 10) -> keras.Model:
    layers = [keras.layers.Flatten(), keras.layers.Dense(outputs, activation="softmax")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    model.save(path)
    return model


def start_from(path: Path) -> dict[str, Any]:
    return {"path": str(path), "sha256": content_of_model(path)}


def test_training_goes_on_from_the_models_weights(digits: Path, tmp_path: Path) -> None:
    model = saved(tmp_path / "mine.keras")
    output = tmp_path / "warm-up.keras"
    start = start_from(tmp_path / "mine.keras")
    train.train_initial_network(step(digits, output), [], "softmax", 1, start=start)
    record = read_record(output)
    assert record.parameters == 650
    _, (kernel, bias) = read_candidate(output, record).network.weights
    expected_kernel, expected_bias = model.get_weights()
    np.testing.assert_allclose(kernel, expected_kernel, atol=1e-8)
    np.testing.assert_allclose(bias, expected_bias, atol=1e-8)


def test_offspring_keep_layers_that_surgery_does_not_know(digits: Path, tmp_path: Path) -> None:
    up = keras.layers.Conv2DTranspose(1, 3, padding="same")
    inner = [up, keras.layers.Flatten(), keras.layers.Dense(6, "relu")]
    model = keras.Sequential([keras.Input((8, 8, 1)), *inner, keras.layers.Dense(10, "softmax")])
    model.save(tmp_path / "mine.keras")
    first, born = (step(digits, tmp_path / f"{name}.keras") for name in ("warm-up", "born"))
    train.train_initial_network(first, [], "softmax", 1, start=start_from(tmp_path / "mine.keras"))
    offspring = Offspring("g01c00", 1, "g00c00", Mutation(REMOVE_DENSE, 2), 1, 1)
    surgery = from_settings(SurgerySettings, born.settings | {"removal_rule": "least_squares"})
    train.train_offspring(born, first.output, offspring, surgery, {})
    child = read_candidate(born.output, read_record(born.output)).network
    for kept, expected in zip(child.weights[0], up.get_weights(), strict=True):
        np.testing.assert_allclose(kept, expected, atol=1e-8)
    x, again = born.calibration(20), keras.models.load_model(born.output)
    np.testing.assert_allclose(again(x), predict(child, x), atol=1e-5)
    # least squares saw what the layer gives: the output layer alone does what both did, nearly
    assert np.abs(np.asarray(again(x)) - np.asarray(model(x))).max() < 0.2


def test_penalties_of_the_search_are_those_of_its_network(digits: Path, tmp_path: Path) -> None:
    first = step(digits, tmp_path / "warm-up.keras")
    first = replace(first, settings=first.settings | {"l2": 0.5})
    entries: list[dict[str, Any]] = [{"dense": {"units": 3, "l1": 0.1}}, {"dense": {"units": 3}}]
    fresh = initial_network.fresh_network(first, entries, "softmax")
    assert [penalty_of(layer) for layer in fresh.layers[1:]] == [(0.1, 0), (0, 0.5), (0, 0.5)]


def test_a_model_that_has_changed_is_refused(digits: Path, tmp_path: Path) -> None:
    path, output = tmp_path / "mine.keras", tmp_path / "warm-up.keras"
    saved(path)
    start = start_from(path)
    saved(path)
    with pytest.raises(UnusableFileError, match=r"mine.keras: has changed since the run began"):
        train.train_initial_network(step(digits, output), [], "softmax", 1, start=start)
    assert not output.exists()


def test_a_model_that_does_not_fit_the_data_is_refused(digits: Path, tmp_path: Path) -> None:
    path, output = tmp_path / "mine.keras", tmp_path / "warm-up.keras"
    saved(path, outputs=4)
    with pytest.raises(DataError, match=r"mine.keras: has 4 outputs, but 'digits' has 10 classes"):
        train.train_initial_network(step(digits, output), [], "softmax", 1, start=start_from(path))
    assert not output.exists()
