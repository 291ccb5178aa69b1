"""What the jobs of one search and seed depend on, whatever its algorithm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from netsurgery.config.model import Search
from netsurgery.objectives.step_rates import StepRates
from netsurgery.search.algorithms import Plan
from netsurgery.search.ectonas.priorities import HIGHEST
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import FinalPlan, GenerationPlan, Offspring, TrainingPlan
from netsurgery.search.steps import WARM_UP
from netsurgery.workflow.checkpoints import Checkpoints

Files = list[str]
TRACKED = "tracked.json"  # the marker of a generation that is logged to MLflow


@dataclass(frozen=True)
class SearchJobs(ABC):
    """The jobs of a search with one seed.

    Most methods read plans and so raise `Checkpoints.incomplete` while one is missing.
    """

    search: Search
    seed: int
    folder: SearchFolder
    checkpoints: Checkpoints
    plan_rule: ClassVar[str] = ""  # the rule that writes the plan of a generation; "": none does

    # --- plans ------------------------------------------------------------------------------------

    @abstractmethod
    def plan(self, generation: int) -> Plan:
        """Return the plan of a generation, or the final plan in its place."""

    def _planned(self, generation: int) -> Plan:
        """Return the plan of a generation that one rule writes as a whole."""
        name = self.search.name
        return self.checkpoints.read_generation(self.plan_rule, name, self.seed, generation)

    def plans(self) -> Iterator[Plan]:
        """Yield the plans in order; the final plan is the last one."""
        generation = 1
        while True:
            plan = self.plan(generation)
            yield plan
            if isinstance(plan, FinalPlan):
                return
            generation += 1

    def generation(self, generation: int) -> GenerationPlan:
        """Return the plan of a generation that has jobs."""
        plan = self.plan(generation)
        assert isinstance(plan, GenerationPlan)
        return plan

    def final_plan(self) -> FinalPlan | None:
        """Return the final plan; None if the algorithm plans nothing."""
        return next((plan for plan in self.plans() if isinstance(plan, FinalPlan)), None)

    def decision_files(self) -> Files:
        """List every record, plan and selection of parents of the search, in order."""
        files = [self.folder.record(0, WARM_UP), self.folder.winners(0)]
        for plan in self.plans():
            number = plan.generation
            files.append(self.folder.plan(number))
            files += [self.folder.generation(number) / name for name in plan.parts]
            if isinstance(plan, GenerationPlan):
                files += [self.folder.record(number, step) for step in plan.steps]
                files.append(self.folder.winners(number))
        return list(map(str, files))

    def decision_reports(self) -> Files:
        """List the human-readable files that explain decisions."""
        return []

    # --- training steps ---------------------------------------------------------------------------

    @abstractmethod
    def plan_with(self, generation: int, candidate: str) -> tuple[TrainingPlan, str]:
        """Return the plan that an offspring is in, and the plan's file."""

    def offspring(self, generation: int, candidate: str) -> Offspring:
        """Return the entry of an offspring in its plan."""
        return self.plan_with(generation, candidate)[0].child(candidate)

    def parent_model(self, generation: int, candidate: str) -> str:
        """Return the model file of an offspring's parent."""
        plan, _ = self.plan_with(generation, candidate)
        return str(self.folder.root / plan.model_of(plan.child(candidate).parent))

    def later_rounds(self, generation: int, step: str) -> list[str]:
        """List the rounds that a training step covers after its first one."""
        return []

    def round_epochs(self, generation: int) -> int:
        """Return the epochs of a round; 0 if the algorithm has no rounds."""
        return 0

    def rates(self, generation: int, step: str) -> StepRates:
        """Return which learning rates a training step has."""
        return self.search.rates

    def stream(self, generation: int, step: str) -> str | None:
        """Return what names the order of samples in a training step; None: it has its own."""
        return None

    def trained_beside(self, generation: int, step: str) -> int:
        """Return how many networks train at the same time as a step, itself included."""
        return 1

    def step_priority(self, generation: int, step: str) -> int:
        """Return how urgent a training step is, from 0 to `HIGHEST`."""
        return HIGHEST

    def outputs_of(self, generation: int, steps: list[str]) -> dict[str, Files]:
        """List the models and records of training steps."""
        return {
            "models": [str(self.folder.model(generation, step)) for step in steps],
            "records": [str(self.folder.record(generation, step)) for step in steps],
        }

    def generation_outputs(self, generation: int) -> dict[str, Files]:
        """List all records of a generation, and the models of those that may win it."""
        plan = self.generation(generation)
        last = [step for contenders in plan.winners for step in contenders]
        return {
            "records": [str(self.folder.record(generation, step)) for step in plan.steps],
            "models": [str(self.folder.model(generation, step)) for step in last],
        }

    # --- the final candidate ----------------------------------------------------------------------

    def finalists(self) -> Files:
        """List the models from which the final one is selected."""
        plan = self.final_plan()
        if plan is None:
            return [str(self.folder.model(0, WARM_UP))]
        return [str(self.folder.root / parent.model) for parent in plan.parents]

    def final_plan_file(self) -> Files:
        """List the file of the final plan, if there is one.

        A job that reads plans must not start while one of them is regenerated.
        """
        plan = self.final_plan()
        return [str(self.folder.plan(plan.generation))] if plan else []

    def remaining_batches(self) -> int:
        """Return the batches that the final candidate still trains."""
        plan = self.final_plan()
        return (plan.remaining_batches or 0) if plan else 0

    # --- MLflow -----------------------------------------------------------------------------------

    def tracked_generations(self, plans: list[Plan]) -> Files:
        """List the MLflow markers of the warm-up and of planned generations, in order."""
        numbers = [0, *(plan.generation for plan in plans if not isinstance(plan, FinalPlan))]
        return [str(self.folder.generation(number) / TRACKED) for number in numbers]

    def generation_log_inputs(self, generation: int) -> Files:
        """List what a generation logs to MLflow, and the marker of the previous one.

        The marker keeps generations in order.
        """
        if generation == 0:
            return [str(self.folder.record(0, WARM_UP)), str(self.folder.winners(0))]
        return [
            str(self.folder.generation(generation - 1) / TRACKED),
            str(self.folder.plan(generation)),
            *(
                str(self.folder.record(generation, step))
                for step in self.generation(generation).steps
            ),
            str(self.folder.winners(generation)),
        ]
