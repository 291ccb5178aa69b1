"""The whole of ECToNAS in one function: plan a generation, train it, select its winners."""

from __future__ import annotations

from netsurgery.search.ectonas.budget import allow_generation, step_rates
from netsurgery.search.ectonas.planning import plan_generation, plan_training
from netsurgery.search.ectonas.selection import select_parents
from netsurgery.search.ectonas.settings import EctonasSettings
from netsurgery.search.plans import FinalPlan
from netsurgery.search.records import Record
from netsurgery.search.selection import select_contender
from netsurgery.search.steps import FINAL
from netsurgery.search.trainer import Trainer, final_training, initial_training
from netsurgery.search.winners import Winners


def search(trainer: Trainer, settings: EctonasSettings, seed: int) -> Record:
    """Run a whole search.

    The workflow runs the same functions, each in a job of its own.

    Args:
        trainer: trains the networks.
        settings: of the search.
        seed: of the search.

    Returns:
        The record of the final candidate.
    """
    per_epoch = trainer.batches_per_epoch
    generation_settings, selection = settings.generation, settings.selection
    start = trainer.train(initial_training(settings.initial_epochs, per_epoch))
    history = [Winners.first(start)]
    while True:
        winners, generation = history[-1], len(history)
        budget = allow_generation(history, settings, seed)
        plan = plan_generation(winners, generation, budget, generation_settings, seed)
        if isinstance(plan, FinalPlan):
            break
        records: dict[str, Record] = {}
        rates = step_rates(winners, settings.budget)
        for step in plan.steps:
            training = plan_training(plan, step, records, selection, seed, per_epoch, rates)
            records[step] = trainer.train(training)
        history.append(select_parents(plan, records, winners, selection, seed))
    competing = [winners.record_of(parent.candidate) for parent in plan.parents]
    index = select_contender(competing, selection.mode, selection.comparison, seed, FINAL)
    rates = step_rates(winners, settings.budget, last=True)
    return trainer.train(final_training(plan, plan.parents[index].model, rates=rates))
