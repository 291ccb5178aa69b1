"""What is left of a search's budget, and what networks cost of it.

A budget in epochs counts batches, of which all cost the same but those of smaller networks that
train beside the final one. A budget of time counts seconds of
the processor by the speed of the machine (`netsurgery.search.speed`), so that small networks cost
less than large ones. These are predicted seconds: what really passed differs from one run to the
next.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from netsurgery.networks.costs import multiplications
from netsurgery.networks.topology import Topology
from netsurgery.search.speed import Speed
from netsurgery.search.times import is_time, seconds_of
from netsurgery.search.winners import Winners
from netsurgery.storage.fractions import floor_product

MOST_BESIDE = 0.35  # of what the final network costs, where a smaller one trains longer than it


def epoch_cost(smaller: Topology, final: Topology) -> float:
    """Epochs of a budget that an epoch of a smaller network counts as, beside the final one."""
    return min(1.0, multiplications(smaller) / max(1, multiplications(final)))


@dataclass(frozen=True)
class Account:
    """The budget of a search after some generations.

    Attributes:
        total: batches, or seconds.
        spent: so far.
        per_epoch: batches in an epoch.
        speed: of the machine; None if batches count.
    """

    total: float
    spent: float
    per_epoch: int
    speed: Speed | None = None

    @classmethod
    def of(cls, budget: float | str, winners: Winners) -> Account:
        """The account of a budget, in epochs or a time, after some generations."""
        per_epoch = winners.batches_per_epoch
        if not is_time(budget):
            return cls(floor_product(float(budget), per_epoch), winners.batches_spent, per_epoch)
        assert winners.speed, "the first training measures the speed for a budget of time"
        return cls(seconds_of(str(budget)), winners.seconds_spent, per_epoch, winners.speed)

    @property
    def left(self) -> float:
        """What is left; at least 0."""
        return max(0, self.total - self.spent)

    def part(self, fraction: float, amount: float) -> float:
        """A part of an amount; whole batches."""
        return floor_product(fraction, int(amount)) if self.speed is None else fraction * amount

    def cost(self, topology: Topology, batches: int) -> float:
        """What a training step costs."""
        if self.speed is None:
            return batches
        return self.speed.step(topology, batches, self.per_epoch)

    def batches(self, topology: Topology, amount: float) -> int:
        """The batches of a training step that an amount suffices for."""
        if self.speed is None:
            return int(amount)
        return self.speed.affordable(topology, amount, self.per_epoch)

    def together(
        self, final: Topology, smaller: Sequence[Topology], longest: float
    ) -> tuple[int, ...]:
        """The batches of the final network and of smaller ones beside it, with what is left.

        Args:
            final: the network that trains to the end.
            smaller: the others. They train for more epochs than it while that costs little.
            longest: the most epochs of a smaller network for each one of the final network.
        """
        costs = [self._cost_beside(each, final) for each in smaller]
        epochs = [min(max(1.0, MOST_BESIDE / cost), longest) for cost in costs]
        if self.speed is None:
            spent = sum(cost * each for cost, each in zip(costs, epochs, strict=True))
            return _times(int(self.left / (1 + spent)), epochs)

        def too_long(batches: int) -> bool:
            pairs = zip((final, *smaller), _times(batches, epochs), strict=True)
            return math.fsum(self.cost(*pair) for pair in pairs) > self.left

        most = self.batches(final, self.left)
        return _times(bisect_left(range(1, most + 1), True, key=too_long), epochs)

    def _cost_beside(self, smaller: Topology, final: Topology) -> float:
        """What a batch of a smaller network costs, as a part of what one of the final one costs."""
        if self.speed is None:
            return epoch_cost(smaller, final)
        return self.speed.batch(smaller) / self.speed.batch(final)

    def in_batches(self, topologies: Sequence[Topology]) -> tuple[int, int]:
        """What is left in batches at the mean cost of some networks; it may be negative.

        Returns:
            The batches that are left, and those that the start of each step costs as well.
        """
        left = self.total - self.spent
        if self.speed is None:
            return int(left), 0
        scoring = fmean(map(self.speed.scoring, topologies))
        each = fmean(map(self.speed.batch, topologies)) + scoring / self.per_epoch
        return math.floor(left / each), math.ceil((self.speed.start + scoring) / each)


def _times(batches: int, epochs: Sequence[float]) -> tuple[int, ...]:
    """The batches of a network, and of others that train for so many times as many epochs."""
    return (batches, *(int(batches * each) for each in epochs))
