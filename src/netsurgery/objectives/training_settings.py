"""The settings of training, and of the score that training ends with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netsurgery.objectives.keras_catalog import Setting


@dataclass(frozen=True)
class TrainingSettings:
    """How a network trains, and how its training is scored.

    The defaults and the meaning of each key are those of the configuration's schema.
    """

    optimizer: Setting
    learning_rate: float
    momentum: float
    batch_size: int
    dtype_policy: str
    loss: Setting
    extra_metrics: Sequence[Setting]
    class_weights: str
    augmentation: str
    objective: str
    score_window: int
