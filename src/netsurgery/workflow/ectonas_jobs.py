"""The jobs of ECToNAS: a generation has one plan, and its brackets have rounds."""

from __future__ import annotations

from functools import cache

from netsurgery.jobs import ectonas
from netsurgery.objectives.step_rates import StepRates
from netsurgery.search.algorithms import Plan, read_plan
from netsurgery.search.ectonas import priorities
from netsurgery.search.ectonas.budget import step_rates
from netsurgery.search.ectonas.plans import BracketPlan
from netsurgery.search.ectonas.selection import mode_after
from netsurgery.search.ectonas.settings import BudgetSettings
from netsurgery.search.layout import SearchFolder
from netsurgery.search.plans import TrainingPlan
from netsurgery.search.selection import SelectionMode
from netsurgery.search.steps import FINAL
from netsurgery.storage.settings import from_settings
from netsurgery.workflow.search_jobs import Files, SearchJobs


class EctonasJobs(SearchJobs):
    """The jobs of a search of ECToNAS with one seed."""

    plan_rule = "plan_generation"

    def plan(self, generation: int) -> Plan:
        """Return the plan of a generation, or the final plan in its place."""
        return self._planned(generation)

    def generation(self, generation: int) -> BracketPlan:
        """Return the plan of a generation that has jobs."""
        plan = self.plan(generation)
        assert isinstance(plan, BracketPlan)
        return plan

    def plan_with(self, generation: int, candidate: str) -> tuple[TrainingPlan, str]:
        """Return the plan that an offspring is in, and the plan's file."""
        return self.generation(generation), str(self.folder.plan(generation))

    def generation_budget(self, generation: int) -> str:
        """Return what a generation may cost.

        It depends on the search's budget only if that is nearly spent: a larger budget is no reason
        to plan earlier generations again.
        """
        settings = dict(self.search.settings)
        return str(ectonas.generation_budget(self.folder, generation, settings, self.seed))

    def later_rounds(self, generation: int, step: str) -> list[str]:
        """List the rounds that a training step covers after its first one."""
        return list(self.generation(generation).rounds_of(step)[1:])

    def round_epochs(self, generation: int) -> int:
        """Return the epochs of a round."""
        return self.generation(generation).round_epochs

    def rates(self, generation: int, step: str) -> StepRates:
        """Return which learning rates a training step has.

        They depend on the search's budget, unless they are constant.
        """
        if generation == 0 or self.search.rates is None:
            return self.search.rates
        winners = self.folder.read_winners(generation - 1)
        budget = from_settings(BudgetSettings, self.search.settings)
        return step_rates(winners, budget, last=step == FINAL)

    def step_priority(self, generation: int, step: str) -> int:
        """Return how urgent a training step is; 0 while its generation is not planned."""
        try:
            return _step_priorities(self.folder, generation).get(step, 0)
        except FileNotFoundError:
            return 0

    def contenders(self, generation: int, step: str) -> dict[str, Files]:
        """List models and records of the group whose winner a step trains."""
        return self.outputs_of(generation, list(self.generation(generation).contenders[step]))

    def selection_mode(self, generation: int, step: str) -> str:
        """Return how the winner of a step's contenders is selected."""
        plan = self.generation(generation)
        last = plan.rounds_of(plan.contenders[step][0])[-1]
        return mode_after(last, SelectionMode(self.search.settings["mode"]))


@cache
def _step_priorities(folder: SearchFolder, generation: int) -> dict[str, int]:
    """Rank the steps of a generation once: Snakemake asks after every plan of any search."""
    plan = read_plan(folder.plan(generation))
    assert isinstance(plan, BracketPlan)
    return priorities.ranks(plan, folder.parents(plan))
