"""Who wins in ECToNAS: the matches of a bracket, and the generation."""

from __future__ import annotations

from collections.abc import Mapping

from netsurgery.search.ectonas.settings import SelectionSettings
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record, Status
from netsurgery.search.selection import SelectionMode, select_winner
from netsurgery.search.steps import Phase, Step
from netsurgery.search.winners import Winner, Winners, model_name
from netsurgery.storage.random_streams import random_stream


def mode_after(round_: str, mode: SelectionMode) -> SelectionMode:
    """How the winner of a round's contenders is selected.

    In phase 1 the balanced mode is greedy: candidates of one mutation type have similar sizes.
    """
    first_phase = Step.parse(round_).phase is Phase.PHASE1
    balanced = mode is SelectionMode.BALANCED
    return SelectionMode.GREEDY if first_phase and balanced else mode


def select_parents(
    plan: GenerationPlan,
    records: Mapping[str, Record],
    previous: Winners,
    settings: SelectionSettings,
    seed: int,
) -> Winners:
    """Select the next parents; if all candidates failed, the previous ones stay.

    Args:
        plan: of the generation.
        records: of all its training steps.
        previous: its own parents.
        settings: of the search.
        seed: of the search.
    """
    parents = []
    for contenders in plan.winners:
        rounds = [plan.rounds_of(step)[-1] for step in contenders]
        index = select_winner(
            [records[step] for step in contenders],
            mode_after(rounds[0], settings.mode),
            settings.comparison,
            random_stream(seed, "winner", plan.generation, *rounds),
        )
        chosen = contenders[index]
        if records[chosen].status == Status.OK:
            parents.append(Winner(records[chosen], model_name(plan.generation, chosen)))
    return previous.followed_by(parents, records.values())
