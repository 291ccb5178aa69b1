"""Input functions of rules."""

from __future__ import annotations

from pathlib import Path

from netsurgery import datasets
from netsurgery.search.layout import SearchFolder
from netsurgery.workflow.checkpoints import Wildcards
from netsurgery.workflow.search_jobs import Files
from netsurgery.workflow.searches import Searches


def no_files(wildcards: Wildcards) -> Files:
    """List nothing; the last entry of an input in which another function waits for plans.

    Snakemake regenerates a job after every plan of any search if the last function of its input
    waits for one, else only after the plan that it waits for.
    """
    return []


class Inputs:
    """Input functions; each lists files for the wildcards of a job.

    Args:
        searches: The searches of the configuration.
        data_is_made: Whether rules of a workflow that imports this one may make the data files.
    """

    def __init__(self, searches: Searches, *, data_is_made: bool = False) -> None:
        self.searches = searches
        self.data_is_made = data_is_made

    # --- datasets ---------------------------------------------------------------------------------

    def dataset_files(self, wildcards: Wildcards) -> Files:
        """List the files of a dataset that other rules make.

        The user's own files are no inputs: not their dates decide whether they have changed, but
        their contents (see `netsurgery.workflow.outdated`).
        """
        settings = self.searches.dataset(wildcards).settings
        return list(map(str, datasets.input_paths(settings).values())) if self.data_is_made else []

    def prepared_data(self, wildcards: Wildcards) -> dict[str, str]:
        """Name the prepared dataset of a job's search."""
        dataset = self.searches.search(wildcards).settings["dataset"]
        folder = f"{self.searches.config.results}/_data/{dataset}"
        return {"data": f"{folder}/data.json", "x": f"{folder}/x.npy", "y": f"{folder}/y.npy"}

    def samples(self, wildcards: Wildcards) -> dict[str, str]:
        """Name the prepared dataset of a job's search, and its split."""
        split = self.searches.of(wildcards).folder.root / "split.npz"
        return self.prepared_data(wildcards) | {"split": str(split)}

    # --- generations ------------------------------------------------------------------------------

    def previous_winners(self, wildcards: Wildcards) -> str:
        """Name the file with the parents of a generation."""
        folder = self.searches.of(wildcards).folder
        return str(folder.winners(int(wildcards.generation) - 1))

    def generation_outputs(self, wildcards: Wildcards) -> dict[str, Files]:
        """List all records of a generation, and the models of those that may win it."""
        return self.searches.of(wildcards).generation_outputs(int(wildcards.generation))

    def generation_records(self, wildcards: Wildcards) -> Files:
        """List all records of a generation."""
        return self.generation_outputs(wildcards)["records"]

    def plan_of_candidate(self, wildcards: Wildcards) -> str:
        """Name the plan that an offspring is in."""
        jobs, generation = self.searches.of(wildcards), int(wildcards.generation)
        return jobs.plan_with(generation, wildcards.candidate)[1]

    def parent_model(self, wildcards: Wildcards) -> str:
        """Name the model of an offspring's parent."""
        jobs, generation = self.searches.of(wildcards), int(wildcards.generation)
        return jobs.parent_model(generation, wildcards.candidate)

    def contenders(self, wildcards: Wildcards) -> dict[str, Files]:
        """List models and records of the group whose winner a job trains."""
        jobs, generation = self.searches.ectonas(wildcards), int(wildcards.generation)
        return jobs.contenders(generation, wildcards.slot)

    # --- rounds of Arbor --------------------------------------------------------------------------

    def arbor_inputs(self, wildcards: Wildcards) -> dict[str, Files]:
        """List what a generation of Arbor is planned from."""
        return self.searches.arbor(wildcards).plan_inputs(int(wildcards.generation))

    def previous_models(self, wildcards: Wildcards) -> Files:
        """List the models of the generation before, which a generation may start from."""
        return self.searches.arbor(wildcards).models_of(int(wildcards.generation) - 1)

    def model_before(self, wildcards: Wildcards) -> str:
        """Name the model that a candidate of Arbor has before its learning rate falls."""
        jobs, generation = self.searches.arbor(wildcards), int(wildcards.generation)
        return jobs.model_before(generation, wildcards.step)

    def teacher(self, wildcards: Wildcards) -> Files:
        """List the model that a network with fresh weights learns from, if there is one."""
        jobs, generation = self.searches.arbor(wildcards), int(wildcards.generation)
        return jobs.teacher(generation, wildcards.step)

    # --- decision points of the Surgeon -----------------------------------------------------------

    def analysis_inputs(self, wildcards: Wildcards) -> dict[str, str | Files]:
        """Name the models that a decision point starts with, and samples if it needs them."""
        jobs = self.searches.surgeon(wildcards)
        samples = self.samples(wildcards) if jobs.analysis_settings else {}
        return {"models": jobs.branch_models(int(wildcards.generation)), **samples}

    def try_inputs(self, wildcards: Wildcards) -> dict[str, str | Files]:
        """List what a try is planned from."""
        jobs, generation = self.searches.surgeon(wildcards), int(wildcards.generation)
        return jobs.try_inputs(generation, int(wildcards.attempt))

    def try_candidates(self, wildcards: Wildcards) -> dict[str, Files]:
        """List models and records of all candidates of a try."""
        jobs, generation = self.searches.surgeon(wildcards), int(wildcards.generation)
        return jobs.try_candidates(generation, int(wildcards.attempt))

    def try_plans(self, wildcards: Wildcards) -> Files:
        """List the plans of a decision point's tries, and the verdict."""
        return self.searches.surgeon(wildcards).try_files(int(wildcards.generation))

    # --- the end of a search ----------------------------------------------------------------------

    def decision_files(self, wildcards: Wildcards) -> Files:
        """List every record, plan and selection of parents of a search, in order."""
        return self.searches.of(wildcards).decision_files()

    def finalists(self, wildcards: Wildcards) -> Files:
        """List the models from which the final one is selected."""
        return self.searches.of(wildcards).finalists()

    def final_plan(self, wildcards: Wildcards) -> Files:
        """List the file of the final plan, if there is one."""
        return self.searches.of(wildcards).final_plan_file()

    # --- MLflow -----------------------------------------------------------------------------------

    def generation_log_inputs(self, wildcards: Wildcards) -> Files:
        """List what a generation logs to MLflow, and the marker of the previous one."""
        return self.searches.of(wildcards).generation_log_inputs(int(wildcards.generation))

    def tracked_generations(self, wildcards: Wildcards) -> Files:
        """List the MLflow markers of all generations of a search."""
        jobs = self.searches.of(wildcards)
        return jobs.tracked_generations(list(jobs.plans()))

    def reference(self, wildcards: Wildcards) -> Files:
        """List the file of the reference models, if the search has them."""
        config, name = self.searches.config, wildcards.search
        if not config.searches[name].settings["reference"]:
            return []
        return [str(SearchFolder(Path(config.results) / name / f"seed{wildcards.seed}").reference)]
