"""The pooling trials of ECToNAS (A.2.1, table 4): insert a pooling layer into a trained network.

The paper's network is "two convolutional followed by two dense layers". It names no cell,
normalization or size, so we use bare convolutions with relu and insert the pooling layer between
them. The rules differ in the weights of the first dense layer, which has a quarter of its inputs
left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.networks.layers import Conv, Dense, Pool
from netsurgery.networks.network import Network
from netsurgery.reproduction.studies.outputs import accuracy, logits
from netsurgery.reproduction.studies.published import aggregate_blocks
from netsurgery.storage.random_streams import random_stream
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.pooling import aggregated, resampled
from netsurgery.surgery.refit import refit_layers
from netsurgery.surgery.structure import flattened_image_reader

if TYPE_CHECKING:  # imports Keras
    from netsurgery.reproduction.studies.study_network import StudyNetwork

POOLINGS = ("average", "max")
CALIBRATION_SAMPLES = 1000  # training samples for least squares


@dataclass(frozen=True)
class Trial:
    """The input of a rule."""

    kernel: np.ndarray  # (height, width, channels, out) of the first dense layer
    pooling: str
    rng: np.random.Generator

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of the image after pooling."""
        height, width = self.kernel.shape[:2]
        return (height + 1) // 2, (width + 1) // 2

    @property
    def blocks(self) -> np.ndarray:
        """The kernel in 2x2 blocks, (H, W, channels, out, 4); NaN outside the image."""
        height, width, channels, out = self.kernel.shape
        rows, columns = self.sides
        padded = np.full((2 * rows, 2 * columns, channels, out), np.nan)
        padded[:height, :width] = self.kernel
        split = padded.reshape(rows, 2, columns, 2, channels, out)
        return split.transpose(0, 2, 4, 5, 1, 3).reshape(rows, columns, channels, out, 4)


def structured(trial: Trial) -> np.ndarray:
    """As published: the mean of each block, or its maximum."""
    return aggregate_blocks(trial.kernel, trial.pooling)


def magnitude(trial: Trial) -> np.ndarray:
    """As in the paper's text on max pooling: each block's weight of largest magnitude."""
    return aggregated(trial.kernel, trial.sides, "max")


def random(trial: Trial) -> np.ndarray:
    """Keep one random input of each block and channel with its weights."""
    blocks = trial.blocks
    keys = trial.rng.random((*blocks.shape[:3], 1, 4))
    keys = np.where(np.isnan(blocks[:, :, :, :1]), -1, keys)
    return np.take_along_axis(blocks, keys.argmax(axis=-1)[..., None], axis=-1)[..., 0]


def random_anywhere(trial: Trial) -> np.ndarray:
    """Keep random inputs regardless of their position, and close the gaps."""
    *_, channels, out = trial.kernel.shape
    rows, columns = trial.sides
    flat = trial.kernel.reshape(-1, out)
    kept = np.sort(trial.rng.permutation(len(flat))[: rows * columns * channels])
    return flat[kept].reshape(rows, columns, channels, out)


def summed(trial: Trial) -> np.ndarray:
    """Our rule: the sum of each block, because a pixel now represents the whole block."""
    return resampled(trial.kernel, trial.sides)


RULES: dict[str, Callable[[Trial], np.ndarray]] = {
    "structured": structured,
    "magnitude": magnitude,
    "random": random,
    "random_anywhere": random_anywhere,
    "sum": summed,
}
LEAST_SQUARES = "least_squares"  # starts from the sum


def insert_pooling(network: Network, pooling: str, kernel: np.ndarray) -> Network:
    """Insert pooling between the two convolutions of a network.

    Args:
        network: two convolutions, a flatten layer, dense layers.
        pooling: average or max.
        kernel: of the first dense layer after pooling, (height, width, channels, out).
    """
    topology = network.topology
    _, second = topology.positions(Conv)
    dense = flattened_image_reader(topology)
    assert dense is not None
    weights = [*network.weights[:second], (), *network.weights[second:]]
    weights[dense + 1] = consumer_kernel.write(network, dense, kernel)
    return Network(topology.insert(second, Pool(pooling)), tuple(weights))


def refit(network: Network, child: Network, x: np.ndarray) -> Network:
    """Refit all layers after the pooling to the outputs that they had in the parent."""
    _, second = network.topology.positions(Conv)
    later = [*network.topology.positions(Conv), *network.topology.positions(Dense)]
    return refit_layers(network, child, [position for position in later if position >= second], x)


def run_trials(study_network: StudyNetwork) -> Iterator[dict[str, Any]]:
    """Yield a row per pooling and rule: accuracy before, immediately after, and after an epoch."""
    from netsurgery.reproduction.studies.study_network import Retraining  # imports Keras

    network, retrained = study_network.network, Retraining(study_network)
    x, y = study_network.validation_set()
    before = accuracy(logits(network, x), y)
    dense = flattened_image_reader(network.topology)
    assert dense is not None
    kernel = consumer_kernel.read(network, dense)
    for pooling in POOLINGS:
        for rule in (*RULES, LEAST_SQUARES):
            if (pooling, rule) == ("average", "magnitude"):
                continue  # the paper has it for max pooling only
            rng = random_stream(study_network.seed, "pooling", pooling, rule)
            trial = Trial(kernel, pooling, rng)
            child = insert_pooling(network, pooling, RULES.get(rule, summed)(trial))
            if rule == LEAST_SQUARES:
                child = refit(network, child, study_network.calibration(CALIBRATION_SAMPLES))
            accuracies = retrained(child, [study_network.batches_per_epoch], "pooling order")
            yield {
                "pooling": pooling,
                "rule": rule,
                "before": before,
                "right_after": accuracy(logits(child, x), y),
                "after_epoch": accuracies[0] if accuracies else None,
            }
