"""Replacement for `netsurgery.jobs.train`: writes records with random scores without training."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from netsurgery import datasets
from netsurgery.datasets.source import PARTS
from netsurgery.networks.topologies import build
from netsurgery.networks.topology import Topology
from netsurgery.report import error_analysis
from netsurgery.search import scores
from netsurgery.search.candidates import read_record, record_path
from netsurgery.search.plans import Offspring
from netsurgery.search.records import Record
from netsurgery.search.selection import Comparison, SelectionMode, select_contender
from netsurgery.storage.files import write_json, write_text
from netsurgery.storage.random_streams import random_stream
from netsurgery.storage.settings import from_settings
from netsurgery.storage.timer import Timer
from netsurgery.surgery import mutate_topology


def parse_options(arguments: Sequence[str]) -> dict[str, list[str]]:
    """The values of each option of a command line."""
    found: dict[str, list[str]] = {}
    for argument in arguments:
        if argument.startswith("--"):
            found[argument.removeprefix("--")] = []
        else:
            found[list(found)[-1]].append(argument)
    return found


class Step:
    """The training step of a command line."""

    def __init__(self, given: dict[str, list[str]]) -> None:
        self.given, self.clock = given, Timer()
        self.seed, self.name = int(given["seed"][0]), given["step"][0]
        self.settings: dict[str, Any] = json.loads(given["settings"][0])
        self.output = Path(given["output"][0])
        self.data = Path(given["data"][0])

    @property
    def batches_per_epoch(self) -> int:
        """Batches per epoch, from the training samples and the batch size."""
        with np.load(self.given["split"][0]) as parts:
            return -(-len(parts["training"]) // self.settings["batch_size"])

    def best(self) -> Record:
        """The winner of the previous group."""
        records = [read_record(Path(model)) for model in self.given["models"]]
        mode = SelectionMode(self.given["mode"][0])
        comparison = from_settings(Comparison, self.settings)
        index = select_contender(records, mode, comparison, self.seed, self.name)
        return records[index]

    def train(self, record: Record, first: int) -> None:
        """Write the record of a training step, and a placeholder for the model.

        Args:
            record: of the candidate so far.
            first: batches of the first round; further rounds may follow.
        """
        epochs = int(self.given.get("epochs", ["0"])[0])
        following = dict.fromkeys(
            self.given.get("later-rounds", ()), epochs * self.batches_per_epoch
        )
        batches = first + sum(following.values())
        rng = random_stream(self.seed, record.candidate, self.name)
        entries = list(record.history)
        for batch in range(record.batches_per_epoch, batches + 1, record.batches_per_epoch):
            epoch = (record.batches_trained + batch) / record.batches_per_epoch
            accuracy, loss = rng.uniform(0.5, 1, 2)
            values = {"accuracy": accuracy, "loss": loss}
            entries.append({"epoch": epoch, **values, **{f"val_{k}": v for k, v in values.items()}})
        if not entries:
            entries.append(
                {"epoch": 0.0, "accuracy": 0.5, "loss": 1.0, "val_accuracy": 0.5, "val_loss": 1.0}
            )
        record = replace(
            record,
            step=[self.name, *following][-1],
            batches_trained=record.batches_trained + batches,
            batches_spent=batches,
            history=tuple(entries),
        )
        score = scores.windowed_mean(
            record, self.settings["objective"], self.settings["score_window"]
        )
        write_text(self.output, "no model\n")
        timed = replace(
            record, score=score, began=self.clock.began, wall_seconds=self.clock.elapsed
        )
        write_json(record_path(self.output), timed.to_json())


def train_initial_network(step: Step) -> None:
    """Write the record of the initial network."""
    data = datasets.describe(step.data)
    layers, activation = json.loads(step.given["layers"][0]), step.given["activation"][0]
    topology = build(layers, tuple(data["shape"]), data["outputs"], activation)
    epoch = step.batches_per_epoch
    record = Record(
        candidate="g00c00",
        parent=None,
        operation=None,
        position=None,
        generation=0,
        step=step.name,
        topology=topology.to_json(),
        parameters=topology.parameters,
        batches_per_epoch=epoch,
    )
    step.train(record, int(step.given["epochs"][0]) * epoch)


def train_offspring(step: Step) -> None:
    """Write the record of an offspring."""
    offspring = Offspring.from_json(json.loads(step.given["offspring"][0]))
    mutation = offspring.mutation
    parent = read_record(Path(step.given["parent"][0]))
    topology = mutate_topology(Topology.from_json(parent.topology), mutation)
    child = parent.child(
        offspring.candidate,
        offspring.generation,
        mutation.operation.name,
        mutation.position,
        topology,
    )
    step.train(child, offspring.batches)


def train_round(step: Step) -> None:
    """Write the record of a round."""
    step.train(step.best(), int(step.given["epochs"][0]) * step.batches_per_epoch)


def finalize(step: Step) -> None:
    """Write the final record and test scores."""
    step.train(step.best(), int(step.given["batches"][0]))
    write_text(step.output.with_name("model.keras"), "no model\n")
    described = datasets.describe(step.data) | {"counts": dict.fromkeys(PARTS, 1)}
    write_json(step.output.with_name("preprocessing.json"), described)
    write_json(step.output.with_name("test.json"), {"samples": 1, "loss": 1.0, "accuracy": 0.5})


def export_model(step: Step) -> None:
    """Write the exports and the error analysis."""
    test = datasets.read_part(step.data, Path(step.given["split"][0]), "test")
    data = datasets.describe(step.data)
    outputs = random_stream(step.seed, "outputs").dirichlet(np.ones(data["outputs"]), len(test))
    wrong = error_analysis.classification_errors(test.x, test.y, test.indices, outputs, data)
    write_json(step.output.with_name("errors.json"), wrong)
    check = {"samples": 0, "why": "there is no model"}
    write_json(step.output.with_name("exports.json"), {"check": check, "exports": []})


COMMANDS = {
    "train_initial_network": train_initial_network,
    "train_offspring": train_offspring,
    "train_round": train_round,
    "finalize": finalize,
    "export_model": export_model,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one training step."""
    command, *options = sys.argv[1:] if arguments is None else arguments
    COMMANDS[command](Step(parse_options(options)))


if __name__ == "__main__":
    main()
