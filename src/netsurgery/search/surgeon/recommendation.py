"""The Surgeon's recommendation module: scores for all modifications of a network (section 3.2).

The singular values of a layer tell how many of its units carry information (eq. 13); their share
scores every possible modification. The number of parameters breaks ties: it is all that remains of
the BIC between networks that compute nearly the same (eq. 15); or the BIC itself does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from netsurgery.networks.topology import Topology
from netsurgery.search.size_limit import SizeLimits, why_too_large
from netsurgery.search.surgeon.analysis import Analysis, Thresholds, hidden_layers
from netsurgery.search.surgeon.criterion import SELF, key_of
from netsurgery.surgery import Mutation, mutate_topology, operations, why_illegal

SMALLEST_ADDITION, SMALLEST_PART, TENFOLD = 2, 10, 10  # max(2, n // 10) units, or ten times that


class TieBreak(StrEnum):
    """Which of two modifications with equal scores comes first."""

    FEWER = "fewer_parameters"
    MORE = "more_parameters"
    BIC = "bic"  # the lower one (see `netsurgery.search.surgeon.criterion`)


class DrawMode(StrEnum):
    """Which of the recommendations a try takes."""

    BY_TYPE = "by_type"  # the best of each mutation type
    TOP = "top"  # the best of all


@dataclass(frozen=True)
class Recommendation:
    """A possible modification of a branch, with both criteria.

    Attributes:
        branch: index of the branch in the decision point.
        layer: number of the hidden layer that it is scored by, from 1; None for the identity.
        mutation: what to do.
        score: the first criterion, from 0 to 1.
        parameters: of the modified network, the second criterion.
        bic: of the modified network, if the search computes it.
    """

    branch: int
    layer: int | None
    mutation: Mutation
    score: float
    parameters: int
    bic: float | None = None


def modifications(
    topology: Topology, analysis: Sequence[Analysis], thresholds: Thresholds
) -> Iterator[tuple[int | None, Mutation, float]]:
    """Yield each modification with the number of its layer and its score (section 3.2).

    The identity scores 1, so that it is always among the best. An added layer follows the layer
    that it is scored by and has the same width. A truncated layer keeps the singular values that
    count. The only hidden layer is never removed, because nothing could be recommended afterwards.
    """
    yield None, Mutation(operations.IDENTITY), 1.0
    hidden, by_position = hidden_layers(topology), {layer.position: layer for layer in analysis}
    for number, position in enumerate(hidden, start=1):
        layer, consumer = by_position[position], topology.consumer(position)
        place = topology.places[position]
        units, removable = layer.units, layer.removable(thresholds)
        share, depth = layer.share(thresholds), number / len(hidden)
        addition = max(SMALLEST_ADDITION, units // SMALLEST_PART)
        for more in (addition, TENFOLD * addition):
            yield number, Mutation(operations.ADD_UNITS, place, units + more), 1 - share
        if consumer is not None:
            before = topology.places[consumer]
            yield number, Mutation(operations.ADD_DENSE, before, units), (1 - share) * depth
        left = units - min(max(removable, 1), units - 1)
        yield number, Mutation(operations.REMOVE_UNITS, place, left), share
        if len(hidden) > 1:
            score = 1.0 if share == 1 else share * depth
            yield number, Mutation(operations.REMOVE_DENSE, place), score
        full = len(layer.singular_values)
        rank = min(max(full - layer.below(thresholds), 1), full - 1)
        yield number, Mutation(operations.TRUNCATE, place, rank), share


def recommend(
    branches: Sequence[tuple[Topology, Sequence[Analysis]]],
    thresholds: Thresholds,
    tie_break: TieBreak,
    limits: SizeLimits,
) -> list[Recommendation]:
    """List all possible modifications of all branches, the best first.

    Args:
        branches: topology and analysis of each.
        thresholds: of eq. 13.
        tie_break: which of two equal scores comes first.
        limits: on the size of the modified networks.
    """
    fitting = []
    for branch, (topology, analysis) in enumerate(branches):
        criteria = {
            (layer.position, key): bic for layer in analysis for key, bic in layer.bic.items()
        }
        hidden = hidden_layers(topology)
        for number, mutation, score in modifications(topology, analysis, thresholds):
            if why_illegal(topology, mutation) is not None:
                continue
            made = mutate_topology(topology, mutation)
            if mutation.operation.changes_nothing or not why_too_large(made, topology, limits):
                scored_by = hidden[number - 1] if number else analysis[-1].position
                bic = criteria.get((scored_by, key_of(mutation) if number else SELF))
                fitting.append(
                    Recommendation(branch, number, mutation, score, made.parameters, bic)
                )

    def second(each: Recommendation) -> float:
        if tie_break is TieBreak.BIC:
            assert each.bic is not None
            return each.bic
        return each.parameters if tie_break is TieBreak.FEWER else -each.parameters

    return sorted(fitting, key=lambda each: (-each.score, second(each)))


@dataclass(frozen=True)
class DrawSettings:
    """How a try takes candidates from the recommendations.

    Selection `by_type` takes the best of each mutation type over all branches and, in the first
    try of a decision point, the identity of each branch; `top` takes the `top_k` best overall.
    `add_random_candidate` adds one more, drawn at random.
    """

    selection: DrawMode
    top_k: int
    add_random_candidate: bool


def draw(
    untried: Sequence[Recommendation], first: bool, settings: DrawSettings, rng: np.random.Generator
) -> list[tuple[Recommendation, bool]]:
    """Draw the modifications of a try; each comes with whether it was drawn at random.

    Args:
        untried: recommendations not tried yet, the best first.
        first: whether this is the decision point's first try.
        settings: of the search.
        rng: draws the random candidate.
    """
    if settings.selection is DrawMode.BY_TYPE:
        chosen, types = [], set()
        for each in untried:
            operation = each.mutation.operation
            if operation.changes_nothing:
                if first:
                    chosen.append(each)
            elif operation not in types:
                types.add(operation)
                chosen.append(each)
    else:
        chosen = list(untried[: settings.top_k])
    left = [
        each
        for each in untried
        if each not in chosen and not each.mutation.operation.changes_nothing
    ]
    add_random = settings.add_random_candidate and left
    extra = [left[rng.integers(len(left))]] if add_random else []
    return [(each, False) for each in chosen] + [(each, True) for each in extra]
