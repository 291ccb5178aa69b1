"""The judgement of cooled networks: who wins, and how much was gained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from netsurgery.search.arbor.plans import FreshPlan
from netsurgery.search.plans import FinalPlan, GenerationPlan
from netsurgery.search.records import Record, Status
from netsurgery.search.selection import Comparison, SelectionMode, select_contender
from netsurgery.search.steps import FINAL, Step, recuperation_step
from netsurgery.search.winners import Winner, Winners, model_name

CHANCE = 0.02  # of the lowest loss of a contest: less is no difference between networks
MUCH = 0.4  # of a loss: less is no difference with few validation samples
FEW = 100  # validation samples


def loss_of(record: Record) -> float:
    """The validation loss after the last epoch; infinite for a failed network."""
    loss = record.history[-1].get("val_loss") if record.history else None
    return math.inf if record.status != Status.OK or loss is None else loss


def best(records: Sequence[Record], price: float) -> int:
    """The index of the best of some cooled networks; of equal ones the first.

    The lowest validation loss wins, with a price for multiplications: a network with e times (2.7
    times) as many must have a loss that is lower by `price` times the lowest loss of all.

    Args:
        records: of the networks, at least one.
        price: of multiplications.
    """
    losses = list(map(loss_of, records))
    scale = price * abs(min(losses))

    def cost(index: int) -> float:
        if not math.isfinite(losses[index]):
            return math.inf
        return losses[index] + scale * math.log(max(1, records[index].costs.multiplications))

    return min(range(len(records)), key=cost)


def winner_of_contest(records: Sequence[Record]) -> int:
    """The index of the first network with nearly the lowest validation loss.

    The longer a network trains, the more it gains from its depth: multiplications have no price.

    Args:
        records: of the networks, those with fewer layers first, at least one.
    """
    losses = list(map(loss_of, records))
    most = min(losses) + CHANCE * abs(min(losses))
    return next(index for index, loss in enumerate(losses) if loss <= most)


def next_trunk(
    plan: GenerationPlan, records: Mapping[str, Record], previous: Winners, price: float
) -> Winners:
    """The winner of a generation; if all its networks failed, the one before.

    The winner of a round is judged by its cooled network, but goes on from the weights before the
    rate fell: the record is that of the former, the model that of the latter.

    Args:
        plan: of the generation.
        records: of all its training steps.
        previous: the trunk that it started from.
        price: of multiplications, in rounds.
    """
    (steps,) = plan.winners
    fresh, trained = isinstance(plan, FreshPlan), [records[step] for step in steps]
    winner = steps[winner_of_contest(trained) if fresh else best(trained, price)]
    if records[winner].status != Status.OK:
        return previous.followed_by((), records.values())
    goes_on = winner if fresh else recuperation_step(Step.parse(winner).candidate)
    trunk = Winner(records[winner], model_name(plan.generation, goes_on))
    return previous.followed_by([trunk], records.values())


def finalists(history: Sequence[Winners]) -> list[Winner]:
    """The last winner of a generation, and those before it with a clearly lower validation loss.

    A large network may fit its samples so closely that one that trained for less is better.

    Args:
        history: the trunk after the initial training and after every generation.
    """
    found: dict[str, Winner] = {}
    for winners in reversed(history):
        for winner in winners.parents:
            record = winner.record
            model = model_name(record.generation, record.step)
            found.setdefault(record.candidate, Winner(record, model))
    last, *earlier = found.values()
    return [last, *(each for each in earlier if is_clearly_better(each.record, last.record))]


def is_clearly_better(record: Record, than: Record) -> bool:
    """Whether a validation loss is lower by more than chance.

    By chance losses differ the less, the more validation samples there are: by the square root.
    """
    loss, other = loss_of(record), loss_of(than)
    if not math.isfinite(other):
        return math.isfinite(loss)
    part = MUCH * math.sqrt(FEW / max(FEW, than.validation_samples))
    return other - loss > part * abs(other)


def select_finalist(
    plan: FinalPlan, history: Sequence[Winners], comparison: Comparison, seed: int
) -> str:
    """The model file of the finalist with the best score.

    Args:
        plan: that names the finalists.
        history: the trunk after the initial training and after every generation.
        comparison: what they are compared by.
        seed: of the search.
    """
    records = {each.record.candidate: each.record for each in finalists(history)}
    competing = [records[parent.candidate] for parent in plan.parents]
    index = select_contender(competing, SelectionMode.GREEDY, comparison, seed, FINAL)
    return plan.parents[index].model


def rounds_without_gain(losses: Sequence[float], min_gain: float) -> int:
    """How many of the last rounds gained less than a part of the best loss before them.

    Args:
        losses: of the winners of all rounds, cooled, in order.
        min_gain: the part.
    """
    count = 0
    for i in range(len(losses) - 1, 0, -1):
        before = min(losses[:i])
        if before - losses[i] >= min_gain * abs(before):
            break
        count += 1
    return count
