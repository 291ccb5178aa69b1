"""How fast a machine trains networks: figures that the first training of a search measures.

Records keep them. Whatever depends on speed, such as the precision of a candidate or what a network
costs of a budget of minutes, is a pure function of its topology and of these figures. So a search
that is killed, resumed, or continued with other cores or on another machine decides the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from netsurgery.networks.topology import Topology
from netsurgery.networks.work import work_of
from netsurgery.objectives.training_settings import BFLOAT16, FLOAT32

GAIN = 1.1  # that bfloat16 must bring: it rounds more
SCORING = "scoring"  # of the validation samples, which comes after each epoch

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Speed:
    """Seconds of the processor, or of a GPU where it trains.

    Attributes:
        figures: by precision, seconds of each kind of work (see `netsurgery.networks.work`) in
            training a batch; and, as `SCORING`, in scoring the validation samples. Precisions that
            the search does not train in are not among them.
        start: of a training step, before its first batch.
        measuring: that the measurement took.
    """

    figures: Mapping[str, Figures]
    start: float = 0.0
    measuring: float = 0.0

    def precision(self, topology: Topology) -> str:
        """The precision that a network trains in: bfloat16 if it brings enough."""
        if not {FLOAT32, BFLOAT16} <= self.figures.keys():
            return next(each for each in (FLOAT32, BFLOAT16) if each in self.figures)
        both = (self.seconds(topology, each) for each in (FLOAT32, BFLOAT16))
        return faster(*both)

    def batch(self, topology: Topology) -> float:
        """Seconds to train a network on a batch."""
        return self.seconds(topology, self.precision(topology))

    def step(self, topology: Topology, batches: int, per_epoch: int) -> float:
        """Seconds of a training step that scores the network after each epoch, and at the end.

        Args:
            topology: of the network.
            batches: that it trains.
            per_epoch: batches in an epoch.
        """
        epochs = -(-batches // per_epoch)
        return self.start + batches * self.batch(topology) + epochs * self.scoring(topology)

    def affordable(self, topology: Topology, seconds: float, per_epoch: int) -> int:
        """The batches of a training step that takes at most so many seconds (see `step`)."""
        scoring = self.scoring(topology)
        left = seconds - self.start - scoring
        return max(0, math.floor(left / (self.batch(topology) + scoring / per_epoch)))

    def scoring(self, topology: Topology) -> float:
        """Seconds to score a network on the validation samples."""
        return self.seconds(topology, SCORING)

    def seconds(self, topology: Topology, what: str) -> float:
        """Seconds of a batch in a precision, or of `SCORING`."""
        work, figures = _work(topology), self.figures[what]
        return sum(figures[kind] * work[kind] for kind in figures)

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> Speed | None:
        """Read what `asdict` gave; None where nothing is measured."""
        return None if values is None else cls(**values)


def precision_for(topology: Topology, speed: Speed | None, usual: str) -> str:
    """The precision that a network trains in: the usual one if the search measured no speed."""
    return usual if speed is None else speed.precision(topology)


_work = lru_cache(maxsize=1024)(work_of)


def faster(float32: float, bfloat16: float) -> str:
    """Bfloat16 if its seconds are less by enough, else float32."""
    return BFLOAT16 if float32 >= GAIN * bfloat16 else FLOAT32
