"""A generation: its offspring and the brackets in which they compete.

All follows from the parents' records: no weights, no clock. Costs are in batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netsurgery.networks.topology import Topology
from netsurgery.search.ectonas.bracket import Bracket, knockout
from netsurgery.search.ectonas.byes import TrainingSteps, merge_byes
from netsurgery.search.ectonas.plans import RejectedOffspring
from netsurgery.search.ectonas.settings import GenerationSettings
from netsurgery.search.plans import Contenders, Offspring
from netsurgery.search.records import Record
from netsurgery.search.size_limit import why_too_large
from netsurgery.search.steps import candidate_name, recuperation_step
from netsurgery.storage.fractions import floor_product
from netsurgery.storage.random_streams import random_stream
from netsurgery.surgery import Operation, legal_mutations, mutate_topology


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

    def count_steps(self) -> int:
        """How many training steps there are."""
        return len(self.steps().contenders)


def part_of_epoch(part: float, batches_per_epoch: int) -> int:
    """Count the batches in a part of an epoch, at least one."""
    return max(1, floor_product(part, batches_per_epoch))


def propose_offspring(
    parents: Sequence[Record], generation: int, settings: GenerationSettings, seed: int
) -> tuple[list[Offspring], list[RejectedOffspring]]:
    """All offspring of the parents, and the degenerate ones, which are rejected.

    An offspring is degenerate if it exceeds a limit on its size or grows too much over its parent.
    An identity never is.
    """
    offspring: list[Offspring] = []
    rejected: list[RejectedOffspring] = []
    for index, parent in enumerate(parents):
        topology = Topology.from_json(parent.topology)
        rng = random_stream(seed, "breed", generation, index)
        operations = settings.chosen_operations
        for mutation in legal_mutations(topology, settings.sizes, rng, operations):
            made = mutate_topology(topology, mutation)
            reason = why_degenerate(made, topology, settings)
            if reason and not mutation.operation.changes_nothing:
                rejected.append(
                    RejectedOffspring(parent.candidate, mutation, made.parameters, reason)
                )
                continue
            offspring.append(
                Offspring(
                    candidate=candidate_name(generation, len(offspring)),
                    generation=generation,
                    parent=parent.candidate,
                    mutation=mutation,
                    parameters=made.parameters,
                    batches=part_of_epoch(
                        settings.recuperation_epochs(mutation.operation), parent.batches_per_epoch
                    ),
                )
            )
    return offspring, rejected


def why_degenerate(network: Topology, parent: Topology, settings: GenerationSettings) -> str | None:
    """Why a network is rejected; None if it is not.

    Args:
        network: made by surgery.
        parent: the network that it was made from.
        settings: of the search.
    """
    if reason := why_too_large(network, parent, settings.limits):
        return reason
    growth = (network.parameters - parent.parameters) / parent.parameters
    if growth >= settings.max_growth:
        return f"grew by {growth:.0%}, {settings.max_growth:.0%} or more"
    return None


def changes_something(offspring: Sequence[Offspring]) -> bool:
    """Whether any offspring is not an identity, so that there is something to search."""
    return any(not child.mutation.operation.changes_nothing for child in offspring)


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
    settings: GenerationSettings,
    seed: int,
) -> GenerationDesign:
    """Phase 1 within each mutation type; phase 2 if its winners are more than parents."""
    pools = by_operation(offspring)
    winners_per_type = 1 if len(pools) >= settings.parents else settings.parents
    brackets = {
        operation: knockout(
            [(recuperation_step(child.candidate),) for child in pool],
            winners_per_type,
            settings.rounds,
            f"phase1/{operation}",
            random_stream(seed, "phase1", generation, operation.name),
        )
        for operation, pool in pools.items()
    }
    finalists = tuple(each for bracket in brackets.values() for each in bracket.winners)
    named: dict[str, Bracket] = {f"phase1/{k}": v for k, v in brackets.items()}
    if len(finalists) > settings.parents:
        rng = random_stream(seed, "phase2", generation)
        named["phase2"] = knockout(finalists, settings.parents, settings.rounds, "phase2", rng)
        finalists = named["phase2"].winners
    return GenerationDesign(tuple(offspring), round_epochs, named, finalists)


def cost(design: GenerationDesign, batches_per_epoch: int, start: int = 0) -> int:
    """Batches that a generation trains.

    Args:
        design: of the generation.
        batches_per_epoch: the batches in an epoch.
        start: batches that the start of each training step costs as well.
    """
    recuperation = sum(child.batches for child in design.offspring)
    trained = recuperation + len(design.slots()) * design.round_epochs * batches_per_epoch
    return trained + start * design.count_steps() if start else trained
