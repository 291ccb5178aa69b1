"""Priorities of training steps: the step with the longest critical path goes first.

The last match of a generation starts only after all matches before it, and nothing else is left to
do while it trains. Durations are estimated from topologies. They determine the order of jobs, never
their results.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from statistics import fmean

from netsurgery.networks.costs import multiplications
from netsurgery.networks.topology import Topology
from netsurgery.search.ectonas.plans import BracketPlan
from netsurgery.search.records import Record
from netsurgery.search.steps import recuperation_step
from netsurgery.surgery import mutate_topology

# Seconds on one core, from the records of whole searches (docs/performance.md). Convolutions of few
# channels take time in proportion to the size of their images.
START = 0.25  # of a step, without its batches
BATCH = 3e-4  # of a batch, with any network
MULTIPLICATION = 32 * 3.5e-11  # of each multiplication per sample, in a batch of 32
NUMBER = 32 * 5.8e-9  # of each number that a convolution reads or writes

HIGHEST = 999  # the rank of the step that goes first


def seconds_of_batch(topology: Topology) -> float:
    """Estimate the seconds to train on 32 samples."""
    numbers = 0
    sizes = zip(topology.layers, topology.input_shapes, topology.output_shapes, strict=True)
    for layer, before, after in sizes:
        if len(before) > 1 and layer.multiplications(before):
            numbers += math.prod(before) + math.prod(after)
    return BATCH + multiplications(topology) * MULTIPLICATION + numbers * NUMBER


def critical_path_seconds(plan: BracketPlan, parents: Mapping[str, Record]) -> dict[str, float]:
    """Estimate the seconds of each training step and of the longest chain that starts with it.

    The winner of a match is not known yet: the mean over its contenders stands for it.

    Args:
        plan: of a generation.
        parents: of its offspring, by candidate.
    """
    some, *_ = parents.values()
    round_batches = plan.round_epochs * some.batches_per_epoch
    speeds, batches = {}, {}
    for child in plan.offspring:
        topology = Topology.from_json(parents[child.parent].topology)
        step = recuperation_step(child.candidate)
        speeds[step] = seconds_of_batch(mutate_topology(topology, child.mutation))
        batches[step] = child.batches
    for step, contenders in plan.contenders.items():
        speeds[step], batches[step] = fmean(speeds[each] for each in contenders), round_batches
    found: dict[str, float] = {}
    behind: dict[str, float] = defaultdict(float)
    for step, speed in reversed(speeds.items()):
        further = round_batches * (len(plan.rounds_of(step)) - 1)
        found[step] = START + speed * (batches[step] + further) + behind[step]
        for contender in plan.contenders.get(step, ()):
            behind[contender] = max(behind[contender], found[step])
    return found


def ranks(plan: BracketPlan, parents: Mapping[str, Record]) -> dict[str, int]:
    """The priority of each training step, from 0 to `HIGHEST`, which goes first.

    Args:
        plan: of a generation.
        parents: of its offspring, by candidate.
    """
    found = critical_path_seconds(plan, parents)
    longest = max(found.values())
    return {step: round(HIGHEST * seconds / longest) for step, seconds in found.items()}
