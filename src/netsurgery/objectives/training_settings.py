"""The settings of training, and of the score that training ends with.

The defaults and the meaning of each key are those of the configuration's schema.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from netsurgery.objectives.keras_catalog import Setting
from netsurgery.objectives.schedules import CONSTANT

FLOAT32, BFLOAT16, AUTO = "float32", "bfloat16", "auto"  # precisions, and to measure which
NONE, SQRT = "none", "sqrt"  # how a learning rate follows from a batch size
MIN_BATCH, MAX_BATCH = 16, 128  # samples
MIN_BATCHES = 40  # in an epoch
MIN_PART = 64  # samples


@dataclass(frozen=True)
class CompileSettings:
    """How a network learns: what Keras's `compile` takes, and what else an epoch depends on."""

    optimizer: Setting
    learning_rate: float
    momentum: float
    loss: Setting
    weight_decay: float = 0.0
    ema_momentum: float = 0.0
    statistics_momentum: float | None = None  # of batch normalization; None: that of each layer


@dataclass(frozen=True)
class PenaltySettings:
    """Penalties on the kernels of the initial network, which all others inherit."""

    l1: float = 0.0
    l2: float = 0.0


@dataclass(frozen=True)
class PartSettings:
    """Into how many parts each batch is split where a network trains alone."""

    batch_parts: int | str = 1  # a number, or `AUTO` (see `batch_parts_for`)


@dataclass(frozen=True)
class RateSettings:
    """How the highest rate of a schedule follows from the batch size, where that is `AUTO`."""

    learning_rate_scaling: str = NONE  # or `SQRT` (see `rate_factor_for`)


@dataclass(frozen=True)
class TrainingSettings:
    """How a candidate trains, and how its training is scored."""

    compile: CompileSettings
    batch_size: int | str  # a number, or `AUTO` (see `batch_size_for`)
    extra_metrics: Sequence[Setting]
    class_weights: str
    augmentation: str | Sequence[str]
    objective: str
    score_window: int
    schedule: Setting = CONSTANT
    precision: str = FLOAT32  # or `AUTO`


def batch_size_for(samples: int) -> int:
    """The batch size that `auto` stands for: the largest power of two with enough batches.

    Few samples in large batches would give too few steps.

    Args:
        samples: in an epoch.
    """
    size = MAX_BATCH
    while size > MIN_BATCH and size * MIN_BATCHES > samples:
        size //= 2
    return size


def rate_factor_for(batch_size: int) -> float:
    """What `learning_rate_scaling: sqrt` multiplies the rate of batches of `MAX_BATCH` samples by.

    The gradient of fewer samples scatters more, by the square root (Krizhevsky, 2014,
    arXiv:1404.5997, section 5).

    Args:
        batch_size: samples per batch.
    """
    return math.sqrt(min(1.0, batch_size / MAX_BATCH))


def batch_size_of(setting: int | str, samples: int) -> int:
    """The samples per batch that a setting stands for.

    Args:
        setting: a number, or `AUTO`.
        samples: in an epoch.
    """
    return batch_size_for(samples) if isinstance(setting, str) else setting


def highest_rate(learning_rate: float, scaling: str, batch_size: int | str, samples: int) -> float:
    """The highest learning rate of a schedule.

    Args:
        learning_rate: that was set.
        scaling: `NONE` or `SQRT`.
        batch_size: a number, whose rate stays, or `AUTO`.
        samples: in an epoch.
    """
    scales = scaling == SQRT and isinstance(batch_size, str)
    return learning_rate * (rate_factor_for(batch_size_for(samples)) if scales else 1.0)


def batch_parts_for(batch_size: int) -> int:
    """The parts that `auto` stands for: two, if a normalization then sees enough samples in each.

    Args:
        batch_size: samples per batch.
    """
    return 2 if batch_size >= 2 * MIN_PART else 1
