"""Fixtures: the command in this process, and a model for it."""

import sys

import pytest

from netsurgery.cli.main import main


@pytest.fixture
def output_of(monkeypatch, capfd):
    """Run the command and return what it prints, and its notes on stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["netsurgery", *map(str, words)])
        main()
        return capfd.readouterr()

    return run


@pytest.fixture
def netsurgery(output_of):
    """Run the command and return what it prints; nothing may go to stderr."""

    def run(*words):
        found = output_of(*words)
        assert not found.err
        return found.out

    return run


@pytest.fixture
def error_of(netsurgery):
    """Run the command and return the message that it exits with."""

    def run(*words):
        with pytest.raises(SystemExit) as exit_:
            netsurgery(*words)
        message = exit_.value.code
        assert isinstance(message, str)  # exit status 1, the message on stderr
        assert "\n" not in message
        return message

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A file with a trained, compiled model: dense layers at 2, 3 and 4 after a rescaling."""
    import keras
    import numpy as np

    layers = keras.layers
    made = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(5, "relu", name="ours"),
            layers.Dense(4, "relu", name="theirs"),
            layers.Dense(3, "softmax"),
        ]
    )
    made.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse", run_eagerly=True)
    made.fit(np.ones((4, 6, 6, 1)), np.ones((4, 3)), verbose=0)
    path = tmp_path_factory.mktemp("models") / "model.keras"
    made.save(path)
    return path
