"""A fake search with the files of a real one, to be logged to MLflow."""

import copy
import shutil
from dataclasses import replace

import numpy as np

from netsurgery import datasets
from netsurgery.jobs import search as jobs
from netsurgery.report.error_analysis import by_class
from netsurgery.search.ectonas.plans import BracketPlan, GenerationBudget
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import FinalPlan, Offspring, Parent
from netsurgery.search.records import Status
from netsurgery.search.steps import WARM_UP, recuperation_step
from netsurgery.search.winners import Winner, Winners
from netsurgery.storage.files import read_json, write_json
from netsurgery.surgery import Mutation
from netsurgery.surgery.operations import by_name
from netsurgery.tracking import sync
from tests.support import factories
from tests.support.servers import PATIENCE

PER_EPOCH = 10
SETTINGS = dict(factories.search(topology="ff-small", budget=60).settings)
DIGITS = {"source": "sklearn", "name": "digits"}
BASELINE = dict(factories.search(topology="ff-small", algorithm="baseline", epochs=200).settings)


class FakeSearch:
    """A search without training, with the files of a real one: one slot each, one winner."""

    def __init__(self, results, name="s", seed=0, settings=SETTINGS, epochs=2):
        self.folder = SearchFolder(results / name / f"seed{seed}")
        self.seed, self.settings = seed, settings
        start = factories.start("ff-small", (8, 8, 1), PER_EPOCH)
        batches = epochs * PER_EPOCH
        start = replace(start, batches_trained=batches, batches_spent=batches)
        start = replace(start, history=factories.history(*[0.5] * epochs))
        write_json(self.folder.record(0, WARM_UP), start.to_json())
        jobs.init_search(self.folder)
        if not (results / "_data").exists():
            datasets.prepare("digits", DIGITS, results / "_data" / "digits")

    @property
    def results(self):
        """The results folder."""
        return self.folder.root.parents[1]

    def copied(self, name, store=None):
        """The same search in a copy of the results folder, perhaps with another store."""
        results = shutil.copytree(self.results, self.results.parent / name)
        if store:
            shutil.copyfile(store, results / "mlflow.db")
        search = copy.copy(self)
        search.folder = SearchFolder(results / self.folder.root.relative_to(self.results))
        return search

    def train(self, record, step, path, accuracy, batches):
        """Train a candidate a bit more; it diverges where the accuracy is None."""
        trained = record.batches_trained + batches
        entry = {"epoch": trained / PER_EPOCH, "loss": 0.3, "accuracy": 0.9, "val_loss": 0.4}
        record = replace(
            record,
            step=step,
            history=(*record.history, entry | {"val_accuracy": accuracy}),
            batches_trained=trained,
            batches_spent=batches,
            score=accuracy,
            status=Status.DIVERGED if accuracy is None else record.status,
        )
        write_json(path, record.to_json())
        return record

    def generation(self, number, *accuracies):
        """Offspring of the last winner, with these validation accuracies; the best one wins."""
        previous = self.folder.read_winners(number - 1)
        (parent,) = previous.records
        offspring, contenders, children = [], {}, []
        for i, accuracy in enumerate(accuracies):
            child = replace(
                parent,
                candidate=f"g{number:02d}c{i:02d}",
                parent=parent.candidate,
                operation="add_dense" if i else "identity",
                position=i or None,
                generation=number,
                history=(),
            )
            born = f"recuperation/{child.candidate}"
            slot = f"phase1/{child.operation}/round1/slot{i}"
            child = self.train(child, "recuperation", self.folder.record(number, born), 0.5, 1)
            child = self.train(child, slot, self.folder.record(number, slot), accuracy, PER_EPOCH)
            mutation = Mutation(by_name(child.operation), child.position)
            offspring.append(
                Offspring(
                    child.candidate, number, parent.candidate, mutation, child.parameters, batches=1
                )
            )
            contenders[slot] = (born,)
            children.append(child)
        plan = BracketPlan(
            generation=number,
            parents=(Parent(parent.candidate, ""),),
            budget=GenerationBudget(),
            batches=len(children) * (1 + PER_EPOCH),
            round_epochs=1,
            offspring=tuple(offspring),
            rejected=(),
            rounds={step: (step,) for step in [recuperation_step(c.candidate) for c in children]}
            | {step: (step,) for step in contenders},
            contenders=contenders,
            winners=(tuple(contenders),),
        )
        winner = max(children, key=lambda child: child.score or 0)
        winners = Winners((Winner(winner, ""),), previous.batches_spent + plan.batches)
        write_json(self.folder.plan(number), plan.to_json())
        write_json(self.folder.winners(number), winners.to_json())

    def finish(self, after):
        """The end after some generations: the last winner is trained on for half an epoch."""
        (winner,) = self.folder.read_winners(after).records
        self.train(winner, "final", self.folder.final / "network.json", 0.8, PER_EPOCH // 2)
        if self.settings["algorithm"] != "baseline":
            plan = FinalPlan(generation=after + 1, parents=(), remaining_batches=0, reason="")
            write_json(self.folder.plan(after + 1), plan.to_json())
        write_json(self.folder.final / "test.json", {"loss": 0.7, "accuracy": 0.75})
        (self.folder.final / "model.keras").write_bytes(f"trained after {after}".encode())
        samples = {"training": 1455, "validation": 162, "test": 180}
        described = datasets.describe(self.results / "_data" / "digits") | {"counts": samples}
        counts = np.eye(10, dtype=int)
        errors = {"task": "classification", "samples": 10, "classes": described["classes"]}
        errors |= {"confusion": counts.tolist(), "by_class": by_class(counts)}
        exports = {"check": {"samples": 0, "why": "there is no model"}, "exports": []}
        files = {"preprocessing": described, "errors": errors, "exports": exports}
        for name, content in files.items():
            write_json(self.folder.final / f"{name}.json", content)
        jobs.summarize_search(self.folder, self.settings, self.seed)

    def track(self, *untils, **options):
        """Log the search up to some generations, or the end; returns the last marker."""
        for until in untils:
            marker = self.folder.root / "tracked.json"
            tracking = sync.TrackingSettings(**{"timeout": PATIENCE} | options)
            sync.log_search(self.folder, until, self.settings, self.seed, marker, tracking)
        return read_json(marker)


def example(results, **options):
    """A finished search: two generations of three and two."""
    search = FakeSearch(results, **options)
    search.generation(1, 0.6, 0.7, None)
    search.generation(2, 0.75, 0.7)
    search.finish(2)
    return search
