"""The registry of algorithms: a new one is a package of its own and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netsurgery.search.algorithm import Algorithm
from netsurgery.search.arbor.algorithm import Arbor
from netsurgery.search.baseline import Baseline
from netsurgery.search.ectonas.algorithm import Ectonas
from netsurgery.search.plans import FinalPlan, GenerationPlan
from netsurgery.search.surgeon.algorithm import Surgeon
from netsurgery.storage.files import read_json

ALGORITHMS: Mapping[str, Algorithm] = {
    algorithm.name: algorithm for algorithm in (Arbor(), Ectonas(), Surgeon(), Baseline())
}
Plan = GenerationPlan | FinalPlan


def algorithm_of(settings: Mapping[str, Any]) -> Algorithm:
    """The algorithm of a search, from its settings."""
    return ALGORITHMS[settings["algorithm"]]


def planned_by(plan: GenerationPlan) -> Algorithm:
    """The algorithm that made a plan."""
    return next(each for each in ALGORITHMS.values() if isinstance(plan, each.plans))


def read_plan(path: Path) -> Plan:
    """Read the plan of a generation, or the final one: its `kind` says which class it is of."""
    values = read_json(path)
    kinds: dict[str, type[Plan]] = {FinalPlan.kind: FinalPlan}
    for algorithm in ALGORITHMS.values():
        kinds |= {plan.kind: plan for plan in algorithm.plans}
    return kinds[values["kind"]].from_json(values)


def read_generation(path: Path) -> GenerationPlan:
    """Read the plan of a generation."""
    plan = read_plan(path)
    assert isinstance(plan, GenerationPlan)
    return plan
