"""The settings of ECToNAS; their defaults are those of the configuration's schema."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from netsurgery.objectives.checks import Place, SettingError
from netsurgery.objectives.suggestions import suggest
from netsurgery.search.selection import Comparison, SelectionMode
from netsurgery.search.size_limit import SizeLimits
from netsurgery.search.target import NO_TARGET, Target
from netsurgery.surgery import ECTONAS, OPERATIONS, MutationSizes, Operation
from netsurgery.surgery.operations import IDENTITY

PAPER = "ectonas"  # stands for the nine operations of the paper
NAMES = (PAPER, *(operation.name for operation in OPERATIONS))


@dataclass(frozen=True)
class SelectionSettings:
    """How winners are selected."""

    mode: SelectionMode
    comparison: Comparison


@dataclass(frozen=True)
class BudgetSettings:
    """When a search ends: its budget in epochs over all candidates, or a time; target; patience."""

    budget: float | str
    budget_mode: str
    target: Target = NO_TARGET
    early_stopping: Mapping[str, int] = field(default_factory=dict)

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
    operations: Sequence[str] = (PAPER,)

    @property
    def chosen_operations(self) -> tuple[Operation, ...]:
        """The operations that offspring are made by, in the order of the registry."""
        own = {IDENTITY.name, *self.operations}
        of_paper = ECTONAS if PAPER in own else ()
        return tuple(each for each in OPERATIONS if each.name in own or each in of_paper)

    def recuperation_epochs(self, operation: Operation) -> float:
        """The training right after an operation, in epochs."""
        return self.recuperation.get(operation.name, operation.recuperation_epochs)


@dataclass(frozen=True)
class EctonasSettings:
    """All settings of a search that ECToNAS itself reads."""

    warm_up_epochs: int
    budget: BudgetSettings
    generation: GenerationSettings
    selection: SelectionSettings

    @property
    def initial_epochs(self) -> int:
        """Epochs that the initial network trains: the warm-up, at most the budget.

        How many epochs a time gives is measured in the first training.
        """
        if isinstance(self.budget.budget, str):
            return self.warm_up_epochs
        return math.floor(min(self.warm_up_epochs, self.budget.budget))


def check_operations(settings: Mapping[str, Any]) -> None:
    """Check the names of operations in the settings of a search.

    Raises:
        SettingError: There is no such operation.
    """
    for i, name in enumerate(settings.get("operations", ())):
        _check_name(name, NAMES, ("operations", i))
    for name in settings.get("recuperation", ()):
        _check_name(name, NAMES[1:], ("recuperation", name))


def _check_name(name: str, known: Sequence[str], where: Place) -> None:
    if name not in known:
        raise SettingError(where, f"unknown operation {name!r}{suggest(name, known)}")
