"""L1 and L2 of kernels: in the loss as in Keras, in files, and in all descendants."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from netsurgery import training
from netsurgery.datasets import Samples, Scaling
from netsurgery.keras_io import archive, conversion
from netsurgery.networks.entries import Entry, row_of
from netsurgery.networks.layers import (
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Flatten,
    LinearLayer,
    SeparableConv,
)
from netsurgery.networks.network import Network, initialise
from netsurgery.networks.penalties import penalized, penalty_of
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.surgery import OPERATIONS, legal_mutations, mutate_topology
from tests.support.random_networks import branched

SETTINGS = CompileSettings("sgd", learning_rate=0.1, momentum=0.9, loss="crossentropy")
ROW = (
    Conv(3, l2=0.03),
    BatchNorm(),
    DepthwiseConv(l1=0.01),
    SeparableConv(4, l1=0.02, l2=0.01),
    Flatten(),
    Dense(3, "softmax", l2=0.5),
)
X = np.random.default_rng(0).normal(size=(12, 4, 4, 2)).astype(np.float32)
Y = np.arange(12, dtype=np.int32) % 3


@pytest.fixture
def network() -> Network:
    return initialise(Topology((4, 4, 2), ROW), np.random.default_rng(1))


def test_training_and_its_loss_are_those_of_keras(network: Network) -> None:
    plain = conversion.to_keras(network)
    training.compile_model(plain, SETTINGS)
    plain.run_eagerly = True
    losses = [plain.train_on_batch(X, Y)[0] for _ in range(2)]
    plain_loss = plain.evaluate(X, Y, verbose=0)[0]
    ours = training.TrainableNetwork(network, SETTINGS)
    scaling = Scaling(np.array(0, np.float32), np.array(1, np.float32))
    part = Samples(X, Y, np.arange(12, dtype=np.int32), scaling)
    first, second = training.TrainingLoop(ours, part, part, 12).run(
        [1, 1], np.random.default_rng(2)
    )
    np.testing.assert_allclose([first["loss"], second["val_loss"]], [losses[0], plain_loss], 1e-5)
    for mine, theirs in zip(
        ours.network.weights, conversion.from_keras(plain).weights, strict=True
    ):
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_files_and_keras_keep_them(network: Network, tmp_path: Path) -> None:
    ours = training.TrainableNetwork(network, SETTINGS)
    archive.write_checkpoint(tmp_path / "it.keras", ours.checkpoint, ours.compile_arguments)
    again = keras.models.load_model(tmp_path / "it.keras")
    assert conversion.from_keras(again).topology.row == ROW
    np.testing.assert_allclose(sum(again.losses), sum(conversion.to_keras(network).losses), 1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_descendants_inherit_them(seed: int) -> None:
    topology = penalized(branched(np.random.default_rng(seed)), (0.0, 0.25))
    for mutation in legal_mutations(topology, operations=OPERATIONS):
        for layer in mutate_topology(topology, mutation).layers:
            assert penalty_of(layer) == (0.0, 0.25) or not isinstance(layer, LinearLayer)


def test_own_ones_come_first() -> None:
    cell: Entry = {"conv_cell": {"channels": 2, "l1": 0.5}}
    entries: list[Entry] = [cell, {"residual": {"channels": 2}}]
    topology = penalized(Topology((8, 8, 1), row_of(entries, (8, 8, 1))), (0.0, 0.25))
    kernels = [layer for layer in topology.layers if isinstance(layer, LinearLayer)]
    assert [penalty_of(layer) for layer in kernels] == [(0.5, 0.0), (0.0, 0.25), (0.0, 0.25)]
