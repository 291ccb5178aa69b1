"""Which rounds of a generation one training step covers.

A candidate that meets nobody in a round is sure to train in the next one. Such rounds belong to one
training step, which is one job: it starts one process and makes its network ready once, and what
comes of it is the same to the bit. A step is named by the round that it begins with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netsurgery.search.ectonas.bracket import Feeders

# Of the rounds of a generation, the most that a step may cover: if it took all that is sure, other
# cores would have nothing to do. Found by simulating measured searches: docs/performance.md.
LARGEST_PART = 1 / 8


@dataclass(frozen=True)
class Steps:
    """The training steps of a generation: brackets whose rounds are steps."""

    rounds: dict[str, tuple[str, ...]]  # of each step, in order; the first one is its name
    feeders: dict[str, Feeders]  # the steps whose winner a step trains on; none of the newly born
    winners: tuple[Feeders, ...]  # the steps whose winners become parents


def merge_byes(
    feeders: Mapping[str, Feeders], winners: Sequence[Feeders], part: float = LARGEST_PART
) -> Steps:
    """The training steps that cover all rounds, as few as may be.

    Args:
        feeders: the rounds whose winner trains in a round; each comes before those it feeds, and
            the newly born have none.
        winners: the feeders of each overall winner.
        part: of all rounds, the most that a step may cover; one it always may.
    """
    found: dict[str, list[str]] = {}
    covers: dict[str, str] = {}  # the step of each round
    for name, before in feeders.items():
        step = covers[before[0]] if len(before) == 1 else name
        if len(found.get(step, ())) + 1 > part * len(feeders):
            step = name
        covers[name] = step
        found.setdefault(step, []).append(name)
    return Steps(
        rounds={step: tuple(names) for step, names in found.items()},
        feeders={step: tuple(covers[each] for each in feeders[step]) for step in found},
        winners=tuple(tuple(covers[each] for each in group) for group in winners),
    )


def rounds_of(plan: Mapping[str, Any], step: str) -> list[str]:
    """The rounds that a planned step covers: of the Surgeon's, which are never joined, itself."""
    return list(plan.get("rounds", {}).get(step, [step]))


def expand_rounds(plan: Mapping[str, Any]) -> tuple[dict[str, list[str]], list[list[str]]]:
    """The brackets of a planned generation, round by round.

    Returns:
        The rounds whose winner trains in a round, by round; the same for each next parent.
    """
    steps = [*plan.get("rounds", ()), *plan["slots"]]
    ends = {step: rounds_of(plan, step)[-1] for step in steps}
    feeders = {}
    for step in ends:
        before = [ends.get(feeder, feeder) for feeder in plan["slots"].get(step, ())]
        for name in rounds_of(plan, step):
            feeders[name] = before
            before = [name]
    return feeders, [[ends[step] for step in group] for group in plan["winners"]]
