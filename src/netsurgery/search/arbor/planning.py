"""Planning Arbor: the next generation with the training of its steps, or the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netsurgery.networks.costs import multiplications
from netsurgery.networks.layers import Dense
from netsurgery.networks.topology import Topology
from netsurgery.objectives.step_rates import Along, Ramp
from netsurgery.search.account import epoch_cost
from netsurgery.search.arbor.judgement import finalists
from netsurgery.search.arbor.plans import Allowance, FreshPlan, Part, RoundPlan
from netsurgery.search.arbor.settings import RoundSettings
from netsurgery.search.arbor.shapes import SMALLER, shapes, smaller_networks
from netsurgery.search.first_look import Look, most_promising
from netsurgery.search.plans import FinalPlan, FreshNetwork, GenerationPlan, Offspring, Parent
from netsurgery.search.records import Record
from netsurgery.search.speed import precision_for
from netsurgery.search.steps import (
    RECUPERATION,
    Phase,
    Step,
    candidate_name,
    cooled_step,
    fresh_step,
    recuperation_step,
)
from netsurgery.search.trainer import Training
from netsurgery.search.winners import Winners, model_name
from netsurgery.surgery import mutate_topology

Plan = RoundPlan | FreshPlan | FinalPlan


def plan_generation(
    history: Sequence[Winners],
    looks: Sequence[Look],
    allowed: Allowance,
    settings: RoundSettings,
) -> Plan:
    """Plan the next generation, or the end of the search.

    Args:
        history: the trunk after the initial training and after every generation.
        looks: at all growths of the trunk; only a round needs them.
        allowed: what comes next.
        settings: of the search.
    """
    trunk, generation = history[-1], len(history)
    if allowed.part is Part.ROUND:
        plan = _plan_round(trunk, generation, looks, settings)
        return plan or _end(history, 0, "no growth has a finite gradient")
    if allowed.part is Part.END:
        return _end(history, sum(allowed.batches), allowed.reason)
    return _plan_fresh(trunk, generation, allowed, settings)


def _end(history: Sequence[Winners], batches: int, reason: str) -> FinalPlan:
    """The end: the best finished network is selected, and trains with what is left."""
    return FinalPlan(
        generation=len(history),
        parents=tuple(Parent(each.record.candidate, each.model) for each in finalists(history)),
        remaining_batches=batches,
        reason=reason,
    )


def _parents(trunk: Winners) -> tuple[Parent, ...]:
    return tuple(map(Parent, trunk.candidates, trunk.models))


def _plan_round(
    trunk: Winners, generation: int, looks: Sequence[Look], settings: RoundSettings
) -> RoundPlan | None:
    """The most promising growths; None if there is none."""
    (record,) = trunk.records
    topology, per_epoch = Topology.from_json(record.topology), record.batches_per_epoch
    chosen = most_promising(looks, multiplications(topology), settings.candidates)
    if not chosen:
        return None
    offspring = tuple(
        Offspring(
            candidate=candidate_name(generation, number),
            generation=generation,
            parent=record.candidate,
            mutation=look.mutation,
            parameters=mutate_topology(topology, look.mutation).parameters,
            batches=settings.round_batches(per_epoch),
        )
        for number, look in enumerate(chosen)
    )
    names = [child.candidate for child in offspring]
    return RoundPlan(
        generation=generation,
        parents=_parents(trunk),
        offspring=offspring,
        contenders={cooled_step(name): (recuperation_step(name),) for name in names},
        winners=(tuple(map(cooled_step, names)),),
        cooling_batches=settings.cooling_batches(per_epoch),
        gradients={name: look.gradient for name, look in zip(names, chosen, strict=True)},
    )


def _plan_fresh(
    trunk: Winners, generation: int, allowed: Allowance, settings: RoundSettings
) -> FreshPlan:
    """All shapes in a contest; at the end its winner, or without a contest the template.

    The winner may train in smaller sizes as well, which do not compete; if they classify, they
    learn from it.
    """
    (record,) = trunk.records
    topology, speed = Topology.from_json(record.topology), trunk.speed
    if _has_fresh_weights(record):
        found = {str(record.operation): topology}
    else:
        found = shapes(topology, settings.growth.limits)
    competing = found if allowed.part is Part.CONTEST else dict(list(found.items())[:1])
    made: list[tuple[str, Topology, float, str | None]]
    made = [(origin, shape, 1.0, None) for origin, shape in competing.items()]
    final = next(iter(competing.values()))
    teacher = candidate_name(generation, 0) if _gives_probabilities(final) else None
    smaller = smaller_networks(final, allowed.smaller, settings.growth.limits)
    made += [(SMALLER, shape, epoch_cost(shape, final), teacher) for shape in smaller.values()]
    networks = tuple(
        FreshNetwork(
            candidate=candidate_name(generation, number),
            generation=generation,
            parent=record.candidate,
            origin=origin,
            topology=shape.to_json(),
            batches=batches,
            precision=precision_for(shape, speed, record.precision),
            epoch_cost=cost,
            teacher=teacher,
        )
        for number, ((origin, shape, cost, teacher), batches) in enumerate(
            zip(made, allowed.batches, strict=True)
        )
    )
    return FreshPlan(
        generation=generation,
        parents=_parents(trunk),
        offspring=(),
        contenders={},
        winners=(tuple(fresh_step(each.candidate) for each in networks[: len(competing)]),),
        part=allowed.part,
        networks=networks,
    )


def _gives_probabilities(topology: Topology) -> bool:
    """Whether a network gives the probabilities of classes, which others can learn."""
    output = topology.layers[-1]
    return isinstance(output, Dense) and output.activation == "softmax"


def _has_fresh_weights(record: Record) -> bool:
    return Step.parse(record.step).phase is Phase.FRESH


def warm_up_rates(round_learning_rate: float) -> Ramp:
    """The rate of the initial network: that of rounds."""
    return Ramp(round_learning_rate, round_learning_rate)


def falling_rates(round_learning_rate: float) -> Ramp:
    """Rates that fall from that of rounds to 0."""
    return Ramp(round_learning_rate, 0.0)


def step_rates(
    plan: GenerationPlan, step: str, round_learning_rate: float, per_epoch: int
) -> Ramp | Along:
    """The learning rates of a training step.

    An offspring trains at the full rate of rounds, which then falls to 0. A network with fresh
    weights has the whole schedule of the search.

    Args:
        plan: of the generation.
        step: its name.
        round_learning_rate: the full rate of rounds.
        per_epoch: the batches in an epoch.
    """
    if isinstance(plan, FreshPlan):
        return Along(plan.network_of(step).batches / per_epoch, start=0)
    if step in plan.contenders:
        return falling_rates(round_learning_rate)
    return warm_up_rates(round_learning_rate)


def stream_of(plan: GenerationPlan, step: str) -> str:
    """The name of the order of samples: all competitors see the same."""
    return f"generation {plan.generation}, {Step.parse(step).phase}"


def plan_training(
    plan: GenerationPlan,
    step: str,
    records: Mapping[str, Record],
    round_learning_rate: float,
    per_epoch: int,
) -> Training:
    """Plan a training step of a generation.

    Args:
        plan: of the generation.
        step: its name.
        records: of all steps before it.
        round_learning_rate: the full rate of rounds.
        per_epoch: the batches in an epoch.
    """
    rates, stream = step_rates(plan, step, round_learning_rate, per_epoch), stream_of(plan, step)
    if isinstance(plan, FreshPlan):
        network = plan.network_of(step)
        return Training(
            plan.generation,
            step,
            {step: network.batches},
            fresh=network,
            rates=rates,
            stream=stream,
        )
    if step in plan.contenders:
        (before,) = plan.contenders[step]
        assert isinstance(plan, RoundPlan)
        model = model_name(plan.generation, before)
        batches = {step: plan.cooling_batches}
        return Training(plan.generation, step, batches, model, rates=rates, stream=stream)
    child = plan.child(Step.parse(step).candidate)
    batches = {RECUPERATION: child.batches}
    model = plan.model_of(child.parent)
    return Training(plan.generation, step, batches, model, child, rates=rates, stream=stream)
