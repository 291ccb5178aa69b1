"""Planning a generation: its offspring, its brackets and what they cost.

A plan needs the parents' records only: no weights, no clock. Costs are in batches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netsurgery.networks.network import Topology
from netsurgery.search.ectonas.bracket import Bracket, knockout
from netsurgery.search.ectonas.steps import Steps, merge_byes
from netsurgery.search.records import OK, Record
from netsurgery.storage.random_streams import random_stream
from netsurgery.storage.settings import from_settings as read_settings
from netsurgery.surgery import (
    Mutation,
    MutationSizes,
    Operation,
    legal_mutations,
    mutate_topology,
)

UNLIMITED = "full"
SEARCH, FINISH = "search", "finish"


@dataclass(frozen=True)
class GenerationSettings:
    """The settings that shape a generation (design: ECToNAS's defaults are the config schema's)."""

    round_epochs: int
    rounds: int
    parents: int
    max_parameters: int
    max_growth: float
    recuperation: Mapping[str, float]
    sizes: MutationSizes

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> GenerationSettings:
        """Read them from the settings of a search."""
        return read_settings(cls, settings)


@dataclass(frozen=True)
class Offspring:
    """A candidate to be made: `parent` is the index into the generation's parents."""

    candidate: str
    parent: int
    mutation: Mutation
    parameters: int


@dataclass(frozen=True)
class GenerationDesign:
    """Offspring and brackets of a generation at some size."""

    offspring: tuple[Offspring, ...]
    round_epochs: int
    brackets: dict[str, Bracket]
    winners: tuple[tuple[str, ...], ...]

    def slots(self) -> dict[str, tuple[str, ...]]:
        """All slots with their feeders."""
        return {k: v for bracket in self.brackets.values() for k, v in bracket.slots.items()}

    def steps(self) -> Steps:
        """The training steps, recuperations included."""
        return merge_byes(
            {recuperation_of(child.candidate): () for child in self.offspring} | self.slots(),
            self.winners,
        )


def recuperation_of(candidate: str) -> str:
    """The round of a generation in which a candidate is made, and recuperates."""
    return f"recuperation/{candidate}"


def mutation_of(offspring: Mapping[str, Any]) -> Mutation:
    """What makes one of a plan's offspring of its parent."""
    return Mutation.from_json(offspring)


def part_of_epoch(part: float, batches_per_epoch: int) -> int:
    """Batches in a part of an epoch: at least one."""
    return max(1, math.floor(round(part * batches_per_epoch, 6)))


def propose_offspring(
    parents: Sequence[Record], generation: int, rules: GenerationSettings, seed: int
) -> tuple[list[Offspring], list[dict[str, Any]]]:
    """All offspring of the parents, and the degenerates that are rejected, with the reason.

    Degenerate is what has too many parameters, or grew too much over its parent.
    """
    offspring: list[Offspring] = []
    rejected: list[dict[str, Any]] = []
    for index, parent in enumerate(parents):
        topology = Topology.from_json(parent.topology)
        rng = random_stream(seed, "breed", generation, index)
        for mutation in legal_mutations(topology, rules.sizes, rng):
            parameters = mutate_topology(topology, mutation).parameters
            growth = (parameters - parent.parameters) / parent.parameters
            reason = (
                f"{parameters} parameters, {rules.max_parameters} or more"
                if parameters >= rules.max_parameters
                else f"grew by {growth:.0%}, {rules.max_growth:.0%} or more"
                if growth >= rules.max_growth
                else None
            )
            if reason:
                rejected.append(
                    {"parent": parent.candidate, **mutation.to_json(), "parameters": parameters}
                    | {"reason": reason}
                )
            else:
                candidate = f"g{generation:02d}c{len(offspring):02d}"
                offspring.append(Offspring(candidate, index, mutation, parameters))
    return offspring, rejected


def by_operation(offspring: Sequence[Offspring]) -> dict[Operation, list[Offspring]]:
    """Offspring by mutation type."""
    found: dict[Operation, list[Offspring]] = {}
    for child in offspring:
        found.setdefault(child.mutation.operation, []).append(child)
    return found


def draw_brackets(
    offspring: Sequence[Offspring],
    generation: int,
    round_epochs: int,
    rules: GenerationSettings,
    seed: int,
) -> GenerationDesign:
    """Phase 1 within each mutation type; phase 2 if its winners are more than parents."""
    pools = by_operation(offspring)
    winners_per_type = 1 if len(pools) >= rules.parents else rules.parents
    brackets = {
        operation: knockout(
            [(recuperation_of(child.candidate),) for child in pool],
            winners_per_type,
            rules.rounds,
            f"phase1/{operation}",
            random_stream(seed, "phase1", generation, operation.name),
        )
        for operation, pool in pools.items()
    }
    finalists = tuple(feeders for bracket in brackets.values() for feeders in bracket.winners)
    named: dict[str, Bracket] = {f"phase1/{k}": v for k, v in brackets.items()}
    if len(finalists) > rules.parents:
        rng = random_stream(seed, "phase2", generation)
        named["phase2"] = knockout(finalists, rules.parents, rules.rounds, "phase2", rng)
        finalists = named["phase2"].winners
    return GenerationDesign(tuple(offspring), round_epochs, named, finalists)


