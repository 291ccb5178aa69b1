"""The settings of surgery during a search."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # which imports this module
    from netsurgery.surgery.operations import Operation

LEAST_SQUARES = "least_squares"  # the removal rule that needs calibration samples


class Growth(StrEnum):
    """What added channels and units are."""

    COPIES = "copies"  # of others, which share their outgoing weights in drawn proportions
    EQUAL_COPIES = "equal_copies"  # of others, with equal shares (ECToNAS eq. 5)
    ZEROS = "zeros"  # drawn like those of an untrained layer, with outgoing weights of zero


class PoolingTransfer(StrEnum):
    """How pooling that is added or removed reaches the first dense layer's weights."""

    SUM = "sum"  # of each block's weights, undone by equal shares
    AGGREGATE = "aggregate"  # as pooling does (ECToNAS A.2), undone by repeating


@dataclass(frozen=True)
class SurgerySettings:
    """How the weights of an offspring follow from those of its parent.

    The defaults and the meaning of each key are those of the configuration's schema.
    """

    removal_rule: str
    calibration_samples: int
    copy_noise: float
    growth: Growth = Growth.COPIES
    pooling_transfer: PoolingTransfer = PoolingTransfer.SUM

    def uses_samples(self, operation: Operation) -> bool:
        """Whether calibration samples change what an operation gives."""
        by_zeros = self.growth is Growth.ZEROS and operation.accepts_noise
        return self.removal_rule == LEAST_SQUARES or by_zeros
