"""A trainer that trains nothing: scores are drawn, and candidates fail at random."""

from collections import defaultdict
from dataclasses import replace
from typing import NoReturn

import numpy as np

from netsurgery.networks.costs import multiplications
from netsurgery.networks.network import Network, initialise
from netsurgery.networks.topology import Topology
from netsurgery.search.first_look import Look
from netsurgery.search.records import Record, RoundResult, Status
from netsurgery.search.speed import Speed
from netsurgery.search.steps import FINAL
from netsurgery.search.trainer import Training
from netsurgery.search.winners import model_name
from netsurgery.storage.random_streams import random_stream
from netsurgery.surgery import mutate_topology


class FakeTrainer:
    """Gives every training step a record of its own.

    Args:
        topology: the starting one.
        batches_per_epoch: batches in an epoch.
        failing: the share of training steps that fail, but for the first and the last one.
        seed: of all draws.
        speed: that the first training measures.
        validation_samples: that score networks.
    """

    def __init__(
        self,
        topology: Topology,
        batches_per_epoch=10,
        failing=0.0,
        seed=0,
        speed: Speed | None = None,
        validation_samples=1000,
    ):
        self.topology, self.seed, self.speed = topology, seed, speed
        self.validation_samples = validation_samples
        self.batches_per_epoch, self.failing = batches_per_epoch, failing
        self.records: dict[str, Record] = {}
        self.seconds = self.speed.measuring if self.speed else 0.0
        self.spent: dict[int, int] = defaultdict(int)  # batches of the budget, by generation

    def train(self, training: Training) -> Record:
        rng = random_stream(self.seed, training.generation, training.step)
        record = self._before(training)
        surgery = record.history == () and record.operation not in (None, "identity")
        may_fail = (training.model or training.fresh) and training.step != FINAL
        fails = may_fail and rng.random() < self.failing
        status = record.status
        if status == Status.OK and fails:
            choices = [Status.DIVERGED, Status.TIMED_OUT] + [Status.DEGENERATE] * surgery
            status = choices[rng.integers(len(choices))]
        wanted = sum(training.batches.values())
        if record.status != Status.OK or status == Status.DEGENERATE:
            spent = 0
        else:
            spent = min(wanted, 1) if status == Status.DIVERGED else wanted
        score = float(rng.random()) if status == Status.OK else None
        loss = None if score is None else 1 - score
        entry = {"epoch": 1.0, "loss": 1.0, "val_loss": loss, "val_accuracy": score}
        record = replace(
            record,
            step=list(training.batches)[-1],
            status=status,
            score=score,
            history=(*record.history, entry),
            batches_spent=spent,
            validation_samples=self.validation_samples,
            batches_trained=record.batches_trained + spent,
            rounds={name: RoundResult(spent, score) for name in training.batches},
        )
        self.spent[training.generation] += record.batches_counted
        self.seconds += record.seconds_spent(self.speed)
        self.records[model_name(training.generation, training.step)] = record
        return record

    def network(self, model: str) -> Network:
        topology = Topology.from_json(self.records[model].topology)
        return initialise(topology, np.random.default_rng(self.seed))

    def calibration(self, count: int) -> NoReturn:
        raise AssertionError(f"no search of these reads samples, not {count}")

    def look(self, model: str, growths) -> list[Look]:
        topology = Topology.from_json(self.records[model].topology)
        rng = random_stream(self.seed, "look", model)
        made = [mutate_topology(topology, mutation) for mutation in growths]
        return [
            Look(mutation, child.parameters, multiplications(child), float(rng.random()))
            for mutation, child in zip(growths, made, strict=True)
        ]

    def _before(self, training: Training) -> Record:
        if (fresh := training.fresh) is not None:
            topology = Topology.from_json(fresh.topology)
            return Record(
                candidate=fresh.candidate,
                parent=fresh.parent,
                operation=fresh.origin,
                position=None,
                generation=fresh.generation,
                step=training.step,
                topology=topology.to_json(),
                parameters=topology.parameters,
                batches_per_epoch=self.batches_per_epoch,
                epoch_cost=fresh.epoch_cost,
            )
        if training.model is None:
            return Record(
                candidate="g00c00",
                parent=None,
                operation=None,
                position=None,
                generation=0,
                step="warm-up",
                topology=self.topology.to_json(),
                parameters=self.topology.parameters,
                batches_per_epoch=self.batches_per_epoch,
                speed=self.speed,
            )
        record, child = self.records[training.model], training.offspring
        if child is None:
            return record
        topology = mutate_topology(Topology.from_json(record.topology), child.mutation)
        assert topology.parameters == child.parameters
        name, place = child.mutation.operation.name, child.mutation.position
        return record.child(child.candidate, child.generation, name, place, topology)
