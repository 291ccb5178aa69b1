"""The Surgeon as an object (Schiessler et al., 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from netsurgery.search.algorithm import Algorithm, UnsuitableSettingError
from netsurgery.search.methods import RANDOM_WALK, SURGEON
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record
from netsurgery.search.selection import SelectionMode
from netsurgery.search.surgeon import loop
from netsurgery.search.surgeon.branches import next_branches
from netsurgery.search.surgeon.plans import DecisionPlan
from netsurgery.search.surgeon.settings import DecisionMode, SurgeonSettings
from netsurgery.search.trainer import Trainer
from netsurgery.search.winners import Winners
from netsurgery.storage.settings import from_settings
from netsurgery.surgery.settings import PoolingTransfer


class Surgeon(Algorithm):
    """Singular values recommend modifications, decision point after decision point."""

    name = "surgeon"
    title = SURGEON
    description = "the Surgeon, which reshapes a network during training, guided by singular values"
    reference = "Schiessler et al., *Neural network surgery*, Neural Networks 144, 2021"
    generation = "decision point"
    plans = (DecisionPlan,)
    # dense layers alone
    fixed_settings: ClassVar[Mapping[str, Any]] = {"pooling_transfer": PoolingTransfer.SUM.value}
    epoch_settings = ("epochs", "budget", "warm_up_epochs", "decision_epochs")
    # the score needs a measure that rises to 1
    task_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "regression": {"objective": "val_r2"},
    }

    def check(self, layers: Sequence[Mapping[str, Any]], task: str) -> None:
        """Dense layers only.

        Raises:
            UnsuitableSettingError: It is another topology.
        """
        others = [name for layer in layers for name in layer if name != "dense"]
        if others:
            message = f"has {others[0]}; the Surgeon takes dense layers only"
            raise UnsuitableSettingError("topology", message)

    def method(self, settings: Mapping[str, Any]) -> str:
        """The Surgeon, or the random walk that it is compared with."""
        return RANDOM_WALK if settings["mode"] == DecisionMode.RANDOM else SURGEON

    def initial_epochs(self, settings: Mapping[str, Any]) -> int:
        """The warm-up, but no more than all epochs or the budget."""
        return from_settings(SurgeonSettings, settings).initial_epochs

    def schedule_epochs(self, settings: Mapping[str, Any]) -> float:
        """The epochs that the winner's weights receive."""
        return settings["epochs"]

    def expected_epochs(
        self, settings: Mapping[str, Any], spent: float, trained: float
    ) -> float | None:
        """The budget; without one, as many epochs over all candidates as so far for each epoch."""
        if settings.get("budget") is not None:
            return max(float(settings["budget"]), spent)
        return spent * max(1.0, settings["epochs"] / trained) if trained else None

    def final_mode(self, settings: Mapping[str, Any]) -> SelectionMode:
        """By the Surgeon's score, also for the random walk, which has one branch."""
        return SelectionMode.SURGEON_SCORE

    def select_parents(
        self,
        plan: GenerationPlan,
        records: Mapping[str, Record],
        previous: Winners,
        settings: Mapping[str, Any],
        seed: int,
    ) -> Winners:
        """The branches that the decision point accepted."""
        return next_branches(plan, records, previous)

    def search(self, trainer: Trainer, settings: Mapping[str, Any], seed: int) -> Record:
        """See `netsurgery.search.surgeon.loop`."""
        return loop.search(trainer, from_settings(SurgeonSettings, settings), seed)
