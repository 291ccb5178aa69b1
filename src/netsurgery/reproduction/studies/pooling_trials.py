"""ECToNAS's pooling trials (A.2.1, table 4): a pooling layer put into a trained network.

The paper's network is "two convolutional followed by two dense layers"; no cell, normalisation or
size is named, so it is taken to be bare convolutions with relu, the pooling put between them. Each
rule gives other weights to the first dense layer, which finds a quarter of its inputs left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.networks.layers import Conv, Dense, Pool
from netsurgery.networks.network import Network
from netsurgery.reproduction.studies.outputs import accuracy, logits
from netsurgery.reproduction.studies.published import aggregated
from netsurgery.storage.random_streams import random_stream
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.pooling import resampled
from netsurgery.surgery.refit import refit_layers
from netsurgery.surgery.structure import flattened_image_reader

if TYPE_CHECKING:  # it knows Keras
    from netsurgery.reproduction.studies.study_network import StudyNetwork

POOLINGS = ("average", "max")
CALIBRATION = 1000  # training samples that least squares looks at


@dataclass(frozen=True)
class Trial:
    """What a rule may look at."""

    kernel: np.ndarray  # (height, width, channels, out) of the first dense layer
    pooling: str
    rng: np.random.Generator

    @property
    def blocks(self) -> np.ndarray:
        """The kernel by blocks, (H, W, channels, out, 4), NaN beyond the image's edge."""
        height, width, channels, out = self.kernel.shape
        rows, columns = (height + 1) // 2, (width + 1) // 2
        padded = np.full((2 * rows, 2 * columns, channels, out), np.nan)
        padded[:height, :width] = self.kernel
        split = padded.reshape(rows, 2, columns, 2, channels, out)
        return split.transpose(0, 2, 4, 5, 1, 3).reshape(rows, columns, channels, out, 4)


def structured(trial: Trial) -> np.ndarray:
    """As published: the mean of each block, or its greatest weight."""
    return aggregated(trial.kernel, trial.pooling)


def magnitude(trial: Trial) -> np.ndarray:
    """As the paper's text has it for max pooling: each block's weight of largest magnitude."""
    chosen = np.nan_to_num(np.abs(trial.blocks), nan=-1).argmax(axis=-1, keepdims=True)
    return np.take_along_axis(trial.blocks, chosen, axis=-1)[..., 0]


def random(trial: Trial) -> np.ndarray:
    """Of each block and channel one input stays, drawn, with its weights."""
    blocks = trial.blocks
    keys = trial.rng.random((*blocks.shape[:3], 1, 4))
    keys = np.where(np.isnan(blocks[:, :, :, :1]), -1, keys)
    return np.take_along_axis(blocks, keys.argmax(axis=-1)[..., None], axis=-1)[..., 0]


def random_anywhere(trial: Trial) -> np.ndarray:
    """Any inputs are cut, whatever their place; those that stay move together."""
    height, width, channels, out = trial.kernel.shape
    rows, columns = (height + 1) // 2, (width + 1) // 2
    flat = trial.kernel.reshape(-1, out)
    kept = np.sort(trial.rng.permutation(len(flat))[: rows * columns * channels])
    return flat[kept].reshape(rows, columns, channels, out)


def summed(trial: Trial) -> np.ndarray:
    """Ours: each block's sum, since a pixel now stands for the whole block."""
    height, width = ((side + 1) // 2 for side in trial.kernel.shape[:2])
    return resampled(trial.kernel, height, width)


RULES: dict[str, Callable[[Trial], np.ndarray]] = {
    "structured": structured,
    "magnitude": magnitude,
    "random": random,
    "random_anywhere": random_anywhere,
    "sum": summed,
}
LEAST_SQUARES = "least_squares"  # starts from the sum


def pooled(network: Network, pooling: str, kernel: np.ndarray) -> Network:
    """The network with pooling between its two convolutions.

    Args:
        network: two convolutions, a flatten layer, dense layers.
        pooling: average or max.
        kernel: of the first dense layer, (height, width, channels, out) for the smaller image.
    """
    topology = network.topology
    _, second = topology.positions(Conv)
    dense = flattened_image_reader(topology)
    assert dense is not None
    weights = [*network.weights[:second], (), *network.weights[second:]]
    weights[dense + 1] = consumer_kernel.write(network, dense, kernel)
    return Network(topology.insert(second, Pool(pooling)), tuple(weights))


def refitted(network: Network, child: Network, x: np.ndarray) -> Network:
    """The pooled network, all layers behind the pooling fitted to what they gave the parent."""
    _, second = network.topology.positions(Conv)
    behind = [*network.topology.positions(Conv), *network.topology.positions(Dense)]
    return refit_layers(network, child, [place for place in behind if place >= second], x)


def trials(base: StudyNetwork) -> Iterator[dict[str, Any]]:
    """A row per pooling and rule: validation accuracy before, right after, and after an epoch."""
    from netsurgery.reproduction.studies.study_network import Retraining  # it knows Keras

    network, trained, (x, y) = base.network, Retraining(base), base.validating()
    before = accuracy(logits(network, x), y)
    dense = flattened_image_reader(network.topology)
    assert dense is not None
    kernel = consumer_kernel.read(network, dense)
    for pooling in POOLINGS:
        for rule in (*RULES, LEAST_SQUARES):
            if (pooling, rule) == ("average", "magnitude"):
                continue  # the paper has it for max alone
            trial = Trial(kernel, pooling, random_stream(base.seed, "pooling", pooling, rule))
            child = pooled(network, pooling, RULES.get(rule, summed)(trial))
            if rule == LEAST_SQUARES:
                child = refitted(network, child, base.calibration(CALIBRATION))
            reached = trained(child, [base.batches_per_epoch], "pooling order")
            yield {
                "pooling": pooling,
                "rule": rule,
                "before": before,
                "right_after": accuracy(logits(child, x), y),
                "after_epoch": reached[0] if reached else None,
            }
