"""What the files of each job depend on: written into them, and compared when a run begins."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netsurgery import datasets
from netsurgery.config import job_settings
from netsurgery.storage.canonical import canonical_json
from netsurgery.storage.dependencies import Dependencies
from netsurgery.workflow.checkpoints import Wildcards
from netsurgery.workflow.code_stages import (
    DATA,
    EXPORT,
    MODEL,
    PLANNING,
    REPORT,
    SURGERY,
    TRAINING,
    code_digests,
)
from netsurgery.workflow.parameters import Parameters

Values = Callable[[Wildcards], Mapping[str, Any]]


@dataclass(frozen=True)
class Rule:
    """What the files of a rule's jobs depend on, besides other files of the search.

    Attributes:
        stages: The stages of the code that computes them.
        values: The settings and planned values that decide what the files say, by name.
    """

    stages: tuple[str, ...]
    values: Values


class JobDependencies:
    """What the files of each job depend on.

    Args:
        parameters: The parameters of jobs.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.rules = {
            "prepare_dataset": Rule((DATA,), self._prepare_dataset),
            "split_dataset": Rule((DATA,), self._split_dataset),
            "init_search": Rule((PLANNING,), self._seed),
            "plan_generation": Rule((PLANNING,), self._plan_generation),
            "select_parents": Rule((PLANNING,), self._settings(job_settings.SELECTION)),
            "plan_arbor": Rule((PLANNING,), self._plan_arbor),
            "first_look": Rule((PLANNING, TRAINING, SURGERY), self._first_look),
            "cool_down": Rule((TRAINING,), self._cool_down),
            "train_fresh": Rule((TRAINING,), self._train_fresh),
            "singular_values": Rule((PLANNING, SURGERY), self._analysis),
            "plan_try": Rule((PLANNING,), self._plan_try),
            "merge_tries": Rule((PLANNING,), self._seed),
            "decision_report": Rule((PLANNING, REPORT), self._report_decision),
            "train_initial_network": Rule((TRAINING,), self._train_initial_network),
            "train_offspring": Rule((TRAINING, SURGERY), self._train_offspring),
            "train_round": Rule((TRAINING,), self._train_round),
            "train_branch": Rule((TRAINING,), self._train_branch),
            "finalize": Rule((TRAINING, MODEL), self._finalize),
            "summarize_search": Rule((REPORT,), self._search),
            "export_model": Rule((EXPORT,), self._seed),
            "train_reference": Rule((REPORT,), self._seed),
            "plot_search": Rule((REPORT,), self._plot_search),
            "summarize_all": Rule((REPORT,), self._summarize_all),
            "surgery_fidelity": Rule((TRAINING, SURGERY), self._search),
            "pooling_trials": Rule((TRAINING, SURGERY), self._search),
        }

    def of(self, rule: str) -> Callable[[Wildcards], str]:
        """Return a parameter function that gives the dependencies of a rule's jobs, as JSON."""

        def dependencies(wildcards: Wildcards) -> str:
            found = self.expected(rule, wildcards)
            return canonical_json({"settings": found.settings, "code": found.code})

        return dependencies

    def expected(self, rule: str, wildcards: Wildcards) -> Dependencies:
        """Return what the files of a job depend on in this configuration, without its inputs."""
        chosen = self.rules[rule]
        return Dependencies(chosen.values(wildcards), code_digests(*chosen.stages))

    # --- values, by rule --------------------------------------------------------------------------

    def _seed(self, wildcards: Wildcards) -> dict[str, Any]:
        return {"seed": int(wildcards.seed)}

    def _settings(self, names: tuple[str, ...]) -> Values:
        settings = self.parameters.settings(names)
        return lambda wildcards: self._seed(wildcards) | json.loads(settings(wildcards))

    def _search(self, wildcards: Wildcards) -> dict[str, Any]:
        return self._seed(wildcards) | json.loads(self.parameters.result_settings(wildcards))

    def _summarize_all(self, wildcards: Wildcards) -> dict[str, Any]:
        config = self.parameters.searches.config
        runs = [[each.name, seed] for each in config.searches.values() for seed in each.seeds]
        return {"scale": config.scale, "searches": sorted(runs)}

    def _plot_search(self, wildcards: Wildcards) -> dict[str, Any]:
        return {"search": wildcards.search, **self._seed(wildcards)}  # both are in the titles

    def _report_decision(self, wildcards: Wildcards) -> dict[str, Any]:
        titles = self._plot_search(wildcards)
        return {**self._settings(job_settings.DECISION)(wildcards), **titles}

    def _prepare_dataset(self, wildcards: Wildcards) -> dict[str, Any]:
        settings = self.parameters.searches.dataset(wildcards).settings
        return datasets.settings_without_paths(settings)  # the job adds what the files hold

    def _split_dataset(self, wildcards: Wildcards) -> dict[str, Any]:
        dataset = self.parameters.searches.search(wildcards).settings["dataset"]
        settings = json.loads(self.parameters.split_settings(wildcards))
        return {"dataset": dataset, **self._seed(wildcards), **settings}

    def _plan_generation(self, wildcards: Wildcards) -> dict[str, Any]:
        budget = self.parameters.generation_budget(wildcards)
        return {**self._settings(job_settings.GENERATION)(wildcards), "allowed": budget}

    def _analysis(self, wildcards: Wildcards) -> dict[str, Any]:
        return {**json.loads(self.parameters.analysis(wildcards)), **self._seed(wildcards)}

    def _plan_try(self, wildcards: Wildcards) -> dict[str, Any]:
        allowed = self.parameters.try_allowance(wildcards)
        return {**self._settings(job_settings.DECISION)(wildcards), "allowed": allowed}

    def _plan_arbor(self, wildcards: Wildcards) -> dict[str, Any]:
        allowed = self.parameters.arbor_allowance(wildcards)
        return {**self._settings(job_settings.ROUND)(wildcards), "allowed": allowed}

    def _first_look(self, wildcards: Wildcards) -> dict[str, Any]:
        names = (*job_settings.TRAINING, *job_settings.SURGERY, *job_settings.GROWTH)
        needed = json.loads(self.parameters.is_round(wildcards))
        return {**self._settings(names)(wildcards), "is_round": needed}

    def _cool_down(self, wildcards: Wildcards) -> dict[str, Any]:
        return {
            **self._settings(job_settings.TRAINING)(wildcards),
            "batches": self.parameters.cooling_batches(wildcards),
            **self._course(wildcards),
        }

    def _train_fresh(self, wildcards: Wildcards) -> dict[str, Any]:
        return {
            **self._settings(job_settings.TRAINING)(wildcards),
            "fresh": json.loads(self.parameters.fresh(wildcards)),
            **self._course(wildcards),
        }

    def _train_initial_network(self, wildcards: Wildcards) -> dict[str, Any]:
        search = self.parameters.searches.search(wildcards)
        settings, searches = search.settings, search.algorithm.searches
        first = search.first_epochs
        epochs = {"warm_up_epochs": first} if searches else {"epochs": settings["epochs"]}
        if searches and search.first_seconds is not None:
            epochs |= {"budget": "a time"}  # whatever time: its figures stay
        return {
            **self._settings(job_settings.INITIAL)(wildcards),
            "topology": search.start,
            "output_activation": search.output_activation,
            **epochs,
            **_rates(self.parameters.first_rates(wildcards)),
        }

    def _train_offspring(self, wildcards: Wildcards) -> dict[str, Any]:
        return {
            **self._settings((*job_settings.TRAINING, *job_settings.SURGERY))(wildcards),
            "offspring": json.loads(self.parameters.offspring(wildcards)),
            **self._rounds(wildcards),
            **self._course(wildcards),
        }

    def _train_round(self, wildcards: Wildcards) -> dict[str, Any]:
        return {
            **self._settings(job_settings.MATCH)(wildcards),
            "mode": self.parameters.selection_mode(wildcards),
            **self._rounds(wildcards),
            **self._course(wildcards),
        }

    def _rounds(self, wildcards: Wildcards) -> dict[str, Any]:
        return {
            "round_epochs": self.parameters.round_epochs(wildcards),
            "later_rounds": self.parameters.later_rounds(wildcards),
        }

    def _train_branch(self, wildcards: Wildcards) -> dict[str, Any]:
        return {
            **self._settings(job_settings.MATCH)(wildcards),
            "batches": self.parameters.step_batches(wildcards),
            **self._course(wildcards),
        }

    def _course(self, wildcards: Wildcards) -> dict[str, Any]:
        """What a plan says of the learning rates and of the order of samples."""
        stream = json.loads(self.parameters.stream(wildcards))
        return _rates(self.parameters.rates(wildcards)) | ({"stream": stream} if stream else {})

    def _finalize(self, wildcards: Wildcards) -> dict[str, Any]:
        return {
            **self._settings(job_settings.MATCH)(wildcards),
            "mode": self.parameters.final_mode(wildcards),
            "batches": self.parameters.remaining_batches(wildcards),
            **_rates(self.parameters.final_rates(wildcards)),
        }


def _rates(text: str) -> dict[str, Any]:
    """The learning rates of a step, by what decides them; nothing if they are constant."""
    rates = json.loads(text) or {}
    length = {"schedule_epochs": rates.pop("epochs")} if "epochs" in rates else {}
    planned = {key: value for key, value in rates.items() if value}
    return length | ({"rates": planned} if planned else {})
