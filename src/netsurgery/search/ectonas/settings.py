"""The settings of ECToNAS that decide who wins, and how long a search goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SelectionSettings:
    """What candidates are compared by (see `netsurgery.search.scores.winner`)."""

    objective: str
    mode: str
    greediness: float
    score_window: int


@dataclass(frozen=True)
class BudgetSettings:
    """The budget of a search, in epochs summed over all candidates."""

    budget: float
    budget_mode: str

    @property
    def strict(self) -> bool:
        """Whether a search never exceeds its budget."""
        return self.budget_mode == "strict"
