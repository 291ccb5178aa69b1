"""The settings of surgery during a search."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_SQUARES = "least_squares"  # the removal rule that needs calibration samples


@dataclass(frozen=True)
class SurgerySettings:
    """How the weights of an offspring follow from those of its parent.

    The defaults and the meaning of each key are those of the configuration's schema.
    """

    removal_rule: str
    calibration_samples: int
    copy_noise: float
