"""Arbor beside what could stand in its place: test accuracy and processor time of each.

    python -m benchmarks.arbor.alternatives [--images FILE.npz] [--budget 60] [--seeds 3]
        [--max-parameters 50000] [--out FILE.jsonl] [NAME ...]

All have the same recipe, limit of parameters and budget, in epochs or a time. `no search` trains
the template. `fixed plan` widens the layers of the trunk in turn, and adds a cell to each turn,
without a choice; the last 60 % of the budget train what it gives, at a rate that falls. `brackets`
is ECToNAS. With `--out`, a line for each run is added to a file, and runs that it has are left out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from benchmarks.arbor.common import Settings, search_of, source_of, trainer_of

from netsurgery import datasets, training
from netsurgery.config.model import Search
from netsurgery.jobs.in_process import InProcessTrainer
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import CompileSettings
from netsurgery.search.account import Account
from netsurgery.search.arbor.growth import growths
from netsurgery.search.arbor.planning import falling_rates, warm_up_rates
from netsurgery.search.arbor.settings import ArborSettings
from netsurgery.search.candidates import read_candidate, read_record
from netsurgery.search.first_look import Look
from netsurgery.search.plans import Offspring
from netsurgery.search.steps import RECUPERATION, candidate_name, cooled_step, recuperation_step
from netsurgery.search.trainer import Training, initial_training
from netsurgery.search.winners import Winner, Winners, model_name
from netsurgery.storage.settings import from_settings
from netsurgery.surgery import Mutation, mutate_topology
from netsurgery.surgery.operations import ADD_CELL, ADD_CHANNELS, ADD_UNITS

RECIPE: Settings = {
    **{"learning_rate": 0.15, "momentum": 0.9, "schedule": "one_cycle", "weight_decay": 0.005},
    **{"statistics_momentum": 0.9, "score_window": 1, "augmentation": "auto", "batch_size": 128},
}
LAST = 0.6  # of the budget, after growth on a fixed plan


class RandomLooks(InProcessTrainer):
    """Looks at growths without seeing them."""

    def look(self, model: str, growths: Sequence[Mutation]) -> list[Look]:
        """Looks with random gradients, the same for each operation."""
        rng = np.random.default_rng([self.seed, len(growths)])
        looks = super().look(model, growths)
        return [replace(look, gradient=float(rng.random())) for look in looks]


def run_search(search: Search, trainer: InProcessTrainer) -> str:
    """The final model of a search."""
    search.algorithm.search(trainer, search.settings, trainer.seed)
    return "final/network.keras"


def _next_growth(topology: Topology, turn: int, settings: ArborSettings) -> Mutation | None:
    """The growth that comes next on the fixed plan; None if the limit allows none."""
    found = growths(topology, settings.rounds.growth)
    wider = [each for each in found if each.operation in (ADD_CHANNELS, ADD_UNITS)]
    deeper = [each for each in found if each.operation == ADD_CELL]
    if deeper and turn % (len(wider) + 1) == len(wider):
        return deeper[-1]
    return wider[turn % len(wider)] if wider else None


def grow_by_plan(search: Search, trainer: InProcessTrainer) -> str:
    """The final model of growth on a fixed plan."""
    settings, per_epoch = from_settings(ArborSettings, search.settings), trainer.batches_per_epoch
    budget, rate = settings.budget, settings.round_learning_rate
    warm_up = initial_training(budget.initial_epochs, per_epoch)
    trunk = Winners.first(trainer.train(replace(warm_up, rates=warm_up_rates(rate))))
    each, turn = settings.rounds.round_batches(per_epoch), 0
    while True:
        account, (record,) = Account.of(budget.budget, trunk), trunk.records
        topology = Topology.from_json(record.topology)
        mutation = _next_growth(topology, turn, settings)
        if mutation is None:
            break
        made, turn = mutate_topology(topology, mutation), turn + 1
        if account.left - account.cost(made, each) < account.part(LAST, account.total):
            break
        name = candidate_name(turn, 0)
        child = Offspring(name, turn, record.candidate, mutation, made.parameters, each)
        step, rates = recuperation_step(name), warm_up_rates(rate)
        planned = Training(
            turn, step, {RECUPERATION: each}, trunk.models[0], child, rates=rates, stream=step
        )
        record = trainer.train(planned)
        trunk = trunk.followed_by([Winner(record, model_name(turn, step))], [record])
    step = cooled_step(record.candidate)
    left = {step: account.batches(topology, account.left)}
    trainer.train(
        Training(turn, step, left, trunk.models[0], rates=falling_rates(rate), stream=step)
    )
    return model_name(turn, step)


@dataclass(frozen=True)
class Alternative:
    """What could stand in Arbor's place.

    Attributes:
        settings: besides the budget and the limit.
        trainer: of its networks.
        run: gives its final model, relative to the folder of the search.
    """

    settings: Mapping[str, object]
    trainer: type[InProcessTrainer] = InProcessTrainer
    run: Callable[[Search, InProcessTrainer], str] = run_search


ONE_SIZE: Settings = {"sizes": []}  # the others train no small network either
ALTERNATIVES = {
    "arbor": Alternative(ONE_SIZE),
    "no search": Alternative({**ONE_SIZE, "search_fraction": 0, "contest_fraction": 0}),
    "no rounds": Alternative({**ONE_SIZE, "search_fraction": 0}),
    "random growths": Alternative(ONE_SIZE, RandomLooks),
    "fixed plan": Alternative(ONE_SIZE, run=grow_by_plan),
    "brackets": Alternative({"algorithm": "ectonas", "topology": "cnn-tiny", **RECIPE}),
}


def measure(
    name: str, source: Settings, seed: int, shared: Settings, folder: Path
) -> dict[str, object]:
    """Run one alternative: what it found, and the seconds of the processor."""
    chosen = ALTERNATIVES[name]
    search = search_of({**shared, **chosen.settings}, source)
    trainer = trainer_of(search, source, seed, folder, chosen.trainer)
    start = time.process_time()
    model = trainer.folder.root / chosen.run(search, trainer)
    seconds = time.process_time() - start
    record = read_record(model)
    network = read_candidate(model, record).network
    plain = CompileSettings("sgd", 0.1, 0.0, "crossentropy")
    test = datasets.read_part(trainer.data, trainer.split, "test")
    scores = training.evaluate(training.TrainableNetwork(network, plain), test)
    return {
        "alternative": name,
        "seed": seed,
        "accuracy": scores["accuracy"],
        "parameters": record.parameters,
        "multiplications": record.costs.multiplications,
        "seconds": round(seconds, 1),
        **shared,
    }


def table(runs: Sequence[Mapping[str, object]]) -> str:
    """A row for each alternative."""
    rows = [
        "| | test accuracy, mean | range | parameters | processor seconds |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in ALTERNATIVES:
        own = [run for run in runs if run["alternative"] == name]
        if not own:
            continue
        values = {
            key: np.array([run[key] for run in own])
            for key in ("accuracy", "parameters", "seconds")
        }
        accuracy = 100 * values["accuracy"]
        rows.append(
            f"| {name} | {accuracy.mean():.1f} | {accuracy.min():.1f}-{accuracy.max():.1f} "
            f"| {values['parameters'].mean():,.0f} | {values['seconds'].mean():.0f} |"
        )
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[[], *ALTERNATIVES], default=[])
    parser.add_argument("--images", type=Path)
    parser.add_argument("--budget", default="60", help="epochs, or a time such as 200s")
    parser.add_argument("--max-parameters", type=int, default=50_000)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    shared: Settings = {
        "budget": float(given.budget) if given.budget.isdigit() else given.budget,
        "max_parameters": given.max_parameters,
        "precision": given.precision,
    }
    out: Path | None = given.out
    runs = [] if out is None or not out.exists() else list(map(json.loads, out.open()))
    done = {(run["alternative"], run["seed"]) for run in runs}
    for seed in range(given.seeds):
        for name in given.names or ALTERNATIVES:
            if (name, seed) in done:
                continue
            with tempfile.TemporaryDirectory() as folder:
                run = measure(name, source_of(given.images), seed, shared, Path(folder))
            runs.append(run)
            print(run, flush=True)
            if out is not None:
                with out.open("a") as file:
                    file.write(json.dumps(run) + "\n")
    print(table(runs))


if __name__ == "__main__":
    training.use_threads()
    main()