def recuperation_batches(
    child: Offspring, rules: GenerationSettings, batches_per_epoch: int
) -> int:
    """Batches that an offspring is trained right after surgery."""
    return part_of_epoch(rules.recuperation[child.mutation.operation.name], batches_per_epoch)


def cost(shape: GenerationDesign, rules: GenerationSettings, batches_per_epoch: int) -> int:
    """Batches that a generation trains."""
    recuperation = sum(
        recuperation_batches(child, rules, batches_per_epoch) for child in shape.offspring
    )
    return recuperation + len(shape.slots()) * shape.round_epochs * batches_per_epoch


def _thin_out(offspring: Sequence[Offspring], rng: np.random.Generator) -> list[Offspring]:
    """One offspring less, drawn from the mutation types that have most; identities stay."""
    found = by_operation(offspring)
    pools = {k: v for k, v in found.items() if not k.changes_nothing}
    largest = max(len(pool) for pool in pools.values())
    droppable = [child for pool in pools.values() if len(pool) == largest for child in pool]
    dropped = droppable[rng.integers(len(droppable))]
    return [child for child in offspring if child is not dropped]


def shrink_to_budget(
    offspring: Sequence[Offspring],
    generation: int,
    batches: int,
    batches_per_epoch: int,
    rules: GenerationSettings,
    seed: int,
) -> GenerationDesign | None:
    """The largest form of a generation that costs no more than `batches`.

    First fewer epochs per round, down to 1; then fewer offspring, evenly over the mutation types,
    the identity kept. None if not even one mutation can be tried.
    """
    for epochs in range(rules.round_epochs, 0, -1):
        shape = draw_brackets(offspring, generation, epochs, rules, seed)
        if cost(shape, rules, batches_per_epoch) <= batches:
            return shape
    rng = random_stream(seed, "thin out", generation)
    left = list(offspring)
    while len(by_operation(left)) > 1:
        shape = draw_brackets(left, generation, 1, rules, seed)
        if cost(shape, rules, batches_per_epoch) <= batches:
            return shape
        left = _thin_out(left, rng)
    return None


def generation_budget(
    parents: Sequence[Record],
    generation: int,
    spent: int,
    budget: float,
    strict: bool,
    rules: GenerationSettings,
    seed: int,
) -> str:
    """What the next generation may cost: "full", or a number of batches too small for that.

    Nothing if the starting topology did not survive its warm-up.

    This word is all that a generation knows of the budget, so that a larger budget leaves the
    generations that ran in full as they are.

    Args:
        parents: records of the last generation's winners.
        generation: the number of the next one.
        spent: batches trained so far over all candidates.
        budget: epochs of the whole search.
        strict: never above the budget; else a generation starts as long as budget is left.
        rules: of the search.
        seed: of the search.
    """
    if any(parent.status != OK for parent in parents):
        return "0"
    batches_per_epoch = parents[0].batches_per_epoch
    left = int(budget * batches_per_epoch) - spent
    if not strict:
        return UNLIMITED if left > 0 else "0"
    offspring, _ = propose_offspring(parents, generation, rules, seed)
    shape = draw_brackets(offspring, generation, rules.round_epochs, rules, seed)
    return UNLIMITED if cost(shape, rules, batches_per_epoch) <= left else str(max(0, left))


def plan(
    parents: Sequence[Record],
    models: Sequence[str],
    generation: int,
    allowed: str,
    rules: GenerationSettings,
    seed: int,
) -> dict[str, Any]:
    """What happens next: a generation, or the end.

    Args:
        parents: records of the last generation's winners.
        models: their model files, relative to the search's folder.
        generation: the number of the next one.
        allowed: see `allowance`.
        rules: of the search.
        seed: of the search.

    Returns:
        Plain values. With action "search": offspring, rounds of every training step, slots (those
        steps that begin with a match won) with their feeders, winners (the feeders of each next
        parent), round_epochs. With action "finish": further_batches, which the winner is trained
        on.
    """
    batches_per_epoch = parents[0].batches_per_epoch
    offspring, rejected = propose_offspring(parents, generation, rules, seed)
    shape = (
        draw_brackets(offspring, generation, rules.round_epochs, rules, seed)
        if allowed == UNLIMITED
        else shrink_to_budget(offspring, generation, int(allowed), batches_per_epoch, rules, seed)
    )
    head = {
        "generation": generation,
        "allowance": allowed,
        "parents": [
            {"candidate": parent.candidate, "model": model}
            for parent, model in zip(parents, models, strict=True)
        ],
    }
    if shape is None:
        return head | {"action": FINISH, "further_batches": int(allowed)}
    joined = shape.steps()
    return head | {
        "action": SEARCH,
        "batches": cost(shape, rules, batches_per_epoch),
        "round_epochs": shape.round_epochs,
        "offspring": [
            {
                "candidate": child.candidate,
                "generation": generation,
                "parent": parents[child.parent].candidate,
                "model": models[child.parent],
                **child.mutation.to_json(),
                "parameters": child.parameters,
                "batches": recuperation_batches(child, rules, batches_per_epoch),
            }
            for child in shape.offspring
        ],
        "rejected": rejected,
        "rounds": {step: list(rounds) for step, rounds in joined.rounds.items()},
        "slots": {step: list(feeders) for step, feeders in joined.feeders.items() if feeders},
        "winners": [list(feeders) for feeders in joined.winners],
    }
