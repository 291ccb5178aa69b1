"""The settings of training, and of the score that training ends with.

The defaults and the meaning of each key are those of the configuration's schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netsurgery.objectives.keras_catalog import Setting
from netsurgery.objectives.schedules import CONSTANT

FLOAT32, BFLOAT16, AUTO = "float32", "bfloat16", "auto"  # precisions, and to measure which


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
class TrainingSettings:
    """How a candidate trains, and how its training is scored."""

    compile: CompileSettings
    batch_size: int
    extra_metrics: Sequence[Setting]
    class_weights: str
    augmentation: str
    objective: str
    score_window: int
    schedule: Setting = CONSTANT
    precision: str = FLOAT32  # or `AUTO`
