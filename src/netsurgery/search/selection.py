"""Selection among trained candidates: who wins a match, and who is the final candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from netsurgery.search.records import Record, Status
from netsurgery.search.scores import (
    ectonas_fitness,
    rank_by_fitness,
    rank_by_surgeon_score,
    surgeon_score,
)
from netsurgery.storage.random_streams import random_stream


class SelectionMode(StrEnum):
    """How a winner is selected."""

    GREEDY = "greedy"  # by score
    BALANCED = "balanced"  # by score and size (ECToNAS eq. 2)
    RANDOM = "random"  # drawn among those that did not fail
    SURGEON_SCORE = "surgeon_score"  # by the Surgeon's score (eq. 16)


@dataclass(frozen=True)
class Comparison:
    """What candidates are compared by.

    `objective` is the validation metric that scores are means of over the last `score_window`
    epochs; `greediness` is alpha in the balanced mode, `size_weight` that of size in the Surgeon's
    score.
    """

    objective: str
    greediness: float
    score_window: int
    size_weight: float = 1.0


def select_winner(
    records: Sequence[Record],
    mode: SelectionMode,
    comparison: Comparison,
    rng: np.random.Generator,
) -> int:
    """Return the index of the record that wins a match.

    Args:
        records: of the contenders.
        mode: how the winner is selected.
        comparison: what they are compared by.
        rng: draws the winner in random mode.
    """
    if mode is SelectionMode.RANDOM:
        intact = [i for i, record in enumerate(records) if record.status == Status.OK]
        return int(rng.choice(intact or range(len(records))))
    window = comparison.score_window
    if mode is SelectionMode.SURGEON_SCORE:
        return rank_by_surgeon_score(records, window, comparison.size_weight)[0]
    greediness = comparison.greediness if mode is SelectionMode.BALANCED else 1.0
    return rank_by_fitness(records, comparison.objective, greediness, window)[0]


def is_at_least_as_good(
    after: Record, before: Record, mode: SelectionMode, comparison: Comparison
) -> bool:
    """Whether further training left a candidate at least as good, by the score of a mode.

    In random mode, which has no score of its own, by the objective. A candidate that failed is not.

    Args:
        after: its record after the training.
        before: its record before it.
        mode: how candidates are compared.
        comparison: what they are compared by.
    """
    if after.status != Status.OK:
        return False
    if mode is SelectionMode.SURGEON_SCORE:
        weight = comparison.size_weight
        return surgeon_score(after, weight) >= surgeon_score(before, weight)
    greediness = comparison.greediness if mode is SelectionMode.BALANCED else 1.0
    new, old = (ectonas_fitness(each, comparison.objective, greediness) for each in (after, before))
    return new >= old


def select_contender(
    records: Sequence[Record],
    mode: SelectionMode,
    comparison: Comparison,
    seed: int,
    step: str,
) -> int:
    """Return the index of the contender that a training step trains.

    Args:
        records: of the contenders.
        mode: how the winner is selected.
        comparison: what they are compared by.
        seed: of the search.
        step: the name of the training step.
    """
    candidates = (record.candidate for record in records)
    rng = random_stream(seed, "winner", step, *candidates)
    return select_winner(records, mode, comparison, rng)
