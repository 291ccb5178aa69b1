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
from netsurgery.networks.penalties import penalty_of
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.storage.files import UnusableFileError
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
