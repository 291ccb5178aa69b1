"""Commands that train: each is one training step of one candidate, and writes its model and record.

They run in a child of the warm trainer or in a process of their own, with the same result.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from netsurgery import datasets, training
from netsurgery.jobs.training_step import TrainingStep
from netsurgery.keras_io import archive, preprocessing
from netsurgery.networks.network import Topology, initialise
from netsurgery.networks.topologies import build
from netsurgery.reproduction.studies.study_network import StudyNetwork
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.plans import Offspring
from netsurgery.search.records import Record, Status
from netsurgery.search.selection import Comparison, SelectionMode, select_contender
from netsurgery.search.surgeon.decision_point import select_branch
from netsurgery.storage.files import CHECKSUMS, checksums, write_json
from netsurgery.storage.random_streams import random_stream
from netsurgery.storage.settings import from_settings
from netsurgery.surgery import mutate, mutate_topology
from netsurgery.training import TrainableNetwork
from netsurgery.training.forward import FLOAT32

DATA_AWARE = "least_squares"  # the removal rule that wants calibration samples


def train_initial_network(
    step: TrainingStep, layers: list[dict[str, Any]], activation: str, epochs: int
) -> None:
    """Train the starting topology from fresh weights: a search's warm-up, or the whole baseline.

    Args:
        step: this one.
        layers: the hidden ones, as in the configuration (see `topologies.build`).
        activation: of the output layer, where it tells classes apart.
        epochs: to train.

    Raises:
        DataError: the topology is for images, which these data are not.
    """
    if step.failure:
        sys.exit(f"{step.output}: the starting topology cannot be trained: {step.failure}")
    data = datasets.describe(step.data)
    activation = "linear" if data["classes"] is None else activation
    try:
        topology = build(layers, tuple(data["shape"]), data["outputs"], activation)
    except ValueError as error:
        raise datasets.DataError(f"{data['origin']}: {error}") from None
    with step.clock("build"):
        learner = step.learner(initialise(topology, random_stream(step.seed, "initial weights")))
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
    )
    step.train(learner, record, {step.name: epochs * step.batches_per_epoch})


def train_offspring(
    step: TrainingStep,
    parent: Path,
    offspring: Offspring,
    operating: dict[str, Any],
    following: Mapping[str, int],
) -> None:
    """Operate on a parent and train the offspring for a while, as its plan says.

    The state of the optimizer goes on where the weights it belongs to do.

    Args:
        step: this one.
        parent: its model.
        offspring: its entry in a plan.
        operating: the settings of surgery.
        following: batches of the rounds that the offspring goes on to train.
    """
    rounds = {step.name: offspring.batches, **following}
    candidate, mutation = offspring.candidate, offspring.mutation
    record = read_record(parent)
    if step.failure:
        topology = mutate_topology(Topology.from_json(record.topology), mutation)
        record = record.child(
            candidate, offspring.generation, mutation.operation.name, mutation.position, topology
        )
        step.fail(record, rounds)
        return
    before = step.load(parent, record)
    rng = random_stream(step.seed, candidate, "surgery")
    with step.clock("surgery"):
        operated = mutate(
            before.network,
            mutation,
            rng,
            calibration=step.calibration(operating["calibration_samples"])
            if operating["removal_rule"] == DATA_AWARE
            else None,
            slots=before.slots,
            noise=operating["copy_noise"],
        )
    network = operated.network
    record = record.child(
        candidate,
        offspring.generation,
        mutation.operation.name,
        mutation.position,
        network.topology,
    )
    with step.clock("build"):
        learner = step.learner(network)
        learner.restore_slots(operated.slots, before.optimizer_state.steps)
    if not network.finite:
        step.write(
            learner, replace(record, status=Status.DEGENERATE).skipped(dict.fromkeys(rounds, 0))
        )
        return
    step.train(learner, record, rounds)


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
    index = select_branch(records, rank, step.settings["score_window"])
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


def finalize(
    step: TrainingStep, finalists: Sequence[Path], mode: SelectionMode, batches: int
) -> None:
    """Select the final candidate, train it with what is left of the budget, and test it once.

    Writes `network.keras` (the step's output), `model.keras`, which takes raw samples,
    `preprocessing.json` and `test.json`.
    """
    if step.failure:
        sys.exit(f"{step.output}: the final network cannot be trained or tested: {step.failure}")
    path, record = select_model(step, finalists, mode)
    learner = step.load(path, record)
    if batches and record.status == Status.OK:
        step.train(learner, record, {step.name: batches})
    else:
        step.skip(path, record, {step.name: 0})
    test = step.samples("test")
    as_read = TrainableNetwork(
        learner.network, step.settings | {"dtype_policy": FLOAT32}
    )  # by whoever loads it
    tested = training.evaluate(as_read, test, step.settings["extra_metrics"])
    data = datasets.describe(step.data)
    model = archive.load(step.output)
    whole = preprocessing.with_preprocessing(model, data, test.scaling, test.target)
    training.compile_model(whole, step.settings)
    raw = step.output.with_name("model.keras")
    archive.save(whole, raw)
    described = preprocessing.description(data, test.scaling, test.target)
    write_json(step.output.with_name("preprocessing.json"), described)
    finite = {k: v if training.finite([v]) else None for k, v in tested.items()}
    path = step.output.with_name("test.json")
    write_json(path, {"samples": len(test), **finite, CHECKSUMS: checksums(path, raw)})


def study(
    step: TrainingStep, model: Path, measure: Callable[[StudyNetwork], Iterable[dict[str, Any]]]
) -> None:
    """Look at a trained network, and write what was seen, a row after the other."""
    if step.failure:
        sys.exit(f"{step.output}: the study cannot be made: {step.failure}")
    network = read_candidate(model, read_record(model)).network
    base = StudyNetwork(
        network, step.training, step.samples("validation"), step.settings, step.seed
    )
    rows = []
    for row in measure(base):
        rows.append(row)
        print(f"{len(rows)}: {row}", flush=True)
    named = {name: step.settings[name] for name in ("dataset", "topology")}
    write_json(step.output, {**named, "seed": step.seed, "rows": rows})
