"""The first look: which growths of a network promise most, before any of them trains.

A growth keeps the network's output, so that it cannot be judged by its loss. The gradient of the
loss by its new weights says how fast training would change them; its norm, of each candidate at the
same samples, ranks them. How well it does is measured in docs/methods/arbor.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from netsurgery.surgery import Mutation


@dataclass(frozen=True)
class Look:
    """What the first look says of a growth.

    Attributes:
        mutation: the growth.
        parameters: of the network that it gives.
        multiplications: of that network, for one sample.
        gradient: the norm of the loss's gradient by the new weights; None if it is not finite.
    """

    mutation: Mutation
    parameters: int
    multiplications: int
    gradient: float | None

    def promise(self, multiplications: int) -> float:
        """The gradient, divided by the factor by which the multiplications grow; -1 without one.

        Args:
            multiplications: of the network that grows.
        """
        if self.gradient is None:
            return -1.0
        return self.gradient * multiplications / self.multiplications

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "mutation": self.mutation.to_json(),
            "parameters": self.parameters,
            "multiplications": self.multiplications,
            "gradient": self.gradient,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Look:
        """Read what `to_json` gave."""
        return cls(**(dict(values) | {"mutation": Mutation.from_json(values["mutation"])}))


def most_promising(looks: Sequence[Look], multiplications: int, count: int) -> list[Look]:
    """The growths that train: the most promising of each operation, then the next of each.

    Gradients of different operations do not compare: those of a new layer, which all samples pass
    through, are several times as large as those of new channels that gain as much.

    Args:
        looks: at all its growths.
        multiplications: of the network that grows.
        count: how many train.
    """
    finite = [look for look in looks if look.gradient is not None]
    ranked = sorted(finite, key=lambda look: -look.promise(multiplications))
    of_each: defaultdict[str, list[Look]] = defaultdict(list)
    for look in ranked:
        of_each[look.mutation.operation.name].append(look)
    turns = zip_longest(*of_each.values())
    return [look for turn in turns for look in turn if look is not None][:count]
