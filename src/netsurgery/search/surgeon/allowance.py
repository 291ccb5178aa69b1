"""How far a Surgeon search may go: whether another decision point, or another try, follows.

Costs are in batches.
"""

from __future__ import annotations

from collections.abc import Sequence

from netsurgery.search.account import Account
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
    records = [record for each in tries for record in each.records.values()]
    now = history[-1].followed_by((), records)
    return may_redraw(now, tries[0].plan.step_batches, decision, stopping_settings)


def max_cost(
    first: bool, step: int, per_epoch: int, settings: DecisionSettings, start: int = 0
) -> int:
    """The maximum cost of a try, whatever is recommended.

    Args:
        first: whether it is the first one of a decision point.
        step: batches to the next decision point.
        per_epoch: batches in an epoch.
        settings: of the search.
        start: batches that the start of each training step costs as well.
    """
    if settings.mode is DecisionMode.RANDOM:
        return step + 2 * start
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
    trained = sum(batches[settings.branches :]) + settings.branches * step
    return trained + start * (len(batches) + settings.branches)


def batches_left(history: Sequence[Winners], settings: StoppingSettings) -> int:
    """The batches that schedule and budget leave for the winner after the last decision point.

    Args:
        history: the branches after the initial training and after every decision point.
        settings: of the search.
    """
    last = history[-1]
    left = settings.epochs_left(len(history) - 1) * last.batches_per_epoch
    if settings.budget is not None:
        batches, start = left_of_budget(last, settings.budget)
        left = min(left, batches - start)
    return max(0, left)


def left_of_budget(branches: Winners, budget: float | str) -> tuple[int, int]:
    """What is left of the budget, in batches of networks such as the branches.

    Returns:
        The batches, and those that the start of each training step costs as well.
    """
    return Account.of(budget, branches).in_batches(list(map(topology_of, branches.records)))


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
    if reached := ending.target.reached_by(last.records):
        return Stop(0, ending.target.reason, reached)
    states = [stopping.state_of(topology_of(record)) for record in best]
    if reason := stopping.reason_to_stop(accuracies, states, ending.early_stopping):
        return Stop(0, reason)
    step = min(left, ending.decision_epochs * per_epoch)
    if ending.budget is not None:
        rest, start = left_of_budget(last, ending.budget)
        if max_cost(True, step, per_epoch, settings, start) > rest:
            further = batches_left(history, ending)
            return Stop(further, "the budget may not suffice for another decision point")
    return Continue(step)


def may_redraw(
    branches: Winners,
    step: int,
    settings: DecisionSettings,
    stopping_settings: StoppingSettings,
) -> Allowance:
    """Whether the budget suffices for another try of a decision point.

    Args:
        branches: the last ones, with all that was spent so far.
        step: batches to the next decision point.
        settings: of the search.
        stopping_settings: of the search.
    """
    if stopping_settings.budget is None:
        return Continue(step)
    left, start = left_of_budget(branches, stopping_settings.budget)
    if max_cost(False, step, branches.batches_per_epoch, settings, start) <= left:
        return Continue(step)
    return Stop(0, "the budget may not suffice for another try")
