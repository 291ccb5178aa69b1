"""The jobs of the Surgeon: every try has a plan, as scores decide whether another one follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netsurgery.config.job_settings import ANALYSIS
from netsurgery.jobs import surgeon
from netsurgery.search.algorithms import Plan
from netsurgery.search.plans import FinalPlan, TrainingPlan
from netsurgery.search.steps import WARM_UP, recuperation_step
from netsurgery.search.surgeon.plans import TryPlan, Verdict
from netsurgery.search.surgeon.settings import AnalysisSettings, StoppingSettings
from netsurgery.search.surgeon.verdict import merge
from netsurgery.storage.settings import from_settings
from netsurgery.workflow.search_jobs import Files, SearchJobs

REPORTS = (
    "singular_values.json",
    "layers.csv",
    "recommendations.csv",
    "singular_values.svg",
    "decision_report.json",
)


class SurgeonJobs(SearchJobs):
    """The jobs of a search of the Surgeon with one seed."""

    plan_rule = "merge_tries"

    @property
    def analysis_settings(self) -> dict[str, Any]:
        """The settings of the analysis of branches; none if the weights suffice."""
        chosen = from_settings(AnalysisSettings, self.search.settings)
        return self.search.pick(ANALYSIS) if chosen.needs_samples else {}

    def try_plan(self, generation: int, attempt: int) -> TryPlan:
        """Return the plan of a try that has jobs."""
        plan = self._read(generation, attempt)
        assert isinstance(plan, TryPlan)
        return plan

    def tries(self, generation: int) -> Iterator[TryPlan | Verdict | FinalPlan]:
        """Yield the plans of a decision point: its tries and their verdict, or the final plan."""
        attempt = 1
        while True:
            plan = self._read(generation, attempt)
            yield plan
            if not isinstance(plan, TryPlan):
                return
            attempt += 1

    def _read(self, generation: int, attempt: int) -> TryPlan | Verdict | FinalPlan:
        return self.checkpoints.read_try(self.search.name, self.seed, generation, attempt)

    def try_files(self, generation: int) -> Files:
        """List the files of all plans of a decision point."""
        count = len(list(self.tries(generation)))
        paths = (self.folder.try_plan(generation, number) for number in range(1, count + 1))
        return list(map(str, paths))

    def plan(self, generation: int) -> Plan:
        """Return a whole decision point as one plan, or the final plan."""
        return merge(list(self.tries(generation)))

    def plan_with(self, generation: int, candidate: str) -> tuple[TrainingPlan, str]:
        """Return the plan of the try that an offspring is in, and the plan's file."""
        for plan in self.tries(generation):
            if isinstance(plan, TryPlan) and any(
                child.candidate == candidate for child in plan.offspring
            ):
                return plan, str(self.folder.try_plan(generation, plan.attempt))
        raise LookupError(f"{candidate} is in no try of decision point {generation}")

    def branch_models(self, generation: int) -> Files:
        """List the models that a decision point starts with."""
        for number in range(generation - 1, 0, -1):
            if winners := self.generation(number).winners:
                return [str(self.folder.model(number, step)) for (step,) in winners]
        return [str(self.folder.model(0, WARM_UP))]

    def try_candidates(self, generation: int, attempt: int) -> dict[str, Files]:
        """List models and records of all candidates of a try."""
        children = self.try_plan(generation, attempt).offspring
        steps = [recuperation_step(child.candidate) for child in children]
        return self.outputs_of(generation, steps)

    def try_inputs(self, generation: int, attempt: int) -> dict[str, str | Files]:
        """List what a try is planned from: the branches, and all earlier tries."""
        earlier = [self.try_plan(generation, number) for number in range(1, attempt)]
        folder = self.folder
        inputs: dict[str, str | Files] = {
            "winners": [str(folder.winners(number)) for number in range(generation)],
            "tries": [str(folder.try_plan(generation, plan.attempt)) for plan in earlier],
            "records": [
                str(folder.record(generation, step)) for plan in earlier for step in plan.steps
            ],
        }
        # after the last epoch there is nothing to decide
        stopping = from_settings(StoppingSettings, self.search.settings)
        if stopping.epochs_left(generation - 1) > 0:
            inputs["singular_values"] = str(folder.singular_values(generation))
        return inputs

    def try_allowance(self, generation: int, attempt: int) -> str:
        """Return all that a try knows of the end of the search."""
        settings = dict(self.search.settings)
        return str(surgeon.allowance(self.folder, generation, attempt, settings))

    def remaining_batches(self) -> int:
        """Return the batches that the final candidate still trains."""
        plan = self.final_plan()
        if plan is None or plan.remaining_batches is not None:
            return super().remaining_batches()
        return surgeon.remaining_batches(self.folder, plan.generation, dict(self.search.settings))

    def decision_reports(self) -> Files:
        """List the human-readable files that explain decisions."""
        decided = [p.generation for p in self.plans() if not isinstance(p, FinalPlan)]
        return [str(self.folder.generation(n) / name) for n in decided for name in REPORTS]
