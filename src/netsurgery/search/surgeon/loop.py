"""The whole Surgeon in one function: analyse the branches, try modifications, judge them."""

from __future__ import annotations

from netsurgery.search.plans import FinalPlan
from netsurgery.search.records import Record
from netsurgery.search.selection import SelectionMode, select_contender
from netsurgery.search.steps import FINAL
from netsurgery.search.surgeon.allowance import allow_try, batches_left
from netsurgery.search.surgeon.branches import analyse_branches, next_branches
from netsurgery.search.surgeon.decision_point import TrainedTry, plan_next, plan_training
from netsurgery.search.surgeon.plans import DecisionPlan, TryPlan
from netsurgery.search.surgeon.settings import SurgeonSettings
from netsurgery.search.surgeon.verdict import merge_tries
from netsurgery.search.trainer import Trainer, final_training, initial_training
from netsurgery.search.winners import Winners


def search(trainer: Trainer, settings: SurgeonSettings, seed: int) -> Record:
    """Run a whole search.

    The workflow runs the same functions, each in a job of its own.

    Args:
        trainer: trains the networks.
        settings: of the search.
        seed: of the search.

    Returns:
        The record of the final candidate.
    """
    comparison, epochs = settings.comparison, settings.initial_epochs
    start = trainer.train(initial_training(epochs, trainer.batches_per_epoch))
    history, decisions = [Winners.first(start)], list[DecisionPlan]()
    while True:
        branches, tries = history[-1], list[TrainedTry]()
        analyses = analyse_branches(branches, trainer, settings.analysis, seed)
        while True:
            allowance = allow_try(history, tries, settings)
            plan = plan_next(
                branches, decisions, tries, analyses, allowance, settings.decision, seed
            )
            if not isinstance(plan, TryPlan):
                break
            records: dict[str, Record] = {}
            for step in plan.steps:
                records[step] = trainer.train(plan_training(plan, step, records, comparison))
            tries.append(TrainedTry(plan, records))
        if isinstance(plan, FinalPlan):
            break
        decisions.append(merge_tries([each.plan for each in tries], plan))
        trained = {step: record for each in tries for step, record in each.records.items()}
        history.append(next_branches(decisions[-1], trained, branches))
    mode = SelectionMode.SURGEON_SCORE
    competing = [branches.record_of(parent.candidate) for parent in plan.parents]
    index = select_contender(competing, mode, comparison, seed, FINAL)
    batches = plan.remaining_batches
    if batches is None:
        batches = batches_left(history, settings.stopping)
    return trainer.train(final_training(plan, plan.parents[index].model, batches))
