"""The trained networks that studies mutate, with their samples and further training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netsurgery import training
from netsurgery.datasets import Samples
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.storage.random_streams import random_stream


@dataclass(frozen=True)
class StudyNetwork:
    """A trained network with its samples and the settings of its training."""

    network: Network
    training: Samples
    validation: Samples
    settings: CompileSettings
    batch_size: int
    seed: int

    @property
    def batches_per_epoch(self) -> int:
        """Batches in an epoch, including a smaller last one."""
        return -(-len(self.training) // self.batch_size)

    def calibration(self, count: int) -> np.ndarray:
        """Random training samples for surgery, as network inputs."""
        drawn = random_stream(self.seed, "calibration").permutation(len(self.training))
        return self.training.inputs(np.sort(drawn[:count]))

    def validation_set(self) -> tuple[np.ndarray, np.ndarray]:
        """All validation samples as network inputs, and their classes."""
        y = self.validation.y[self.validation.indices]
        return self.validation.inputs(np.arange(len(self.validation))), y


class Retraining:
    """Trains the children of a study network with its settings and a new optimizer.

    Consecutive children of the same topology share the compiled TensorFlow graph, which saves most
    of the time.
    """

    def __init__(self, study_network: StudyNetwork) -> None:
        self.study_network = study_network
        self.topology: Topology | None = None

    def _prepare(self, network: Network) -> None:
        study_network = self.study_network
        self.model = training.TrainableNetwork(network, study_network.settings)
        self.initial_state = self.model.optimizer_state.values
        self.loop = training.TrainingLoop(
            self.model,
            study_network.training,
            study_network.validation,
            study_network.batch_size,
        )
        self.topology = network.topology

    def __call__(self, network: Network, batches: list[int], *purpose: str | int) -> list[float]:
        """Train a network and return its validation accuracies.

        Args:
            network: is not changed.
            batches: of each stage of training, after which it is evaluated.
            purpose: names the random stream of the sample order.

        Returns:
            One accuracy per stage; fewer if training diverged.
        """
        if network.topology != self.topology:
            self._prepare(network)
        self.model.load(network, self.initial_state)
        history = self.loop.run(batches, random_stream(self.study_network.seed, *purpose))
        return [scores["val_accuracy"] for scores in history]
