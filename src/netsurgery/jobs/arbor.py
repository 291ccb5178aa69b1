"""Commands of Arbor: what comes next, and the plan of a generation. No TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsurgery.search.algorithms import read_generation
from netsurgery.search.arbor import allowance as allowances
from netsurgery.search.arbor import planning
from netsurgery.search.arbor.plans import Allowance
from netsurgery.search.arbor.settings import ArborSettings, RoundSettings
from netsurgery.search.first_look import Look
from netsurgery.search.layout import SearchFolder
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.files import read_json
from netsurgery.storage.settings import from_settings


def read_looks(path: Path) -> list[Look]:
    """Read what a first look found."""
    return [Look.from_json(each) for each in read_json(path)["growths"]]


def allowance(folder: SearchFolder, generation: int, settings: dict[str, Any]) -> Allowance:
    """Decide what a generation is: all that its plan knows of the budget."""
    history = [folder.read_winners(number) for number in range(generation)]
    plans = [read_generation(folder.plan(number)) for number in range(1, generation)]
    return allowances.allowance(history, plans, from_settings(ArborSettings, settings))


def plan_arbor(
    folder: SearchFolder,
    generation: int,
    settings: dict[str, Any],
    allowed: Allowance,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Write the plan of a generation, or the final plan."""
    inputs = [folder.winners(number) for number in range(generation)]
    inputs.append(folder.first_look(generation))
    looks = read_looks(folder.first_look(generation))
    history = [folder.read_winners(number) for number in range(generation)]
    chosen = from_settings(RoundSettings, settings)
    plan = planning.plan_generation(history, looks, allowed, chosen)
    for stray in folder.strays(plan):
        stray.unlink()
    dependencies.with_inputs(inputs).write(folder.plan(generation), plan.to_json())
