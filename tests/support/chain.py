"""A small results folder as the workflow leaves it, made without training or Snakemake."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from netsurgery import datasets
from netsurgery.jobs import ectonas, search
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import FinalPlan
from netsurgery.search.steps import WARM_UP
from netsurgery.storage.dependencies import Dependencies
from netsurgery.workflow.checkpoints import existing_plans
from netsurgery.workflow.dependencies import JobDependencies
from netsurgery.workflow.parameters import Parameters
from netsurgery.workflow.searches import Searches
from tests.support.factories import history, start


class Chain:
    """Writes the files of a search of ECToNAS, each with what it depends on.

    Args:
        config: The configuration.
        name: The search, which runs with its first seed.
        score: Of its initial network.
    """

    def __init__(self, config, name="s", score=0.5):
        self.config, self.score = config, score
        self.results = Path(config.results)
        self.search = config.searches[name]
        self.seed = self.search.seeds[0]
        searches = Searches(config, existing_plans(self.results), lambda: None)
        self.jobs = JobDependencies(Parameters(searches))
        self.folder = SearchFolder(self.results / name / f"seed{self.seed}")
        self.data = self.results / "_data" / self.search.settings["dataset"] / "data.json"
        self.split = self.folder.root / "split.json"

    def made_by(self, rule, **wildcards) -> Dependencies:
        """What the workflow passes to a job of a rule."""
        known = {"search": self.search.name, "seed": str(self.seed)} | wildcards
        return Dependencies.from_json(json.loads(self.jobs.of(rule)(SimpleNamespace(**known))))

    def write(self):
        """Write a search with one generation."""
        known = datasets.KnownFiles.of(self.data.parent)
        settings = self.config.datasets[self.data.parent.name].settings
        made = self.made_by("prepare_dataset", dataset=self.data.parent.name)
        content = datasets.content_of_files(settings, known)
        made.with_settings(files=content).write(self.data, {"n": 3})
        self.made_by("split_dataset").with_inputs([self.data]).write(self.split, {"n": 2})
        record = replace(start("ff-small", (8, 8, 1), 10), score=self.score)
        record = replace(record, history=history(self.score))
        first = self.folder.record(0, WARM_UP)
        self._write(first, record.to_json(), "train_initial_network")
        search.init_search(self.folder, self.made_by("init_search"))
        self._plan(1)
        plan = self.jobs.parameters.searches.jobs(self.search.name, self.seed).generation(1)
        for step in plan.steps:
            kind, _, name = step.partition("/")
            born = kind == "recuperation"
            wildcards = {"candidate": name} if born else {"slot": step}
            rule = "train_offspring" if born else "train_round"
            parents = [self.folder.record(1, each) for each in plan.contenders.get(step, ())]
            trained = record.to_json() | {"candidate": name if born else "", "step": step}
            path = self.folder.record(1, step)
            self._write(path, trained, rule, parents or [first], generation="01", **wildcards)
        made = self.made_by("select_parents", generation="01")
        winners = [self.folder.plan(1), self.folder.winners(0)]
        winners += [self.folder.record(1, step) for step in plan.steps]
        content = self.folder.read_winners(0).to_json()
        made.with_inputs(winners).write(self.folder.winners(1), content)
        final = FinalPlan(generation=2, parents=(), remaining_batches=0, reason="spent")
        made = self.made_by("plan_generation", generation="02")
        made.with_inputs([self.folder.winners(1)]).write(self.folder.plan(2), final.to_json())
        self._finish()
        return self

    def _write(self, path, value, rule, inputs=(), **wildcards):
        made = self.made_by(rule, **wildcards)
        made.with_inputs([self.data, self.split, *inputs]).write(path, value)

    def _plan(self, generation):
        settings = dict(self.search.settings)
        number = f"{generation:02d}"
        ectonas.plan_generation(
            self.folder.winners(generation - 1),
            generation,
            settings,
            self.seed,
            GenerationBudget(),
            self.folder.plan(generation),
            self.made_by("plan_generation", generation=number),
        )

    def _finish(self):
        final = self.folder.final
        network = final / "network.json"
        self._write(network, {"score": 1}, "finalize", [self.folder.winners(1)])
        for name in ("test", "preprocessing"):
            self._write(final / f"{name}.json", {"loss": 1}, "finalize", [network])
        for name in ("errors", "exports"):
            path = final / f"{name}.json"
            self._write(path, {}, "export_model", [final / "test.json", network])
        known = [final / f"{name}.json" for name in ("network", "test", "errors", "exports")]
        made = self.made_by("summarize_search").with_inputs(known)
        made.write(final / "summary.json", {"loss": 1})
        made = self.made_by("plot_search").with_inputs([final / "summary.json"])
        made.write(self.folder.root / "plots/checksums.json", {})
        made = self.made_by("summarize_all").with_inputs([final / "summary.json"])
        made.write(self.results / "summary.json", {})

    def copied(self, folder):
        """Copy the results folder."""
        return Path(shutil.copytree(self.results, folder, symlinks=True))
