"""The settings of Arbor; their defaults are those of the configuration's schema."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netsurgery.objectives.checks import SettingError
from netsurgery.objectives.suggestions import suggest
from netsurgery.search.selection import Comparison
from netsurgery.search.size_limit import SizeLimits
from netsurgery.search.target import Target
from netsurgery.storage.fractions import floor_product
from netsurgery.surgery import OPERATIONS, Operation

GROWTHS = tuple(
    operation
    for operation in OPERATIONS
    if operation.name
    in ("add_units", "add_channels", "add_residual_block", "add_bottleneck_block", "add_cell")
)


# with momentum 0.9 a rate takes effect over some ten batches, so that it cannot fall in fewer
MIN_BATCHES = 40  # of a candidate at the full rate, and while it falls
WARM_UP_PARTS = 5  # of the budget, of which the warm-up takes one at most
MIN_CONTEST = 150  # batches over a whole schedule
MAX_PARAMETERS = 100_000  # default of the schema


@dataclass(frozen=True)
class GrowthSettings:
    """What the candidates of a round are."""

    operations: Sequence[str]
    width_factor: float
    limits: SizeLimits

    @property
    def chosen_operations(self) -> tuple[Operation, ...]:
        """The operations that candidates are made by, in the order of the registry."""
        return tuple(each for each in GROWTHS if each.name in self.operations)


@dataclass(frozen=True)
class RoundSettings:
    """The settings that shape a round."""

    candidates: int
    round_epochs: float
    cooling_epochs: float
    growth: GrowthSettings

    def round_batches(self, per_epoch: int) -> int:
        """Batches that a candidate trains at the full rate."""
        return max(MIN_BATCHES, floor_product(self.round_epochs, per_epoch))

    def cooling_batches(self, per_epoch: int) -> int:
        """Batches in which the rate then falls."""
        return max(MIN_BATCHES, floor_product(self.cooling_epochs, per_epoch))


@dataclass(frozen=True)
class JudgementSettings:
    """What cooled networks are compared by (see `netsurgery.search.arbor.judgement`)."""

    price: float


@dataclass(frozen=True)
class BudgetSettings:
    """How the budget of a search is divided. No plan knows it, so that it may change later."""

    budget: float | str  # epochs, or a time
    warm_up_epochs: int
    search_fraction: float
    contest_fraction: float
    min_validation_samples: int
    min_gain: float
    patience: int
    sizes: Sequence[int] | str

    @property
    def initial_epochs(self) -> int:
        """Epochs that the initial network trains: the warm-up, at most a fifth of the budget.

        How many epochs a time gives is measured in the first training.
        """
        if isinstance(self.budget, str):
            return self.warm_up_epochs
        return max(1, min(self.warm_up_epochs, math.floor(self.budget / WARM_UP_PARTS)))


@dataclass(frozen=True)
class ArborSettings:
    """All settings of a search that Arbor itself reads."""

    budget: BudgetSettings
    rounds: RoundSettings
    judgement: JudgementSettings
    comparison: Comparison
    target: Target
    round_learning_rate: float

    @property
    def limits(self) -> SizeLimits:
        """The limits on the size of networks."""
        return self.rounds.growth.limits


def check_sizes(settings: Mapping[str, Any]) -> None:
    """Check the sizes of smaller networks in the settings of a search.

    Raises:
        SettingError: one is not smaller than the final network.
    """
    sizes, limit = settings.get("sizes", ()), settings.get("max_parameters", MAX_PARAMETERS)
    for i, size in enumerate(() if isinstance(sizes, str) else sizes):
        if size >= limit:
            message = f"{size} is not less than max_parameters, {limit}"
            raise SettingError(("sizes", i), message)


def check_operations(settings: Mapping[str, Any]) -> None:
    """Check the names of operations in the settings of a search.

    Raises:
        SettingError: an operation is none that grows a network exactly.
    """
    known = [operation.name for operation in GROWTHS]
    for i, name in enumerate(settings.get("operations", ())):
        if name not in known:
            message = f"{name!r} is no growth of Arbor{suggest(name, known)}"
            raise SettingError(("operations", i), message)
