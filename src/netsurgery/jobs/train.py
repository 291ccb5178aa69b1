"""What training jobs do: each is a training step of a candidate that writes its model and record.

A job runs in a child of the warm server or in a new process, with the same result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsurgery import training
from netsurgery.jobs.divergence import explain_constant, explain_divergence
from netsurgery.jobs.initial_network import fresh_network, network_of_model
from netsurgery.jobs.raw_model import raw_model, raw_model_description
from netsurgery.jobs.speed import precisions, speed_of_machine, within_time
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.keras_io import archive
from netsurgery.networks.network import initialise
from netsurgery.networks.topology import Topology
from netsurgery.reproduction.studies.study_network import StudyNetwork
from netsurgery.search.candidates import read_candidate, read_record, record_path
from netsurgery.search.plans import FreshNetwork, Offspring
from netsurgery.search.records import LastEpochs, Record, RoundResult, Status
from netsurgery.search.selection import (
    Comparison,
    SelectionMode,
    is_at_least_as_good,
    select_contender,
)
from netsurgery.search.size_limit import NO_LIMITS, SizeLimits, why_no_start
from netsurgery.search.speed import precision_for
from netsurgery.search.surgeon.decision_point import select_branch
from netsurgery.search.usefulness import UsefulnessSettings
from netsurgery.storage.files import CHECKSUMS, checksums
from netsurgery.storage.random_streams import random_stream
from netsurgery.storage.settings import from_settings
from netsurgery.surgery import mutate, mutate_topology
from netsurgery.surgery.settings import SurgerySettings
from netsurgery.training import TrainableNetwork


def train_initial_network(
    step: TrainingStep,
    layers: list[dict[str, Any]],
    activation: str,
    epochs: int | None,
    limits: SizeLimits = NO_LIMITS,
    start: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> None:
    """Train the initial network: a search's warm-up, or the whole baseline.

    Args:
        step: this one.
        layers: the entries of the topology, as in the configuration (see `topologies.build`).
        activation: of the output layer in classification.
        epochs: to train; None: as many as the time allows.
        limits: on the size of the search's networks.
        start: path and checksum of the user's model to start from, instead of fresh weights.
        seconds: that it may train by the speed of this machine, one epoch at least.

    Raises:
        DataError: the topology or the model does not accept the samples.
        UnusableFileError: the model cannot be used.
    """
    if step.failure:
        sys.exit(f"{step.output}: the initial network cannot be trained: {step.failure}")
    with step.timer("build"):
        if start is None:
            trainable = fresh_network(step, layers, activation, limits.max_parameters)
        else:
            trainable = network_of_model(step, start)
    topology = trainable.topology
    if found := why_no_start(topology, limits):
        key, reason = found
        sys.exit(f"{step.output.parent.parent}: {key}: {reason}")
    with step.timer("speed"):
        speed = speed_of_machine(step, topology, limits, is_needed=seconds is not None)
    record = Record(
        candidate="g00c00",
        parent=None,
        operation=None,
        position=None,
        generation=0,
        step=step.name,
        topology=topology.to_json(),
        parameters=topology.parameters,
        batches_per_epoch=step.batches_per_epoch,
        precision=precision_for(topology, speed, precisions(step, topology)[0]),
        speed=speed,
    )
    if seconds is not None:
        step, epochs = within_time(step, record, epochs, seconds)
    assert epochs is not None
    record = step.run(trainable, record, {step.name: epochs * step.batches_per_epoch})
    if record.status != Status.OK:
        sys.exit(explain_divergence(step, record))
    step.write(trainable, record)


def train_offspring(
    step: TrainingStep,
    parent: Path,
    offspring: Offspring,
    surgery: SurgerySettings,
    later_rounds: Mapping[str, int],
) -> None:
    """Make an offspring from its parent by surgery, and train it.

    The optimizer state of unchanged weights is kept.

    Args:
        step: this one.
        parent: model of the parent.
        offspring: what its plan says of it.
        surgery: the settings of surgery.
        later_rounds: batches of the rounds that follow recuperation.
    """
    batches = {step.name: offspring.batches, **later_rounds}
    mutation, parent_record = offspring.mutation, read_record(parent)

    def record_of(topology: Topology) -> Record:
        return parent_record.child(
            offspring.candidate,
            offspring.generation,
            mutation.operation.name,
            mutation.position,
            topology,
        )

    if step.failure:
        topology = Topology.from_json(parent_record.topology)
        step.fail(record_of(mutate_topology(topology, mutation)), batches)
        return
    before = step.load(parent, parent_record)
    by_samples = surgery.uses_samples(mutation.operation)
    with step.timer("surgery"):
        result = mutate(
            before.network,
            mutation,
            random_stream(step.seed, offspring.candidate, "surgery"),
            calibration=step.calibration(surgery.calibration_samples) if by_samples else None,
            growth=surgery.growth,
            pooling_transfer=surgery.pooling_transfer,
            slots=before.slots,
            noise=surgery.copy_noise,
        )
    record = record_of(result.network.topology)
    with step.timer("build"):
        trainable = step.trainable(result.network)
        trainable.restore_slots(result.slots, before.optimizer_state.steps)
    if not result.network.finite:
        degenerate = replace(record, status=Status.DEGENERATE)
        step.write(trainable, degenerate.skipped(dict.fromkeys(batches, 0)))
        return
    step.train(trainable, record, batches)


def train_fresh(step: TrainingStep, fresh: FreshNetwork, teacher: Path | None = None) -> None:
    """Train a network from fresh weights.

    Args:
        step: this one.
        fresh: what its plan says of it.
        teacher: model of its teacher, if it has one.
    """
    step = replace(step, teacher=teacher)
    topology, batches = Topology.from_json(fresh.topology), {step.name: fresh.batches}
    record = Record(
        candidate=fresh.candidate,
        parent=fresh.parent,
        operation=fresh.origin,
        position=None,
        generation=fresh.generation,
        step=step.name,
        topology=topology.to_json(),
        parameters=topology.parameters,
        batches_per_epoch=step.batches_per_epoch,
        epoch_cost=fresh.epoch_cost,
        precision=fresh.precision,
    )
    if step.failure:
        step.fail(record, batches)
        return
    rng = random_stream(step.seed, fresh.candidate, "initial weights")
    with step.timer("build"):
        trainable = step.trainable(initialise(topology, rng))
    step.train(trainable, record, batches)


def select_model(
    step: TrainingStep, models: Sequence[Path], mode: SelectionMode
) -> tuple[Path, Record]:
    """Select the model that a step trains, and read its record."""
    records = [read_record(model) for model in models]
    comparison = from_settings(Comparison, step.settings)
    index = select_contender(records, mode, comparison, step.seed, step.name)
    return models[index], records[index]


def train_round(
    step: TrainingStep,
    contenders: Sequence[Path],
    mode: SelectionMode,
    batches: Mapping[str, int],
) -> None:
    """Select the winner of the contenders and train it for one or more rounds.

    Args:
        step: this one.
        contenders: their models.
        mode: how the winner is selected.
        batches: of each round.
    """
    continue_training(step, *select_model(step, contenders, mode), batches)


def train_branch(step: TrainingStep, contenders: Sequence[Path], rank: int, batches: int) -> None:
    """Train one of the Surgeon's re-trained candidates to the full step.

    Args:
        step: this one.
        contenders: the models of all candidates of a try.
        rank: which of them by their score (eq. 16), from 0.
        batches: of the whole step, including re-training.
    """
    records = [read_record(model) for model in contenders]
    index = select_branch(records, rank, from_settings(Comparison, step.settings))
    remaining = batches - records[index].batches_spent
    continue_training(step, contenders[index], records[index], {step.name: remaining})


def continue_training(
    step: TrainingStep, model: Path, record: Record, batches: Mapping[str, int]
) -> None:
    """Train a candidate further, unless it or this step failed.

    Args:
        step: this one.
        model: of the candidate.
        record: of the candidate.
        batches: of each round.
    """
    if step.failure or record.status != Status.OK:
        step.skip(model, record, batches)
        return
    step.train(step.load(model, record), record, batches)


def train_last_epochs(step: TrainingStep, model: Path, mode: SelectionMode, batches: int) -> None:
    """Train the selected network with what is left of the budget; keep it if it does not gain.

    The network after the last epochs is the final one if it is at least as good, by the score that
    selected it; else, and where its training fails, it is the selected one.

    Args:
        step: this one.
        model: of the selected network.
        mode: how it was selected.
        batches: that are left.
    """
    selected = read_record(model)
    if not batches:
        step.skip(model, selected, {step.name: 0})
        return
    if step.failure:
        after = replace(step.failed(selected), batches_spent=batches)
    else:
        network = step.load(model, selected)
        after = step.run(network, selected, {step.name: batches})
    comparison = from_settings(Comparison, step.settings)
    kept = is_at_least_as_good(after, selected, mode, comparison)
    last = LastEpochs(after.batches_spent, selected.score, after.score, kept)
    if kept:
        step.write(network, replace(after, last_epochs=last))
        return
    spent = replace(selected, batches_spent=after.batches_spent, last_epochs=last)
    rounds = {step.name: RoundResult(after.batches_spent, after.score)}
    step.keep(model, replace(spent, step=step.name, rounds=rounds))


def finalize(
    step: TrainingStep, finalists: Sequence[Path], mode: SelectionMode, batches: int
) -> None:
    """Select the final candidate, train it with what is left of the budget, and test it once.

    Writes `network.keras` (the step's output), `model.keras`, which takes raw samples,
    `preprocessing.json` and `test.json`.
    """
    if step.failure and not batches:
        sys.exit(f"{step.output}: the final network cannot be tested: {step.failure}")
    path, _ = select_model(step, finalists, mode)
    train_last_epochs(step, path, mode, batches)
    write_exported_model(step)
    test, record = step.samples("test"), read_record(step.output)
    # as whoever loads the model has it
    plain = replace(step.training_settings.compile, ema_momentum=0.0)
    network = TrainableNetwork(read_candidate(step.output, record).network, plain)
    allows = from_settings(UsefulnessSettings, step.settings).allow_constant_output
    if not allows and (compared := training.constant_outputs(network, test)):
        sys.exit(explain_constant(step, record, compared))
    metrics = training.evaluate(network, test, step.training_settings.extra_metrics)
    finite = {k: v if training.finite([v]) else None for k, v in metrics.items()}
    if finite["loss"] is None:
        sys.exit(
            f"{step.output.parent.parent}: the loss of the final network on the test samples is"
            " not finite: some differ much from the training samples; check the data"
        )
    path, model = step.output.with_name("test.json"), step.output.with_name("model.keras")
    tested = {"samples": len(test), **finite, CHECKSUMS: checksums(path, model)}
    step.dependencies.with_inputs([record_path(step.output)]).write(path, tested)


def write_exported_model(step: TrainingStep) -> None:
    """Write the final network with its preprocessing, and a description of that."""
    given = step.data, step.split, step.training_settings
    archive.save(raw_model(step.output, *given), step.output.with_name("model.keras"))
    description = raw_model_description(*given)
    path = step.output.with_name("preprocessing.json")
    step.dependencies.with_inputs([record_path(step.output)]).write(path, description)


def study(
    step: TrainingStep, model: Path, measure: Callable[[StudyNetwork], Iterable[dict[str, Any]]]
) -> None:
    """Measure a trained network, and write the measurements as rows."""
    if step.failure:
        sys.exit(f"{step.output}: the study of this network failed: {step.failure}")
    network = StudyNetwork(
        read_candidate(model, read_record(model)).network,
        step.training,
        step.samples("validation"),
        replace(step.training_settings.compile, ema_momentum=0.0),  # measured as it trains
        step.batch_size,
        step.seed,
    )
    rows = []
    for row in measure(network):
        rows.append(row)
        print(f"{len(rows)}: {row}", flush=True)
    described = {name: step.settings[name] for name in ("dataset", "topology")}
    step.dependencies.write(step.output, {**described, "seed": step.seed, "rows": rows})
