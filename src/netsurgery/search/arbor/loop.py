"""The whole of Arbor in one function: look at growths, train the best, then train its shape."""

from __future__ import annotations

from dataclasses import replace

from netsurgery.search.arbor.allowance import allowance
from netsurgery.search.arbor.growth import possible_growths
from netsurgery.search.arbor.judgement import next_trunk, select_finalist
from netsurgery.search.arbor.planning import (
    falling_rates,
    plan_generation,
    plan_training,
    warm_up_rates,
)
from netsurgery.search.arbor.settings import ArborSettings
from netsurgery.search.plans import FinalPlan, GenerationPlan
from netsurgery.search.records import Record
from netsurgery.search.trainer import Trainer, final_training, initial_training
from netsurgery.search.winners import Winners


def search(trainer: Trainer, settings: ArborSettings, seed: int) -> Record:
    """Run a whole search.

    The workflow runs the same functions, each in a job of its own.

    Args:
        trainer: trains the networks.
        settings: of the search.
        seed: of the search.

    Returns:
        The record of the final candidate.
    """
    per_epoch, rate = trainer.batches_per_epoch, settings.round_learning_rate
    start = initial_training(settings.budget.initial_epochs, per_epoch)
    history = [Winners.first(trainer.train(replace(start, rates=warm_up_rates(rate))))]
    plans: list[GenerationPlan] = []
    while True:
        trunk, allowed = history[-1], allowance(history, plans, settings)
        found = possible_growths(trunk, allowed, settings.rounds.growth)
        looks = trainer.look(trunk.models[0], found) if found else []
        plan = plan_generation(history, looks, allowed, settings.rounds)
        if isinstance(plan, FinalPlan):
            break
        records: dict[str, Record] = {}
        for step in plan.steps:
            records[step] = trainer.train(plan_training(plan, step, records, rate, per_epoch))
        history.append(next_trunk(plan, records, trunk, settings.judgement.price))
        plans.append(plan)
    best = select_finalist(plan, history, settings.comparison, seed)
    return trainer.train(final_training(plan, best, rates=falling_rates(rate)))
