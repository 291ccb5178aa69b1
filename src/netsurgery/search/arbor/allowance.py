"""Which part of a search comes next, and how long its networks train."""

from __future__ import annotations

from collections.abc import Sequence

from netsurgery.networks.topology import Topology
from netsurgery.search.account import Account
from netsurgery.search.arbor.growth import grown
from netsurgery.search.arbor.judgement import loss_of, rounds_without_gain
from netsurgery.search.arbor.plans import Allowance, FreshPlan, Part, is_cooled
from netsurgery.search.arbor.settings import MIN_CONTEST, ArborSettings, BudgetSettings
from netsurgery.search.arbor.shapes import shapes, smaller_networks
from netsurgery.search.arbor.templates import small_template_for
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Status
from netsurgery.search.winners import Winners

# the fewer parameters a network of convolutions has, the longer it goes on gaining from training
LONGEST_BESIDE = 3.0  # epochs of a smaller one for each one of the final network, at most
LONGEST_CONTEST = 0.07  # of the budget, for each network, where a contest needs more than its share


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
    if trunk.status != Status.OK:
        return Allowance(Part.END, reason="the training of the initial network failed")
    finished = [
        winner for winners in history for winner in winners.records if is_cooled(winner.step)
    ]
    if settings.target.reached_by(finished):
        return Allowance(Part.END, reason=settings.target.reason)
    topology, account = Topology.from_json(trunk.topology), Account.of(settings.budget.budget, last)
    if plans and isinstance(plans[-1], FreshPlan):
        return _after_fresh_networks(history, plans[-1], topology, account, settings)
    compares = trunk.validation_samples >= settings.budget.min_validation_samples
    if compares and _may_grow(history, topology, account, settings):
        return Allowance(Part.ROUND)
    found = list(shapes(topology, settings.limits).values())
    if compares and (contest := _contest(found, account, settings.budget)):
        return Allowance(Part.CONTEST, contest)
    if found and account.batches(found[0], account.left):
        return _final(found[0], account, settings)
    return Allowance(Part.END, (account.batches(topology, account.left),), "the budget is spent")


def _contest(
    competing: Sequence[Topology], account: Account, budget: BudgetSettings
) -> tuple[int, ...]:
    """The batches of each network of the contest; none if it does not take place."""
    wanted = account.part(budget.contest_fraction, account.total)
    if len(competing) < 2 or not wanted:
        return ()
    batches = tuple(
        max(account.batches(each, wanted), MIN_CONTEST, account.per_epoch) for each in competing
    )
    costs = list(map(account.cost, competing, batches))
    most = max(wanted, account.part(LONGEST_CONTEST, account.total))
    return batches if max(costs) <= most and sum(costs) < account.left else ()


def _final(final: Topology, account: Account, settings: ArborSettings) -> Allowance:
    """The final training, with that of smaller networks beside it."""
    found = smaller_networks(final, settings.budget.sizes, settings.limits)
    longest = LONGEST_BESIDE if small_template_for(final) else 1.0
    batches = account.together(final, list(found.values()), longest)
    return Allowance(Part.FINAL, batches, smaller=tuple(found))


def _after_fresh_networks(
    history: Sequence[Winners],
    plan: FreshPlan,
    topology: Topology,
    account: Account,
    settings: ArborSettings,
) -> Allowance:
    left = account.batches(topology, account.left)
    if history[-1].parents == history[-2].parents:
        return Allowance(Part.END, (left,), f"all networks of the {plan.part} failed")
    if plan.part is Part.CONTEST and left:
        return _final(topology, account, settings)
    return Allowance(Part.END, reason="the budget is spent")


def _may_grow(
    history: Sequence[Winners], topology: Topology, account: Account, settings: ArborSettings
) -> bool:
    """Whether another round follows: there is something to try, it gains, and is affordable."""
    rounds, budget, per_epoch = settings.rounds, settings.budget, account.per_epoch
    losses = [loss_of(winners.records[0]) for winners in history[1:]]
    if rounds_without_gain(losses, budget.min_gain) >= budget.patience:
        return False
    parts = rounds.round_batches(per_epoch), rounds.cooling_batches(per_epoch)
    costs = [
        sum(account.cost(each, batches) for batches in parts)
        for each in grown(topology, rounds.growth)
    ]
    dearest = sum(sorted(costs, reverse=True)[: rounds.candidates])
    share = account.part(budget.search_fraction, account.total)
    return bool(costs) and account.spent + dearest <= share
