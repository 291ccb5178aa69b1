"""Knockout brackets, known in full before anyone has trained.

A slot is the training of one competitor in one round. Its competitor is the winner of the slots
before it, its contenders. Slots are named like their files, without the suffix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netsurgery.search.plans import Contenders
from netsurgery.search.steps import bracket_slot


@dataclass(frozen=True)
class Bracket:
    """The slots of a bracket with their contenders, and the contenders of each overall winner."""

    slots: dict[str, Contenders]
    winners: tuple[Contenders, ...]


def group(
    competitors: int, winners: int, round_: int, rounds: int, rng: np.random.Generator
) -> list[list[int]]:
    """Draw who meets whom in a round; the winner of each group advances.

    With as many competitors as winners, or fewer, each is a group of its own. Else there are
    winners * 2**(rounds - round_) groups over the shuffled competitors, two dealt to each group in
    turn and what is left round robin, so that a group can hold three and a lone competitor advances
    (a lucky ticket); empty groups are left out. Where pairs would leave fewer groups than winners
    (four competitors for three places), fewer pairs are made.

    Args:
        competitors: how many there are.
        winners: how many the bracket is to have.
        round_: from 1.
        rounds: of the bracket.
        rng: shuffles.

    Returns:
        Indices of the competitors, per group.
    """
    if competitors <= winners:
        return [[i] for i in range(competitors)]
    count = winners * 2 ** (rounds - round_)
    order = rng.permutation(competitors).tolist()
    pairs = min(count, competitors // 2, competitors - winners)
    groups = [order[2 * i : 2 * i + 2] for i in range(pairs)]
    rest = order[2 * pairs :]
    alone = min(count - pairs, len(rest))
    groups += [[competitor] for competitor in rest[:alone]]
    for i, competitor in enumerate(rest[alone:]):
        groups[i % count].append(competitor)
    return groups


def knockout(
    entrants: Sequence[Contenders], winners: int, rounds: int, name: str, rng: np.random.Generator
) -> Bracket:
    """Draw a whole bracket.

    Args:
        entrants: the contenders for each place in the first round.
        winners: how many the bracket is to have.
        rounds: how many are played.
        name: slots are called `<name>/round<r>/slot<i>`.
        rng: shuffles the competitors of each round.
    """
    slots: dict[str, Contenders] = {}
    contenders = list(entrants)
    for round_ in range(1, rounds + 1):
        names = [bracket_slot(name, round_, i) for i in range(len(contenders))]
        slots |= zip(names, contenders, strict=True)
        groups = group(len(names), winners, round_, rounds, rng)
        contenders = [tuple(names[i] for i in members) for members in groups]
    return Bracket(slots, tuple(contenders))
