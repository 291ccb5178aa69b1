"""Parameter functions of rules.

A job reruns when one of its parameters changes, so each job gets only what its result depends on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from netsurgery.objectives import step_rates
from netsurgery.search.size_limit import SizeLimits
from netsurgery.search.steps import FINAL, WARM_UP, branch_step, recuperation_step
from netsurgery.storage.canonical import canonical_json
from netsurgery.storage.settings import setting_names
from netsurgery.tracking import uri
from netsurgery.tracking.state import TrackingState
from netsurgery.workflow.checkpoints import Wildcards
from netsurgery.workflow.searches import Searches

# settings that change which jobs run, but not what comes of them
WITHOUT_RESULT = ("seeds", "time_limit", "reference")
LIMITS = setting_names(SizeLimits)


def step_of(wildcards: Wildcards) -> str | None:
    """Return the training step of a job in a generation; None for other training jobs."""
    for name in ("slot", "step"):
        if (step := getattr(wildcards, name, None)) is not None:
            return step
    candidate = getattr(wildcards, "candidate", None)
    return recuperation_step(candidate) if candidate else None


def place_of(wildcards: Wildcards) -> tuple[int, str]:
    """Return the generation and the training step of a job in a generation."""
    generation = int(wildcards.generation)
    if (attempt := getattr(wildcards, "attempt", None)) is not None:
        return generation, branch_step(int(attempt), int(wildcards.rank))
    step = step_of(wildcards)
    assert step is not None
    return generation, step


def result_settings_json(settings: Mapping[str, Any]) -> str:
    """The settings of a search that its result depends on, as JSON."""
    kept = {key: value for key, value in settings.items() if key not in WITHOUT_RESULT}
    return canonical_json(kept)


class Parameters:
    """Parameter functions; each gives a value for the wildcards of a job."""

    def __init__(self, searches: Searches) -> None:
        self.searches = searches
        # one text for all jobs of a search
        self._settings_json = cache(self._uncached_settings_json)

    # --- settings ---------------------------------------------------------------------------------

    def _uncached_settings_json(self, search: str, names: tuple[str, ...]) -> str:
        return canonical_json(self.searches.config.searches[search].pick(names))

    def settings(self, names: Iterable[str]) -> Callable[[Wildcards], str]:
        """Return a function that gives these settings of a job's search, as JSON."""
        chosen = tuple(names)
        return lambda wildcards: self._settings_json(wildcards.search, chosen)

    def split_settings(self, wildcards: Wildcards) -> str:
        """Return the settings of the split of a job's search and seed, as JSON."""
        return canonical_json(self.searches.search(wildcards).split_settings(int(wildcards.seed)))

    def result_settings(self, wildcards: Wildcards) -> str:
        """Return all settings of a job's search that its result depends on, as JSON."""
        return result_settings_json(self.searches.search(wildcards).settings)

    def dataset_settings(self, wildcards: Wildcards, output: Any) -> str:
        """Return the settings of a dataset, as JSON; like `folder`, no reason to rerun a job."""
        return canonical_json(self.searches.dataset(wildcards).settings)

    def layers(self, wildcards: Wildcards) -> str:
        """Return the hidden layers of the starting topology, as JSON."""
        return canonical_json(self.searches.search(wildcards).layers)

    def starting_model(self, wildcards: Wildcards, output: Any) -> str:
        """Return the user's model that a search starts from as JSON; like `folder`, no reason."""
        model = self.searches.search(wildcards).model
        return json.dumps(None if model is None else model.to_json())

    def output_activation(self, wildcards: Wildcards) -> str:
        """Return the activation of the output layer for classification."""
        return self.searches.search(wildcards).output_activation

    def first_epochs(self, wildcards: Wildcards) -> str:
        """Return the epochs that the initial network trains, as JSON."""
        return json.dumps(self.searches.search(wildcards).first_epochs)

    def first_seconds(self, wildcards: Wildcards, output: Any) -> str:
        """Return the seconds that it may train, as JSON; like `folder`, no reason to rerun."""
        return json.dumps(self.searches.search(wildcards).first_seconds)

    def limits(self, wildcards: Wildcards, output: Any) -> str:
        """Return the limits on size as JSON; like `folder`, no reason to rerun a job."""
        return canonical_json(self.searches.search(wildcards).pick(LIMITS))

    def folder(self, wildcards: Wildcards, output: Any) -> Path:
        """Return the folder of a job's search and seed.

        `output` makes this a derived parameter in Snakemake's sense: no reason to rerun a job.
        """
        return self.searches.of(wildcards).folder.root

    # --- plans ------------------------------------------------------------------------------------

    def offspring(self, wildcards: Wildcards) -> str:
        """Return the entry of an offspring in its plan, as JSON."""
        jobs, generation = self.searches.of(wildcards), int(wildcards.generation)
        return canonical_json(jobs.offspring(generation, wildcards.candidate).to_json())

    def later_rounds(self, wildcards: Wildcards) -> list[str]:
        """Return the rounds that a training job covers after its first one."""
        step = step_of(wildcards)
        if step is None:
            return []
        return self.searches.of(wildcards).later_rounds(int(wildcards.generation), step)

    def round_epochs(self, wildcards: Wildcards) -> int:
        """Return the epochs of each round that a training job covers."""
        return self.searches.of(wildcards).round_epochs(int(wildcards.generation))

    def rates(self, wildcards: Wildcards) -> str:
        """Return which learning rates a step of a generation has, as JSON."""
        return self._rates(wildcards, *place_of(wildcards))

    def first_rates(self, wildcards: Wildcards) -> str:
        """Return which learning rates the first training has, as JSON."""
        return self._rates(wildcards, 0, WARM_UP)

    def final_rates(self, wildcards: Wildcards) -> str:
        """Return which learning rates the last training has, as JSON."""
        jobs = self.searches.of(wildcards)
        plan = jobs.final_plan()
        return self._rates(wildcards, plan.generation if plan else 0, FINAL)

    def _rates(self, wildcards: Wildcards, generation: int, step: str) -> str:
        rates = self.searches.of(wildcards).rates(generation, step)
        return canonical_json(step_rates.to_json(rates))

    def target(self, wildcards: Wildcards) -> str:
        """Return the value of the objective at which a step of a generation ends, as JSON."""
        return self._target(wildcards, place_of(wildcards)[1])

    def first_target(self, wildcards: Wildcards) -> str:
        """Return the same of the first training."""
        return self._target(wildcards, WARM_UP)

    def final_target(self, wildcards: Wildcards) -> str:
        """Return the same of the last training."""
        return self._target(wildcards, FINAL)

    def _target(self, wildcards: Wildcards, step: str) -> str:
        return canonical_json(self.searches.search(wildcards).target_of(step))

    def stream(self, wildcards: Wildcards) -> str:
        """Return what names the order of samples in a step, as JSON; null: it has its own."""
        if getattr(wildcards, "generation", None) is None:
            return canonical_json(None)
        return canonical_json(self.searches.of(wildcards).stream(*place_of(wildcards)))

    def selection_mode(self, wildcards: Wildcards) -> str:
        """Return how the winner among a job's contenders is selected."""
        jobs, generation = self.searches.ectonas(wildcards), int(wildcards.generation)
        return jobs.selection_mode(generation, wildcards.slot)

    def generation_budget(self, wildcards: Wildcards) -> str:
        """Return what a generation of ECToNAS may cost."""
        return self.searches.ectonas(wildcards).generation_budget(int(wildcards.generation))

    def arbor_allowance(self, wildcards: Wildcards) -> str:
        """Return all that a generation of Arbor knows of the budget."""
        return str(self.searches.arbor(wildcards).allowance(int(wildcards.generation)))

    def is_round(self, wildcards: Wildcards) -> str:
        """Return whether a generation of Arbor is a round, as JSON."""
        return json.dumps(self.searches.arbor(wildcards).is_round(int(wildcards.generation)))

    def cooling_batches(self, wildcards: Wildcards) -> int:
        """Return the batches in which the learning rate of a candidate of Arbor falls."""
        return self.searches.arbor(wildcards).round(int(wildcards.generation)).cooling_batches

    def fresh(self, wildcards: Wildcards) -> str:
        """Return the entry of a network with fresh weights in its plan, as JSON."""
        plan = self.searches.arbor(wildcards).fresh_plan(int(wildcards.generation))
        return canonical_json(asdict(plan.network_of(wildcards.step)))

    def step_batches(self, wildcards: Wildcards) -> int:
        """Return the batches from one decision point of the Surgeon to the next."""
        jobs, generation = self.searches.surgeon(wildcards), int(wildcards.generation)
        return jobs.try_plan(generation, int(wildcards.attempt)).step_batches

    def analysis(self, wildcards: Wildcards) -> str:
        """Return the settings of the analysis of branches, as JSON; null if weights suffice."""
        return canonical_json(self.searches.surgeon(wildcards).analysis_settings)

    def analysis_samples(self, wildcards: Wildcards, input: Any, output: Any) -> str:
        """Return the arguments that name the samples of an analysis; like `folder`, no reason."""
        data = getattr(input, "data", None)
        return f"--data {Path(data).parent} --split {input.split}" if data else ""

    def try_allowance(self, wildcards: Wildcards) -> str:
        """Return all that a try of the Surgeon knows of the end of its search."""
        jobs, generation = self.searches.surgeon(wildcards), int(wildcards.generation)
        return jobs.try_allowance(generation, int(wildcards.attempt))

    def final_mode(self, wildcards: Wildcards) -> str:
        """Return how the final candidate is selected."""
        return self.searches.search(wildcards).final_mode

    def remaining_batches(self, wildcards: Wildcards) -> int:
        """Return the batches that the final candidate still trains."""
        return self.searches.of(wildcards).remaining_batches()

    # --- MLflow -----------------------------------------------------------------------------------

    @property
    def tracking_uri(self) -> str:
        """The tracking URI without credentials; another one is a reason to log everything again."""
        return uri.display_name(self.searches.config.tracking.get("uri"))

    def tracking(self, wildcards: Wildcards, output: Any) -> str:
        """Return the tracking settings as JSON; like `folder`, no reason to rerun a job."""
        return json.dumps(self.searches.config.tracking)

    def tracking_revision(self, wildcards: Wildcards) -> int:
        """Return a number that changes when a finished search has to be logged again."""
        results = Path(self.searches.config.results)
        revision = TrackingState(results).revision(f"{wildcards.search}/seed{wildcards.seed}")
        return revision + uri.is_missing(self.tracking_uri, results)

    # --- searches as Snakemake runs of their own --------------------------------------------------

    def lock_file(self, wildcards: Wildcards) -> str:
        """Return the file that a search's own run locks.

        Two runs of one search, one perhaps left on a cluster, take turns.
        """
        folder = f"{self.searches.config.results}/_runs/{wildcards.search}"
        return f"{folder}/seed{wildcards.seed}.lock"
