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
from netsurgery.search.ectonas.byes import TrainingSteps, merge_byes
from netsurgery.search.ectonas.plans import BracketPlan, GenerationBudget, RejectedOffspring
from netsurgery.search.plans import Contenders, FinalPlan, Offspring, parents_of, recuperation_step
from netsurgery.search.records import OK, Record
from netsurgery.storage.random_streams import random_stream
from netsurgery.storage.settings import from_settings as read_settings
from netsurgery.surgery import (
    MutationSizes,
    Operation,
    legal_mutations,
    mutate_topology,
)


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
class GenerationDesign:
    """Offspring and brackets of a generation at some size."""

    offspring: tuple[Offspring, ...]
    round_epochs: int
    brackets: dict[str, Bracket]
    winners: tuple[Contenders, ...]

    def slots(self) -> dict[str, Contenders]:
        """All slots of all brackets with their contenders."""
        return {k: v for bracket in self.brackets.values() for k, v in bracket.slots.items()}

    def steps(self) -> TrainingSteps:
        """The training steps, recuperations included."""
        return merge_byes(
            {recuperation_step(child.candidate): () for child in self.offspring} | self.slots(),
            self.winners,
        )


def part_of_epoch(part: float, batches_per_epoch: int) -> int:
    """Count the batches in a part of an epoch, at least one."""
    return max(1, math.floor(round(part * batches_per_epoch, 6)))


def propose_offspring(
    parents: Sequence[Record], generation: int, rules: GenerationSettings, seed: int
) -> tuple[list[Offspring], list[RejectedOffspring]]:
    """All offspring of the parents, and the degenerate ones, which are rejected.

    An offspring is degenerate if it has too many parameters or grows too much over its parent.
    """
    offspring: list[Offspring] = []
    rejected: list[RejectedOffspring] = []
    for index, parent in enumerate(parents):
        topology = Topology.from_json(parent.topology)
        rng = random_stream(seed, "breed", generation, index)
        for mutation in legal_mutations(topology, rules.sizes, rng):
            parameters = mutate_topology(topology, mutation).parameters
            reason = why_degenerate(parameters, parent.parameters, rules)
            if reason:
                rejected.append(RejectedOffspring(parent.candidate, mutation, parameters, reason))
                continue
            offspring.append(
                Offspring(
                    candidate=f"g{generation:02d}c{len(offspring):02d}",
                    generation=generation,
                    parent=parent.candidate,
                    mutation=mutation,
                    parameters=parameters,
                    batches=part_of_epoch(
                        rules.recuperation[mutation.operation.name], parent.batches_per_epoch
                    ),
                )
            )
    return offspring, rejected


def why_degenerate(parameters: int, before: int, rules: GenerationSettings) -> str | None:
    """Why a network with so many parameters is rejected; None if it is not.

    Args:
        parameters: of the network.
        before: parameters of its parent.
        rules: of the search.
    """
    growth = (parameters - before) / before
    if parameters >= rules.max_parameters:
        return f"{parameters} parameters, {rules.max_parameters} or more"
    if growth >= rules.max_growth:
        return f"grew by {growth:.0%}, {rules.max_growth:.0%} or more"
    return None


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
            [(recuperation_step(child.candidate),) for child in pool],
            winners_per_type,
            rules.rounds,
            f"phase1/{operation}",
            random_stream(seed, "phase1", generation, operation.name),
        )
        for operation, pool in pools.items()
    }
    finalists = tuple(each for bracket in brackets.values() for each in bracket.winners)
    named: dict[str, Bracket] = {f"phase1/{k}": v for k, v in brackets.items()}
    if len(finalists) > rules.parents:
        rng = random_stream(seed, "phase2", generation)
        named["phase2"] = knockout(finalists, rules.parents, rules.rounds, "phase2", rng)
        finalists = named["phase2"].winners
    return GenerationDesign(tuple(offspring), round_epochs, named, finalists)


def cost(design: GenerationDesign, batches_per_epoch: int) -> int:
    """Batches that a generation trains."""
    recuperation = sum(child.batches for child in design.offspring)
    return recuperation + len(design.slots()) * design.round_epochs * batches_per_epoch


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
    """Design the largest generation that costs at most `batches`.

    Epochs per round are cut first, down to 1; then offspring, evenly over the mutation types except
    the identity. None if the batches do not suffice for a single mutation.
    """
    for epochs in range(rules.round_epochs, 0, -1):
        design = draw_brackets(offspring, generation, epochs, rules, seed)
        if cost(design, batches_per_epoch) <= batches:
            return design
    rng = random_stream(seed, "thin out", generation)
    left = list(offspring)
    while len(by_operation(left)) > 1:
        design = draw_brackets(left, generation, 1, rules, seed)
        if cost(design, batches_per_epoch) <= batches:
            return design
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
) -> GenerationBudget:
    """What the next generation may cost; nothing if the training of the starting topology failed.

    Args:
        parents: records of the last generation's winners.
        generation: the number of the next one.
        spent: batches trained so far over all candidates.
        budget: epochs of the whole search.
        strict: never exceed the budget; else a generation starts if any budget is left.
        rules: of the search.
        seed: of the search.
    """
    if any(parent.status != OK for parent in parents):
        return GenerationBudget(0)
    batches_per_epoch = parents[0].batches_per_epoch
    left = int(budget * batches_per_epoch) - spent
    if not strict:
        return GenerationBudget(None if left > 0 else 0)
    offspring, _ = propose_offspring(parents, generation, rules, seed)
    design = draw_brackets(offspring, generation, rules.round_epochs, rules, seed)
    return GenerationBudget(None if cost(design, batches_per_epoch) <= left else max(0, left))


def plan(
    parents: Sequence[Record],
    models: Sequence[str],
    generation: int,
    budget: GenerationBudget,
    rules: GenerationSettings,
    seed: int,
) -> BracketPlan | FinalPlan:
    """Plan the next generation, or the end of the search.

    Args:
        parents: records of the last generation's winners.
        models: their model files, relative to the search's folder.
        generation: the number of the next one.
        budget: what it may cost.
        rules: of the search.
        seed: of the search.
    """
    batches_per_epoch = parents[0].batches_per_epoch
    offspring, rejected = propose_offspring(parents, generation, rules, seed)
    design = (
        draw_brackets(offspring, generation, rules.round_epochs, rules, seed)
        if budget.batches is None
        else shrink_to_budget(offspring, generation, budget.batches, batches_per_epoch, rules, seed)
    )
    planned_parents = parents_of([parent.candidate for parent in parents], models)
    if design is None:
        assert budget.batches is not None
        return FinalPlan(
            generation=generation,
            parents=planned_parents,
            remaining_batches=budget.batches,
            reason="the budget does not suffice for another generation"
            if all(parent.status == OK for parent in parents)
            else "the training of the starting topology failed",
        )
    steps = design.steps()
    return BracketPlan(
        generation=generation,
        parents=planned_parents,
        budget=budget,
        batches=cost(design, batches_per_epoch),
        round_epochs=design.round_epochs,
        offspring=design.offspring,
        rejected=tuple(rejected),
        rounds=steps.rounds,
        contenders={step: before for step, before in steps.contenders.items() if before},
        winners=steps.winners,
    )
