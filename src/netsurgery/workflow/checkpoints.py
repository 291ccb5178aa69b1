"""Plans as input functions read them: Snakemake waits for a plan that is not there yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from netsurgery.search.algorithms import Plan, read_plan
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import FinalPlan
from netsurgery.search.surgeon.plans import TryPlan, Verdict, read_try

# A rule's wildcards: attributes with the text that each stands for. Which ones there are depends
# on the rule.
Wildcards = Any


@dataclass(frozen=True)
class Checkpoints:
    """Gives the plans that jobs depend on.

    Args:
        generation_plan: Returns the file of a generation's plan, by the rule that writes it, the
            search, the seed and the generation.
        try_plan: The same for a try of the Surgeon, by search, seed, generation and attempt.
        incomplete: The exception that both raise for a plan that is still to be written. It has to
            reach Snakemake, which then calls the input function again once the plan is there.
    """

    generation_plan: Callable[[str, str, int, int], str]
    try_plan: Callable[[str, int, int, int], str]
    incomplete: type[Exception]

    def read_generation(self, rule: str, search: str, seed: int, generation: int) -> Plan:
        """Return the plan of a generation, or the final plan in its place."""
        path = Path(self.generation_plan(rule, search, seed, generation))
        return _read_plan(path, path.stat().st_mtime_ns)

    def read_try(
        self, search: str, seed: int, generation: int, attempt: int
    ) -> TryPlan | Verdict | FinalPlan:
        """Return the plan of a try, the verdict on all tries, or the final plan."""
        path = Path(self.try_plan(search, seed, generation, attempt))
        return _read_try(path, path.stat().st_mtime_ns)


# Snakemake asks again after every plan of any search, so each version of a file is read once
@cache
def _read_plan(path: Path, modified: int) -> Plan:
    return read_plan(path)


@cache
def _read_try(path: Path, modified: int) -> TryPlan | Verdict | FinalPlan:
    return read_try(path)


class MissingPlanError(LookupError):
    """A plan is not there."""


def existing_plans(results: Path) -> Checkpoints:
    """Return the plans that a results folder has, for which nobody waits.

    Reading one that is not there raises `MissingPlanError`.
    """

    def existing(path: Path) -> str:
        if not path.exists():
            raise MissingPlanError(str(path))
        return str(path)

    def generation_plan(rule: str, search: str, seed: int, generation: int) -> str:
        return existing(SearchFolder(results / search / f"seed{seed}").plan(generation))

    def try_plan(search: str, seed: int, generation: int, attempt: int) -> str:
        folder = SearchFolder(results / search / f"seed{seed}")
        return existing(folder.try_plan(generation, attempt))

    return Checkpoints(generation_plan, try_plan, MissingPlanError)
