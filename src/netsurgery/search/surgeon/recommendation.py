"""What the Surgeon's recommendation module says of a network (Surgeon, section 3.2).

Singular values tell how many units of a layer carry information (eq. 13); that share scores every
possible modification. Equal scores go by the number of parameters, all that is left of the BIC
between networks that compute nearly the same (eq. 15).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network, Topology
from netsurgery.surgery import Mutation, mutate_topology, operations, why_illegal

SMALLEST_ADDITION, SMALLEST_PART, TENFOLD = 2, 10, 10  # max(2, n // 10) units, or ten times that


class TieBreak(StrEnum):
    """Which of two modifications with equal scores comes first."""

    FEWER = "fewer_parameters"
    MORE = "more_parameters"


class DrawMode(StrEnum):
    """Which of the recommendations a try takes."""

    BY_TYPE = "by_type"  # the best of each mutation type
    TOP = "top"  # the best of all


@dataclass(frozen=True)
class Thresholds:
    """Below which singular values count as none (eq. 13)."""

    relative_threshold: float  # eps1: relative to the layer's largest singular value
    absolute_threshold: float  # eps2


@dataclass(frozen=True)
class Analysis:
    """A dense layer's weights in a few numbers.

    `position` is the layer's, `inputs` and `units` the shape of its kernel, `singular_values` those
    of the kernel, min(inputs, units) of them, falling.
    """

    position: int
    inputs: int
    units: int
    singular_values: tuple[float, ...]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Analysis:
        """From plain values, as `dataclasses.asdict` gives them."""
        return cls(**(dict(values) | {"singular_values": tuple(values["singular_values"])}))

    def limit(self, thresholds: Thresholds) -> float:
        """What a singular value must reach to count."""
        return max(
            thresholds.relative_threshold * self.singular_values[0], thresholds.absolute_threshold
        )

    def removable(self, thresholds: Thresholds) -> int:
        """Units that may go: n_r of eq. 13."""
        return sum(value < self.limit(thresholds) for value in self.singular_values)


@dataclass(frozen=True)
class Recommendation:
    """A modification that a branch allows, with both criteria.

    `branch` is the index into the decision point's branches; `layer` the number of the hidden layer
    it is judged by, from 1, None for the identity; `score` the first criterion, 0 to 1;
    `parameters` the second one, of the network that it gives.
    """

    branch: int
    layer: int | None
    mutation: Mutation
    score: float
    parameters: int


def analyse(network: Network) -> list[Analysis]:
    """The singular values of every dense layer, the output layer's included."""
    found = []
    for position in network.topology.positions(Dense):
        kernel = network.weights[position][0].astype(np.float64)
        values = np.linalg.svd(kernel, compute_uv=False)
        # six figures: more would be the linear algebra library's own
        rounded = tuple(float(f"{value:.6g}") for value in values)
        inputs, units = kernel.shape
        found.append(Analysis(position, inputs, units, rounded))
    return found


def hidden_layers(topology: Topology) -> list[int]:
    """Positions of the dense layers that another one reads: all but the output layer."""
    return [i for i in topology.positions(Dense) if topology.consumer(i) is not None]


def modifications(
    topology: Topology, analysis: Sequence[Analysis], thresholds: Thresholds
) -> Iterator[tuple[int | None, Mutation, float]]:
    """Every modification by layer, with the layer's number and the score of section 3.2.

    The identity scores 1, so that it is always among the best. An added layer stands behind the
    layer that it is judged by, as wide as that. A truncated layer keeps the singular values that
    count. The only hidden layer is not removed: there would be nothing left to recommend.
    """
    yield None, Mutation(operations.IDENTITY), 1.0
    hidden, known = hidden_layers(topology), {layer.position: layer for layer in analysis}
    for number, position in enumerate(hidden, start=1):
        layer, consumer = known[position], topology.consumer(position)
        units, removable = layer.units, layer.removable(thresholds)
        part, depth = removable / units, number / len(hidden)
        addition = max(SMALLEST_ADDITION, units // SMALLEST_PART)
        for more in (addition, TENFOLD * addition):
            yield number, Mutation(operations.ADD_UNITS, position, units + more), 1 - part
        yield number, Mutation(operations.ADD_DENSE, consumer, units), (1 - part) * depth
        left = units - min(max(removable, 1), units - 1)
        yield number, Mutation(operations.REMOVE_UNITS, position, left), part
        if len(hidden) > 1:
            score = 1.0 if removable == units else part * depth
            yield number, Mutation(operations.REMOVE_DENSE, position), score
        full = len(layer.singular_values)
        rank = min(max(full - removable, 1), full - 1)
        yield number, Mutation(operations.TRUNCATE, position, rank), part


def recommend(
    branches: Sequence[tuple[Topology, Sequence[Analysis]]],
    thresholds: Thresholds,
    tie_break: TieBreak,
    max_parameters: int,
) -> list[Recommendation]:
    """All modifications of all branches that are possible, the best first.

    Args:
        branches: topology and analysis of each.
        thresholds: of eq. 13.
        tie_break: which of equal scores comes first.
        max_parameters: modifications that give so many or more are left out.
    """
    found = [
        Recommendation(
            branch, number, mutation, score, mutate_topology(topology, mutation).parameters
        )
        for branch, (topology, analysis) in enumerate(branches)
        for number, mutation, score in modifications(topology, analysis, thresholds)
        if why_illegal(topology, mutation) is None
    ]
    sign = 1 if tie_break is TieBreak.FEWER else -1
    fitting = [
        each
        for each in found
        if each.mutation.operation.changes_nothing or each.parameters < max_parameters
    ]
    return sorted(fitting, key=lambda each: (-each.score, sign * each.parameters))


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
    """The modifications of a try, and whether each was drawn at random.

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
