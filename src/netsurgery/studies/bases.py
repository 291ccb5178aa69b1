"""The trained networks that studies operate on, with their samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netsurgery import keras_files, training
from netsurgery.datasets import Samples
from netsurgery.network import Network
from netsurgery.seeds import generator


@dataclass(frozen=True)
class Base:
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
        drawn = generator(self.seed, "calibration").permutation(len(self.training))
        return self.training.inputs(np.sort(drawn[:count]))

    def validating(self) -> tuple[np.ndarray, np.ndarray]:
        """All validation samples, as the network takes them, and their classes."""
        y = self.validation.y[self.validation.indices]
        return self.validation.inputs(np.arange(len(self.validation))), y

    def trained(self, network: Network, batches: list[int], *purpose: str | int) -> list[float]:
        """Validation accuracies of a network that is trained on, by its base's settings.

        Args:
            network: left as it is.
            batches: of each stretch of training, after which it is scored.
            purpose: what the order of the samples is drawn for.

        Returns:
            One accuracy per stretch; fewer if the training diverged.
        """
        model = keras_files.to_keras(network)
        training.compile_model(model, self.settings)
        history = training.train(
            model,
            self.training,
            self.validation,
            batches,
            self.settings["batch_size"],
            generator(self.seed, *purpose),
        )
        return [scores["val_accuracy"] for scores in history]
