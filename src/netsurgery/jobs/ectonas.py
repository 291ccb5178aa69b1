"""Commands of ECToNAS: what a generation may cost, and its plan. No TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from netsurgery.search.ectonas import planning
from netsurgery.search.ectonas.budget import allow_generation
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.ectonas.settings import EctonasSettings, GenerationSettings
from netsurgery.search.layout import SearchFolder
from netsurgery.search.winners import read_winners
from netsurgery.storage.dependencies import NO_DEPENDENCIES, Dependencies
from netsurgery.storage.settings import from_settings


def generation_budget(
    folder: SearchFolder, generation: int, settings: dict[str, Any], seed: int
) -> GenerationBudget:
    """Compute what a generation may cost."""
    history = [folder.read_winners(number) for number in range(generation)]
    return allow_generation(history, from_settings(EctonasSettings, settings), seed)


def plan_generation(
    winners: Path,
    generation: int,
    settings: dict[str, Any],
    seed: int,
    budget: GenerationBudget,
    output: Path,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> None:
    """Write the plan of a generation, and remove files that an earlier plan of it left."""
    plan = planning.plan_generation(
        read_winners(winners),
        generation,
        budget,
        from_settings(GenerationSettings, settings),
        seed,
    )
    for stray in SearchFolder(output.parent.parent).strays(plan):
        stray.unlink()
    dependencies.with_inputs([winners]).write(output, plan.to_json())
