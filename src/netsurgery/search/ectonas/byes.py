"""Which rounds of a generation one training step covers.

A candidate without an opponent (a bye) is certain to train in the next round. Both rounds are one
training step, which is one job: it starts one process and builds its network once, and the result
is the same to the bit. A step is named by its first round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netsurgery.search.ectonas.plans import BracketPlan
from netsurgery.search.plans import Contenders

# The largest share of a generation's rounds in one step: if steps were longer, other cores would
# have nothing to do. Found by simulating measured searches: docs/performance.md.
LARGEST_SHARE = 1 / 8


@dataclass(frozen=True)
class TrainingSteps:
    """The training steps of a generation, each of one or more rounds.

    `rounds` has the rounds of each step in order, `contenders` the steps whose winner it trains
    (none for offspring), `winners` the contenders of each next parent.
    """

    rounds: dict[str, tuple[str, ...]]
    contenders: dict[str, Contenders]
    winners: tuple[Contenders, ...]


def merge_byes(
    contenders: Mapping[str, Contenders],
    winners: Sequence[Contenders],
    share: float = LARGEST_SHARE,
) -> TrainingSteps:
    """Cover all rounds with as few training steps as possible.

    Args:
        contenders: the rounds whose winner trains in a round, none for offspring; each round
            follows its contenders.
        winners: the contenders of each next parent.
        share: the largest share of all rounds in one step, which always has one.
    """
    found: dict[str, list[str]] = {}
    covers: dict[str, str] = {}  # the step of each round
    for name, before in contenders.items():
        step = covers[before[0]] if len(before) == 1 else name
        if len(found.get(step, ())) + 1 > share * len(contenders):
            step = name
        covers[name] = step
        found.setdefault(step, []).append(name)
    return TrainingSteps(
        rounds={step: tuple(names) for step, names in found.items()},
        contenders={step: tuple(covers[each] for each in contenders[step]) for step in found},
        winners=tuple(tuple(covers[each] for each in group) for group in winners),
    )


def expand_rounds(plan: BracketPlan) -> tuple[dict[str, Contenders], list[Contenders]]:
    """The brackets of a planned generation, round by round.

    Returns:
        The rounds whose winner trains in a round, by round; the same for each next parent.
    """
    last = {step: rounds[-1] for step, rounds in plan.rounds.items()}
    contenders: dict[str, Contenders] = {}
    for step, rounds in plan.rounds.items():
        before = tuple(last[each] for each in plan.contenders.get(step, ()))
        for name in rounds:
            contenders[name] = before
            before = (name,)
    return contenders, [tuple(last[step] for step in group) for group in plan.winners]
