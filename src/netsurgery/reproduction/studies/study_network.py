"""The trained networks that studies operate on, with their samples, and what trains them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsurgery import training
from netsurgery.datasets import Samples
from netsurgery.networks.network import Network, Topology
from netsurgery.storage.random_streams import random_stream


@dataclass(frozen=True)
class StudyNetwork:
    """A trained network with its samples and the settings of its training."""

    network: Network
    training: Samples
    validation: Samples
    settings: dict[str, Any]  # of its search
    seed: int

    @property
    def batches_per_epoch(self) -> int:
        """Batches in an epoch, the last one perhaps smaller."""
        return -(-len(self.training) // self.settings["batch_size"])

    def calibration(self, count: int) -> np.ndarray:
        """Training samples for surgery, as the network takes them."""
        drawn = random_stream(self.seed, "calibration").permutation(len(self.training))
        return self.training.inputs(np.sort(drawn[:count]))

    def validating(self) -> tuple[np.ndarray, np.ndarray]:
        """All validation samples, as the network takes them, and their classes."""
        y = self.validation.y[self.validation.indices]
        return self.validation.inputs(np.arange(len(self.validation))), y


class Retraining:
    """Trains the children of a base on, by its settings and with a fresh optimizer.

    Children of one topology, one after the other, share what TensorFlow compiles for it, which is
    most of the work.
    """

    def __init__(self, base: StudyNetwork) -> None:
        self.base = base
        self.topology: Topology | None = None

    def _prepare(self, network: Network) -> None:
        base = self.base
        self.learner = training.TrainableNetwork(network, base.settings)
        self.fresh = self.learner.optimizer_state.values
        self.course = training.TrainingLoop(
            self.learner, base.training, base.validation, base.settings["batch_size"]
        )
        self.topology = network.topology

    def __call__(self, network: Network, batches: list[int], *purpose: str | int) -> list[float]:
        """Validation accuracies of a network that is trained on.

        Args:
            network: left as it is.
            batches: of each stretch of training, after which it is scored.
            purpose: what the order of the samples is drawn for.

        Returns:
            One accuracy per stretch; fewer if the training diverged.
        """
        if network.topology != self.topology:
            self._prepare(network)
        self.learner.load(network, self.fresh)
        history = self.course.run(batches, random_stream(self.base.seed, *purpose))
        return [scores["val_accuracy"] for scores in history]
