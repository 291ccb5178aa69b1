"""Which learning rates a training step has: a piece of the search's schedule, or its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from netsurgery.objectives.schedules import COSINE, LINEAR, Schedule, rates


@dataclass(frozen=True)
class Ramp:
    """Rates of one step, over all its rounds.

    Attributes:
        first: the rate that it begins with.
        last: the rate that it ends with.
        shape: `linear` or `cosine`.
    """

    first: float
    last: float
    shape: str = LINEAR

    def of_step(self, count: int) -> np.ndarray:
        """The rates of the step's batches, float32 (count,); each has that at its middle."""
        part = (np.arange(count) + 0.5) / max(count, 1)
        risen = (1 - np.cos(np.pi * part)) / 2 if self.shape == COSINE else part
        return (self.first + (self.last - self.first) * risen).astype(np.float32)


@dataclass(frozen=True)
class Along:
    """A piece of the search's schedule.

    Attributes:
        epochs: of the whole schedule; or a time, for which the first training finds the epochs.
        start: the position of the step's first batch in the schedule, in batches; None: as many as
            its weights have trained.
        hold: whether all batches have the rate of the first one.
    """

    epochs: float | str
    start: int | None = None
    hold: bool = False


StepRates = Ramp | Along | None  # None: constant


def to_json(step: StepRates) -> dict[str, Any] | None:
    """Plain values."""
    return None if step is None else asdict(step)


def from_json(values: Mapping[str, Any] | None) -> StepRates:
    """Read what `to_json` gave."""
    if values is None:
        return None
    return Along(**values) if "epochs" in values else Ramp(**values)


def rates_of_step(
    step: StepRates,
    schedule: Schedule,
    peak: float,
    trained: int,
    count: int,
    batches_per_epoch: int,
) -> np.ndarray:
    """The learning rates of a step's batches, float32 (count,).

    Args:
        step: which rates these are.
        schedule: of the search.
        peak: its highest rate.
        trained: batches that the weights have trained before.
        count: of the step's batches.
        batches_per_epoch: of the search.
    """
    if isinstance(step, Ramp):
        return step.of_step(count)
    if step is None:
        return np.full(count, peak, np.float32)
    start = trained if step.start is None else step.start
    total = float(step.epochs) * batches_per_epoch
    if step.hold:
        return np.repeat(rates(schedule, peak, start, 1, total), count)
    return rates(schedule, peak, start, count, total)
