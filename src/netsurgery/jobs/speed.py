"""What the first training of a search finds out about the speed of its machine.

Its record keeps the figures (`netsurgery.search.speed`), and all later candidates inherit them: a
search that is resumed, with other cores or on another machine, decides by the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from netsurgery.jobs.training_step import TrainingStep
from netsurgery.networks.costs import multiplications
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from netsurgery.objectives.step_rates import Along
from netsurgery.objectives.training_settings import AUTO, BFLOAT16, FLOAT32
from netsurgery.search.arbor.scaling import scaled, scaled_to_limits, with_widths
from netsurgery.search.arbor.templates import templates_for
from netsurgery.search.records import Record
from netsurgery.search.size_limit import NO_LIMITS, SizeLimits, why_too_large
from netsurgery.search.speed import SCORING, Speed
from netsurgery.search.speed_fit import Timing, fit
from netsurgery.search.times import is_time
from netsurgery.storage.random_streams import random_stream
from netsurgery.storage.timer import Timer
from netsurgery.training import TrainingLoop
from netsurgery.training.speed import can_gain, clock, measure

FACTORS = (0.5, 1, 2)  # of all widths
MOST_MULTIPLICATIONS = 15_000_000  # of a sample; larger networks take long to measure


def precisions(step: TrainingStep, start: Topology) -> tuple[str, ...]:
    """The precisions that the networks of a search may train in."""
    setting = step.training_settings.precision
    if setting != AUTO:
        return (setting,)
    return (FLOAT32, BFLOAT16) if can_gain(start.input_shape) else (FLOAT32,)


def speed_of_machine(
    step: TrainingStep, start: Topology, limits: SizeLimits, *, is_needed: bool = False
) -> Speed | None:
    """Measure how fast this machine trains networks for the samples of a search.

    Args:
        step: the first one of the search.
        start: the initial network.
        limits: on the size of the search's networks.
        is_needed: whether to measure even if there is only one precision to train in.

    Returns:
        The figures; None if nothing depends on them.
    """
    chosen = precisions(step, start)
    if len(chosen) == 1 and not is_needed:
        return None
    step = replace(step, timer=Timer())  # what it measures is no part of the training
    began, starts = clock(), list[float]()
    scored = len(step.samples("validation"))
    timings = []
    for number, topology in enumerate(probes(start, limits)):

        def loop_in(
            precision: str, topology: Topology = topology, number: int = number
        ) -> TrainingLoop:
            before = clock()
            rng = random_stream(step.seed, "speed", number)
            loop = step.loop(step.trainable(initialise(topology, rng)), precision)
            starts.append(clock() - before)
            return loop

        timings.append(Timing(topology, measure(loop_in, chosen, scored)))
    counts = dict.fromkeys(chosen, step.batch_size) | {SCORING: scored}
    speed = Speed(fit(timings, counts), median(starts), clock() - began)
    for timing in timings:
        print(f"speed: {describe(timing, speed)}", flush=True)
    return speed


def within_time(
    step: TrainingStep, record: Record, epochs: int | None, seconds: float
) -> tuple[TrainingStep, int]:
    """Find out how long the first training of a search is, if its budget is a time.

    Args:
        step: this one; if its schedule spans a time, it is to span as many epochs.
        record: of the initial network, with the speed of the machine.
        epochs: that it trains at most; None: as many as the time allows.
        seconds: that it trains at most, the measurement included.

    Returns:
        The step, with the learning rates of the time, and its epochs: one at least.
    """
    assert record.speed
    topology, per_epoch = Topology.from_json(record.topology), step.batches_per_epoch
    left = seconds - record.speed.measuring
    affordable = max(1.0, record.speed.affordable(topology, left, per_epoch) / per_epoch)
    trained = math.floor(affordable if epochs is None else min(epochs, affordable))
    if isinstance(step.rates, Along) and is_time(step.rates.epochs):
        span = trained if epochs is None else affordable
        step = replace(step, rates=replace(step.rates, epochs=span))
    return step, trained


def probes(start: Topology, limits: SizeLimits) -> Iterator[Topology]:
    """Networks that are measured: the initial one and a template, each in several widths.

    They are like those that a search will train, up to the largest ones that its limits allow.
    """
    found = [start]
    for shape in (start, *list(templates_for(start).values())[:1]):
        made = [with_widths(shape, scaled(shape, factor)) for factor in FACTORS]
        if limits != NO_LIMITS:
            made.append(scaled_to_limits(shape, limits) or start)
        for each in made:
            small = multiplications(each) <= MOST_MULTIPLICATIONS
            if small and each not in found and why_too_large(each, each, limits) is None:
                found.append(each)
    yield from found


def describe(timing: Timing, speed: Speed) -> str:
    """A line on a network that was measured, and on what the figures say of it."""
    topology = timing.topology
    times = ", ".join(
        f"{1000 * seconds:.3g} ms in {name} ({1000 * speed.seconds(topology, name):.3g} by the fit)"
        for name, seconds in timing.seconds.items()
    )
    return f"{topology.parameters:,} parameters: {times}"
