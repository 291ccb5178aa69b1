"""How far a Surgeon search may go: whether another decision point, or another try, follows.

Costs are in batches.
"""

from __future__ import annotations

from collections.abc import Sequence

from netsurgery.search.records import Status
from netsurgery.search.surgeon import stopping
from netsurgery.search.surgeon.branches import accuracy, topology_of
from netsurgery.search.surgeon.decision_point import TrainedTry
from netsurgery.search.surgeon.plans import Allowance, Continue, Stop
from netsurgery.search.surgeon.recommendation import DrawMode
from netsurgery.search.surgeon.settings import (
    DecisionMode,
    DecisionSettings,
    StoppingSettings,
    SurgeonSettings,
)
from netsurgery.search.winners import Winners
from netsurgery.storage.fractions import floor_product
from netsurgery.surgery import operations


def allow_try(
    history: Sequence[Winners], tries: Sequence[TrainedTry], settings: SurgeonSettings
) -> Allowance:
    """Whether another try follows: the first one of a decision point, or a re-draw.

    Args:
        history: the branches after the initial training and after every decision point.
        tries: that the decision point has had.
        settings: of the search.
    """
    decision, stopping_settings = settings.decision, settings.stopping
    if not tries:
        return next_decision(history, decision, stopping_settings)
    spent = history[-1].batches_spent + sum(each.batches_spent for each in tries)
    step, per_epoch = tries[0].plan.step_batches, history[-1].batches_per_epoch
    return may_redraw(spent, step, per_epoch, decision, stopping_settings)


def max_cost(first: bool, step: int, per_epoch: int, settings: DecisionSettings) -> int:
    """The maximum cost of a try, whatever is recommended."""
    if settings.mode is DecisionMode.RANDOM:
        return step
    of = {
        operation: settings.recuperation(operation, step, per_epoch)
        for operation in settings.recuperation_factors
    }
    identity = of.pop(operations.IDENTITY.name)
    most = max(identity, *of.values())
    if settings.draw.selection is DrawMode.BY_TYPE:
        batches = [identity] * (settings.branches if first else 0) + list(of.values())
    else:
        batches = [most] * settings.draw.top_k
    batches = sorted(batches + [most] * settings.draw.add_random_candidate)
    # what is re-trained and chosen counts into the step
    return sum(batches[settings.branches :]) + settings.branches * step


def batches_left(history: Sequence[Winners], settings: StoppingSettings) -> int:
    """The batches that schedule and budget leave for the winner after the last decision point.

    Args:
        history: the branches after the initial training and after every decision point.
        settings: of the search.
    """
    last = history[-1]
    left = settings.epochs_left(len(history) - 1) * last.batches_per_epoch
    if settings.budget is not None:
        budget = floor_product(settings.budget, last.batches_per_epoch)
        left = min(left, budget - last.batches_spent)
    return max(0, left)


def next_decision(
    history: Sequence[Winners], settings: DecisionSettings, stopping_settings: StoppingSettings
) -> Allowance:
    """Whether another decision point follows.

    Args:
        history: the branches after the initial training and after every decision point.
        settings: of the search.
        stopping_settings: of the search.
    """
    ending, last = stopping_settings, history[-1]
    per_epoch = last.batches_per_epoch
    if any(record.status != Status.OK for record in last.records):
        return Stop(0, "the training of the initial network failed")
    best = [max(branches.records, key=accuracy) for branches in history]
    accuracies = [accuracy(record) for record in best]
    left = ending.epochs_left(len(history) - 1) * per_epoch
    if left <= 0:
        return Stop(0, f"{ending.epochs} epochs are trained")
    if ending.target_accuracy is not None and accuracies[-1] >= ending.target_accuracy:
        return Stop(0, f"the accuracy of {ending.target_accuracy} is reached")
    states = [stopping.state_of(topology_of(record)) for record in best]
    if reason := stopping.reason_to_stop(accuracies, states, ending.early_stopping):
        return Stop(0, reason)
    step = min(left, ending.decision_epochs * per_epoch)
    if ending.budget is not None:
        rest = floor_product(ending.budget, per_epoch) - last.batches_spent
        if max_cost(True, step, per_epoch, settings) > rest:
            further = batches_left(history, ending)
            return Stop(further, "the budget may not suffice for another decision point")
    return Continue(step)


def may_redraw(
    spent: int,
    step: int,
    per_epoch: int,
    settings: DecisionSettings,
    stopping_settings: StoppingSettings,
) -> Allowance:
    """Whether the budget suffices for another try of a decision point.

    Args:
        spent: batches trained so far over all candidates.
        step: batches to the next decision point.
        per_epoch: batches in an epoch.
        settings: of the search.
        stopping_settings: of the search.
    """
    if stopping_settings.budget is None:
        return Continue(step)
    left = floor_product(stopping_settings.budget, per_epoch) - spent
    if max_cost(False, step, per_epoch, settings) <= left:
        return Continue(step)
    return Stop(0, "the budget may not suffice for another try")
