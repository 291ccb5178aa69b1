"""Searches as the workflow sees them, with plans from files and without Snakemake."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from netsurgery.config import loading
from netsurgery.jobs import ectonas, search
from netsurgery.search.ectonas.plans import GenerationBudget
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.steps import WARM_UP
from netsurgery.storage.files import write_json
from netsurgery.workflow.checkpoints import Checkpoints
from netsurgery.workflow.searches import Searches
from tests.support.factories import SCHEMA, history, start


class IncompleteError(Exception):
    """A plan is not there yet: what Snakemake raises in its place."""


def checkpoints(results) -> Checkpoints:
    """Plans that are there or not, in a results folder."""

    def existing(path):
        if not path.exists():
            raise IncompleteError(str(path))
        return str(path)

    def generation_plan(rule, search, seed, generation):
        return existing(Path(results, search, f"seed{seed}/generation{generation:02d}/plan.json"))

    def try_plan(search, seed, generation, attempt):
        folder = Path(results, search, f"seed{seed}/generation{generation:02d}/try{attempt}")
        return existing(folder / "plan.json")

    return Checkpoints(generation_plan, try_plan, IncompleteError)


def make_searches(results, given=None, before_files=lambda: None, **top) -> Searches:
    """The searches of a configuration; by default one of ECToNAS, `s`, on the digits."""
    given = given or {
        "s": {"algorithm": "ectonas", "dataset": "digits", "topology": "ff-small", "seeds": [0]}
    }
    config = loading.load({"results": str(results), "searches": given} | top, SCHEMA)
    return Searches(config, checkpoints(results), before_files)


def plan_first_generation(searches: Searches, name="s") -> GenerationPlan:
    """Plan the first generation of a search of ECToNAS, as its jobs would."""
    jobs = searches.jobs(name, 0)
    folder, settings = jobs.folder, dict(jobs.search.settings)
    record = replace(start("ff-small", (8, 8, 1), 10), history=history(0.5))
    write_json(folder.record(0, WARM_UP), record.to_json())
    search.init_search(folder)
    budget = GenerationBudget()
    ectonas.plan_generation(folder.winners(0), 1, settings, 0, budget, folder.plan(1))
    return jobs.generation(1)


def wildcards(search="s", seed="0", **others) -> SimpleNamespace:
    """The wildcards of a job."""
    return SimpleNamespace(search=search, seed=seed, **others)
