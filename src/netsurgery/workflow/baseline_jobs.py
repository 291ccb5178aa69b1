"""The jobs of a baseline: its first training is its last, so it plans nothing."""

from __future__ import annotations

from collections.abc import Iterator

from netsurgery.search.algorithms import Plan
from netsurgery.search.plans import TrainingPlan
from netsurgery.workflow.search_jobs import Files, SearchJobs


class BaselineJobs(SearchJobs):
    """The jobs of a baseline with one seed."""

    def plan(self, generation: int) -> Plan:
        """Refuse.

        Raises:
            LookupError: Always.
        """
        raise LookupError("a baseline has no plans")

    def plans(self) -> Iterator[Plan]:
        """Yield nothing."""
        yield from ()

    def plan_with(self, generation: int, candidate: str) -> tuple[TrainingPlan, str]:
        """Refuse.

        Raises:
            LookupError: Always.
        """
        raise LookupError("a baseline has no offspring")

    def tracked_generations(self, plans: list[Plan]) -> Files:
        """List nothing: a baseline is logged once, when it is finished."""
        return []
