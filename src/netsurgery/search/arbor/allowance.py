"""Which part of a search comes next, and how long its networks train. Counts are in batches."""

from __future__ import annotations

from collections.abc import Sequence

from netsurgery.networks.topology import Topology
from netsurgery.search.arbor.growth import growths
from netsurgery.search.arbor.judgement import loss_of, rounds_without_gain
from netsurgery.search.arbor.plans import Allowance, FreshPlan, Part
from netsurgery.search.arbor.settings import ArborSettings, BudgetSettings
from netsurgery.search.arbor.shapes import shapes
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Status
from netsurgery.search.winners import Winners


def allowance(
    history: Sequence[Winners], plans: Sequence[GenerationPlan], settings: ArborSettings
) -> Allowance:
    """Decide what comes next.

    Args:
        history: the trunk after the initial training and after every generation.
        plans: of all generations.
        settings: of the search.
    """
    last = history[-1]
    (trunk,) = last.records
    per_epoch, budget = last.batches_per_epoch, settings.budget
    left = max(0, budget.batches(per_epoch) - last.batches_spent)
    if trunk.status != Status.OK:
        return Allowance(Part.END, 0, "the training of the initial network failed")
    if plans and isinstance(plans[-1], FreshPlan):
        return _after_fresh_networks(history, plans[-1], left, budget)
    if _may_grow(history, settings):
        return Allowance(Part.ROUND)
    count = len(shapes(Topology.from_json(trunk.topology), settings.limits))
    contest = budget.contest_batches(per_epoch)
    if count > 1 and contest and left > count * contest:
        return Allowance(Part.CONTEST, contest)
    if count and left:
        return _final(left, budget)
    return Allowance(Part.END, left, "the budget is spent")


def _final(left: int, budget: BudgetSettings) -> Allowance:
    """The final training, with that of smaller networks."""
    each = budget.smaller_batches(left)
    smaller = tuple((size, each) for size in sorted(budget.sizes) if each)
    return Allowance(Part.FINAL, left - len(smaller) * each, smaller=smaller)


def _after_fresh_networks(
    history: Sequence[Winners], plan: FreshPlan, left: int, budget: BudgetSettings
) -> Allowance:
    if history[-1].parents == history[-2].parents:
        return Allowance(Part.END, left, f"all networks of the {plan.part} failed")
    if plan.part is Part.CONTEST and left:
        return _final(left, budget)
    return Allowance(Part.END, 0, "the budget is spent")


def _may_grow(history: Sequence[Winners], settings: ArborSettings) -> bool:
    """Whether another round follows: there is something to try, it gains, and is affordable."""
    last, per_epoch = history[-1], history[-1].batches_per_epoch
    rounds, budget = settings.rounds, settings.budget
    losses = [loss_of(winners.records[0]) for winners in history[1:]]
    if rounds_without_gain(losses, budget.min_gain) >= budget.patience:
        return False
    found = growths(Topology.from_json(last.records[0].topology), rounds.growth)
    each = rounds.round_batches(per_epoch) + rounds.cooling_batches(per_epoch)
    cost = min(len(found), rounds.candidates) * each
    return bool(found) and last.batches_spent + cost <= budget.search_batches(per_epoch)
