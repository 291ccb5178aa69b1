"""The settings of the Surgeon; their defaults are those of the configuration's schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from netsurgery.search.selection import Comparison
from netsurgery.search.size_limit import SizeLimits
from netsurgery.search.surgeon.analysis import LayerScore, Thresholds
from netsurgery.search.surgeon.recommendation import DrawSettings, TieBreak
from netsurgery.search.target import Target
from netsurgery.surgery.settings import SurgerySettings


class DecisionMode(StrEnum):
    """How the modifications of a try are found."""

    RECOMMENDED = "recommended"
    RANDOM = "random"  # a random walk: one modification, accepted whatever comes of it


class OnNoImprovement(StrEnum):
    """What goes on when no try reaches the accuracy of the best branch before."""

    KEEP_BEST = "keep_best"
    BACKTRACK = "backtrack"


@dataclass(frozen=True)
class AnalysisSettings:
    """The settings that say what has to be known of a branch before a decision."""

    thresholds: Thresholds
    layer_score: LayerScore
    explained_variance: float
    tie_break: TieBreak
    surgery: SurgerySettings

    @property
    def needs_samples(self) -> bool:
        """Whether the weights alone do not suffice."""
        return self.layer_score is LayerScore.ACTIVATIONS or self.tie_break is TieBreak.BIC


@dataclass(frozen=True)
class DecisionSettings:
    """The settings that shape a decision point."""

    mode: DecisionMode
    branches: int
    max_redraws: int
    recuperation_batches: int
    recuperation_factors: Mapping[str, int]
    thresholds: Thresholds
    draw: DrawSettings
    tie_break: TieBreak
    on_no_improvement: OnNoImprovement
    limits: SizeLimits
    size_weight: float = 1.0

    def recuperation(self, operation: str, step: int, per_epoch: int) -> int:
        """Batches of re-training after an operation: at most the step, and at most an epoch."""
        wanted = self.recuperation_batches * self.recuperation_factors[operation]
        return min(wanted, per_epoch, step)


@dataclass(frozen=True)
class StoppingSettings:
    """The settings that end a search. No decision point knows them, so they may change later."""

    epochs: int
    warm_up_epochs: int
    decision_epochs: int
    early_stopping: Mapping[str, int]
    target: Target
    budget: float | str | None = None  # epochs, or a time

    def epochs_left(self, decided: int) -> int:
        """Epochs of the schedule that follow a number of decision points."""
        return self.epochs - self.warm_up_epochs - decided * self.decision_epochs


@dataclass(frozen=True)
class SurgeonSettings:
    """All settings of a search that the Surgeon itself reads."""

    analysis: AnalysisSettings
    decision: DecisionSettings
    stopping: StoppingSettings
    comparison: Comparison

    @property
    def initial_epochs(self) -> int:
        """Epochs that the initial network trains: the warm-up, at most all of them or the budget.

        How many epochs a time gives is measured in the first training.
        """
        stopping = self.stopping
        limits = [stopping.warm_up_epochs, stopping.epochs]
        if stopping.budget is not None and not isinstance(stopping.budget, str):
            limits.append(math.floor(stopping.budget))
        return min(limits)
