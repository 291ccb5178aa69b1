"""The jobs of Arbor: a generation is a round of growths, a contest, or the final training."""

from __future__ import annotations

from netsurgery.jobs import arbor
from netsurgery.objectives.step_rates import StepRates
from netsurgery.search.algorithms import Plan
from netsurgery.search.arbor.planning import falling_rates, step_rates, stream_of, warm_up_rates
from netsurgery.search.arbor.plans import Allowance, FreshPlan, Part, RoundPlan
from netsurgery.search.plans import TrainingPlan
from netsurgery.search.steps import FINAL, WARM_UP
from netsurgery.search.winners import read_winners
from netsurgery.workflow.search_jobs import Files, SearchJobs


class ArborJobs(SearchJobs):
    """The jobs of a search of Arbor with one seed."""

    plan_rule = "plan_arbor"

    # --- plans ------------------------------------------------------------------------------------

    def plan(self, generation: int) -> Plan:
        """Return the plan of a generation, or the final plan in its place."""
        return self._planned(generation)

    def round(self, generation: int) -> RoundPlan:
        """Return the plan of a round."""
        plan = self.plan(generation)
        assert isinstance(plan, RoundPlan)
        return plan

    def fresh_plan(self, generation: int) -> FreshPlan:
        """Return the plan of a generation of networks with fresh weights."""
        plan = self.plan(generation)
        assert isinstance(plan, FreshPlan)
        return plan

    def plan_with(self, generation: int, candidate: str) -> tuple[TrainingPlan, str]:
        """Return the plan that an offspring is in, and the plan's file."""
        return self.round(generation), str(self.folder.plan(generation))

    def allowance(self, generation: int) -> Allowance:
        """Return all that a generation knows of the budget."""
        return arbor.allowance(self.folder, generation, dict(self.search.settings))

    def is_round(self, generation: int) -> bool:
        """Return whether a generation is a round, which needs a first look."""
        return self.allowance(generation).part is Part.ROUND

    def plan_inputs(self, generation: int) -> dict[str, Files]:
        """List what a generation is planned from: the trunk after each one, and the first look."""
        return {
            "winners": [str(self.folder.winners(number)) for number in range(generation)],
            "looks": [str(self.folder.first_look(generation))],
        }

    # --- training steps ---------------------------------------------------------------------------

    def models_of(self, generation: int) -> Files:
        """List all models of a generation."""
        if generation == 0:
            return [str(self.folder.model(0, WARM_UP))]
        return self.generation_outputs(generation)["models"]

    def model_before(self, generation: int, step: str) -> str:
        """Return the model of a candidate before its learning rate falls."""
        (before,) = self.round(generation).contenders[step]
        return str(self.folder.model(generation, before))

    def generation_outputs(self, generation: int) -> dict[str, Files]:
        """List all records and models of a generation: its winner goes on from an earlier one."""
        return self.outputs_of(generation, self.generation(generation).steps)

    def rates(self, generation: int, step: str) -> StepRates:
        """Return which learning rates a training step has."""
        rate = self.search.settings["round_learning_rate"]
        if step == WARM_UP:
            return warm_up_rates(rate)
        if step == FINAL:
            return falling_rates(rate)
        per_epoch = read_winners(self.folder.winners(0)).batches_per_epoch
        return step_rates(self.generation(generation), step, rate, per_epoch)

    def trained_beside(self, generation: int, step: str) -> int:
        """Return how many networks train beside one and cost at least as much, and itself."""
        plan = self.fresh_plan(generation)
        own = plan.network_of(step)
        beside = [network for network in plan.networks if network.teacher == own.teacher]
        return sum(network.cost >= own.cost for network in beside)

    def teacher(self, generation: int, step: str) -> Files:
        """List the model that a network with fresh weights learns from, if there is one."""
        teacher = self.fresh_plan(generation).network_of(step).teacher_step
        return [str(self.folder.model(generation, teacher))] if teacher else []

    def stream(self, generation: int, step: str) -> str | None:
        """Return what names the order of samples, the same for all competitors."""
        return None if step in (WARM_UP, FINAL) else stream_of(self.generation(generation), step)
