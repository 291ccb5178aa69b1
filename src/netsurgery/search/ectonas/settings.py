"""The settings of ECToNAS; their defaults are those of the configuration's schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from netsurgery.search.selection import Comparison, SelectionMode
from netsurgery.search.size_limit import SizeLimits
from netsurgery.surgery import MutationSizes


@dataclass(frozen=True)
class SelectionSettings:
    """How winners are selected."""

    mode: SelectionMode
    comparison: Comparison


@dataclass(frozen=True)
class BudgetSettings:
    """The budget of a search, in epochs summed over all candidates."""

    budget: float
    budget_mode: str

    @property
    def strict(self) -> bool:
        """Whether a search never exceeds its budget."""
        return self.budget_mode == "strict"


@dataclass(frozen=True)
class GenerationSettings:
    """The settings that shape a generation."""

    round_epochs: int
    rounds: int
    parents: int
    max_growth: float
    recuperation: Mapping[str, float]
    sizes: MutationSizes
    limits: SizeLimits


@dataclass(frozen=True)
class EctonasSettings:
    """All settings of a search that ECToNAS itself reads."""

    warm_up_epochs: int
    budget: BudgetSettings
    generation: GenerationSettings
    selection: SelectionSettings

    @property
    def initial_epochs(self) -> int:
        """Epochs that the initial network trains: the warm-up, at most the budget."""
        return math.floor(min(self.warm_up_epochs, self.budget.budget))
