"""What a generation may cost, and the largest one that costs no more. Costs are in batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsurgery.networks.topology import Topology
from netsurgery.objectives.step_rates import Along
from netsurgery.search.account import Account
from netsurgery.search.ectonas.generation import (
    GenerationDesign,
    by_operation,
    changes_something,
    cost,
    draw_brackets,
    propose_offspring,
)
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.ectonas.settings import (
    BudgetSettings,
    EctonasSettings,
    GenerationSettings,
)
from netsurgery.search.ectonas.stopping import reason_to_stop
from netsurgery.search.plans import Offspring
from netsurgery.search.records import Status
from netsurgery.search.times import is_time
from netsurgery.search.winners import Winners
from netsurgery.storage.random_streams import random_stream


def allow_generation(
    history: Sequence[Winners], settings: EctonasSettings, seed: int
) -> GenerationBudget:
    """What the next generation may cost: nothing where early stopping ends the search.

    Args:
        history: the parents after the initial training and after every generation.
        settings: of the search.
        seed: of the search.
    """
    last, budget = history[-1], settings.budget
    allowed = generation_budget(last, len(history), budget, settings.generation, seed)
    parents = [winners.records for winners in history]
    reason = reason_to_stop(parents, settings.selection, budget.early_stopping)
    if reason is None or allowed.reached:
        return allowed
    return GenerationBudget(0, reached=tuple(last.candidates), reason=reason)


def generation_budget(
    winners: Winners,
    generation: int,
    budget: BudgetSettings,
    settings: GenerationSettings,
    seed: int,
) -> GenerationBudget:
    """What the next generation may cost; nothing if the training of the initial network failed.

    Nothing either where a parent reaches the target.

    A search that is not strict starts a generation as long as any budget is left. Where no mutation
    is allowed any more, there is no generation that could run in full.

    Args:
        winners: of the last generation.
        generation: the number of the next one.
        budget: of the search.
        settings: of the search.
        seed: of the search.
    """
    if any(parent.status != Status.OK for parent in winners.records):
        return GenerationBudget(0)
    if reached := budget.target.reached_by(winners.records):
        return GenerationBudget(0, reached=reached, reason=budget.target.reason)
    left, start = left_in_batches(winners, budget)
    offspring, _ = propose_offspring(winners.records, generation, settings, seed)
    if not changes_something(offspring):
        return GenerationBudget(max(0, left), start)
    if not budget.strict:
        return GenerationBudget(None if left > 0 else 0)
    design = draw_brackets(offspring, generation, settings.round_epochs, settings, seed)
    enough = cost(design, winners.batches_per_epoch, start) <= left
    return GenerationBudget() if enough else GenerationBudget(max(0, left), start)


def left_in_batches(winners: Winners, budget: BudgetSettings) -> tuple[int, int]:
    """What is left of the budget, in batches of networks such as the parents.

    Returns:
        The batches, and those that the start of each training step costs as well.
    """
    topologies = [Topology.from_json(record.topology) for record in winners.records]
    return Account.of(budget.budget, winners).in_batches(topologies)


def step_rates(winners: Winners, budget: BudgetSettings, *, last: bool = False) -> Along:
    """The learning rates after some generations: the schedule runs over the search's budget.

    How long a lineage becomes is unknown while it trains, but what the search has spent is known.
    All candidates of a generation compete at the same rate, that of its beginning.

    Args:
        winners: of the last generation.
        budget: of the search.
        last: whether the last training follows, in which the rate goes on along the schedule.
    """
    if is_time(budget.budget):
        left, _ = left_in_batches(winners, budget)
        epochs = (winners.batches_spent + max(0, left)) / winners.batches_per_epoch
    else:
        epochs = float(budget.budget)
    return Along(epochs, winners.batches_spent, hold=not last)


def _thin_out(offspring: Sequence[Offspring], rng: np.random.Generator) -> list[Offspring]:
    """One offspring less, drawn from the mutation types that have most; identities stay."""
    found = by_operation(offspring)
    pools = {k: v for k, v in found.items() if not k.changes_nothing}
    largest = max(len(pool) for pool in pools.values())
    droppable = [child for pool in pools.values() if len(pool) == largest for child in pool]
    dropped = droppable[rng.integers(len(droppable))]
    return [child for child in offspring if child is not dropped]


def shrink_to_budget(
    offspring: Sequence[Offspring],
    generation: int,
    budget: GenerationBudget,
    batches_per_epoch: int,
    settings: GenerationSettings,
    seed: int,
) -> GenerationDesign | None:
    """Design the largest generation within a budget, which is limited.

    Epochs per round are cut first, down to 1; then offspring, evenly over the mutation types except
    the identity. None if the batches do not suffice for a single mutation, or there is none.
    """
    if not changes_something(offspring):
        return None
    assert budget.batches is not None
    batches, start = budget.batches, budget.start
    for epochs in range(settings.round_epochs, 0, -1):
        design = draw_brackets(offspring, generation, epochs, settings, seed)
        if cost(design, batches_per_epoch, start) <= batches:
            return design
    rng = random_stream(seed, "thin out", generation)
    left = list(offspring)
    while len(by_operation(left)) > 1:
        design = draw_brackets(left, generation, 1, settings, seed)
        if cost(design, batches_per_epoch, start) <= batches:
            return design
        left = _thin_out(left, rng)
    return None
