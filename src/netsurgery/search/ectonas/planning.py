"""Planning ECToNAS: the next generation with the training of its steps, or the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netsurgery.objectives.step_rates import Along
from netsurgery.search.ectonas.budget import shrink_to_budget
from netsurgery.search.ectonas.generation import (
    changes_something,
    cost,
    draw_brackets,
    propose_offspring,
)
from netsurgery.search.ectonas.plans import BracketPlan, GenerationBudget
from netsurgery.search.ectonas.selection import mode_after
from netsurgery.search.ectonas.settings import GenerationSettings, SelectionSettings
from netsurgery.search.plans import FinalPlan, Offspring, Parent
from netsurgery.search.records import Record, Status
from netsurgery.search.selection import select_contender
from netsurgery.search.steps import RECUPERATION, Step
from netsurgery.search.trainer import Training
from netsurgery.search.winners import Winners, model_name


def plan_generation(
    winners: Winners,
    generation: int,
    budget: GenerationBudget,
    settings: GenerationSettings,
    seed: int,
) -> BracketPlan | FinalPlan:
    """Plan the next generation, or the end of the search.

    Args:
        winners: of the last generation.
        generation: the number of the next one.
        budget: what it may cost.
        settings: of the search.
        seed: of the search.
    """
    batches_per_epoch = winners.batches_per_epoch
    parents = tuple(map(Parent, winners.candidates, winners.models))
    if budget.reached:
        return FinalPlan(
            generation=generation,
            parents=tuple(each for each in parents if each.candidate in budget.reached),
            remaining_batches=0,
            reason=budget.reason,
        )
    offspring, rejected = propose_offspring(winners.records, generation, settings, seed)
    design = (
        draw_brackets(offspring, generation, settings.round_epochs, settings, seed)
        if budget.batches is None
        else shrink_to_budget(offspring, generation, budget, batches_per_epoch, settings, seed)
    )
    if design is None:
        return FinalPlan(
            generation=generation,
            parents=parents,
            remaining_batches=budget.remaining,
            reason=_why_it_ends(winners, offspring),
        )
    steps = design.steps()
    return BracketPlan(
        generation=generation,
        parents=parents,
        budget=budget,
        batches=cost(design, batches_per_epoch),
        round_epochs=design.round_epochs,
        offspring=design.offspring,
        rejected=tuple(rejected),
        rounds=steps.rounds,
        contenders={step: before for step, before in steps.contenders.items() if before},
        winners=steps.winners,
    )


def _why_it_ends(winners: Winners, offspring: Sequence[Offspring]) -> str:
    if any(parent.status != Status.OK for parent in winners.records):
        return "the training of the initial network failed"
    if not changes_something(offspring):
        return "no mutation is within max_growth and the limits on size"
    return "the budget does not suffice for another generation"


def plan_training(
    plan: BracketPlan,
    step: str,
    records: Mapping[str, Record],
    settings: SelectionSettings,
    seed: int,
    batches_per_epoch: int,
    rates: Along,
) -> Training:
    """Plan a training step: an offspring, or the winner of its contenders.

    Args:
        plan: of the generation.
        step: its name.
        records: of all its contenders.
        settings: of the search.
        seed: of the search.
        batches_per_epoch: the batches in an epoch.
        rates: the learning rates of the generation.
    """
    round_batches = plan.round_epochs * batches_per_epoch
    later_rounds = dict.fromkeys(plan.rounds_of(step)[1:], round_batches)
    if step in plan.contenders:
        contenders = plan.contenders[step]
        mode = mode_after(plan.rounds_of(contenders[0])[-1], settings.mode)
        competing = [records[each] for each in contenders]
        winner = contenders[select_contender(competing, mode, settings.comparison, seed, step)]
        model = model_name(plan.generation, winner)
        batches = {step: round_batches} | later_rounds
        return Training(plan.generation, step, batches, model, rates=rates)
    child = plan.child(Step.parse(step).candidate)
    batches = {RECUPERATION: child.batches} | later_rounds
    return Training(plan.generation, step, batches, plan.model_of(child.parent), child, rates)
