"""Which training steps of a generation are to go first: those with most work behind them.

The last match of a generation cannot begin before all that lead to it have ended, and while it is
trained nothing else is left to do. How long steps take is estimated from their topologies: it
settles the order of jobs, never what comes of them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from statistics import fmean
from typing import Any

from netsurgery.networks.layers import Conv, Dense
from netsurgery.networks.network import Topology
from netsurgery.search.ectonas.generation import mutation_of, recuperation_of
from netsurgery.search.ectonas.steps import rounds_of
from netsurgery.search.records import Record
from netsurgery.surgery.mutations import mutate_topology

# Seconds on one core, from the records of whole searches (docs/performance.md). Convolutions of few
# channels take as long as their images are large.
START = 0.25  # of a step, beside its batches
BATCH = 3e-4  # of a batch, whatever its network
MULTIPLICATION = 32 * 3.5e-11  # of each that a sample needs, in a batch of 32
NUMBER = 32 * 5.8e-9  # of each that a convolution reads or gives

HIGHEST = 999  # the rank of what goes first


def seconds_of_batch(topology: Topology) -> float:
    """About what it takes to train on 32 samples."""
    multiplications = numbers = 0
    for layer, (before, after) in zip(topology.layers, pairwise(topology.shapes), strict=True):
        if isinstance(layer, Dense):
            multiplications += before[-1] * after[-1]
        elif isinstance(layer, Conv):
            multiplications += layer.kernel**2 * before[-1] * math.prod(after)
            numbers += math.prod(before) + math.prod(after)
    return BATCH + multiplications * MULTIPLICATION + numbers * NUMBER


def critical_path_seconds(
    plan: Mapping[str, Any], parents: Mapping[str, Record]
) -> dict[str, float]:
    """About how many seconds each training step and the longest chain behind it take.

    Who wins a match is not known: a mean of those that may stands for the winner.

    Args:
        plan: of a generation.
        parents: of its offspring, by candidate.
    """
    some, *_ = parents.values()
    round_ = plan["round_epochs"] * some.batches_per_epoch
    speeds, batches = {}, {}
    for child in plan["offspring"]:
        topology = Topology.from_json(parents[child["parent"]].topology)
        step, born = (
            recuperation_of(child["candidate"]),
            mutate_topology(topology, mutation_of(child)),
        )
        speeds[step], batches[step] = seconds_of_batch(born), child["batches"]
    for step, feeders in plan["slots"].items():
        speeds[step], batches[step] = fmean(speeds[each] for each in feeders), round_
    found: dict[str, float] = {}
    behind: dict[str, float] = defaultdict(float)
    for step, speed in reversed(speeds.items()):
        further = round_ * (len(rounds_of(plan, step)) - 1)
        found[step] = START + speed * (batches[step] + further) + behind[step]
        for feeder in plan["slots"].get(step, ()):
            behind[feeder] = max(behind[feeder], found[step])
    return found


def ranks(plan: Mapping[str, Any], parents: Mapping[str, Record]) -> dict[str, int]:
    """Of each training step from 0 to `FIRST`; the higher is to go first.

    Args:
        plan: of a generation.
        parents: of its offspring, by candidate.
    """
    found = critical_path_seconds(plan, parents)
    longest = max(found.values())
    return {step: round(HIGHEST * seconds / longest) for step, seconds in found.items()}
