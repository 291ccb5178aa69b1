"""The baseline: plain training of the initial network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery.search.algorithm import Algorithm
from netsurgery.search.methods import BASELINE
from netsurgery.search.plans import FinalPlan, GenerationPlan, Parent
from netsurgery.search.records import Record
from netsurgery.search.selection import SelectionMode
from netsurgery.search.times import is_time
from netsurgery.search.trainer import Trainer, final_training, initial_training
from netsurgery.search.winners import Winners


class Baseline(Algorithm):
    """Plain training for as many epochs as are asked for."""

    name = BASELINE
    title = BASELINE
    description = "training without surgery"
    epoch_settings = ("epochs",)

    def initial_epochs(self, settings: Mapping[str, Any]) -> int | None:
        """All epochs."""
        epochs = settings["epochs"]
        return None if is_time(epochs) else epochs

    def budget(self, settings: Mapping[str, Any]) -> float | str:
        """All epochs, or their time."""
        return settings["epochs"]

    def expected_epochs(self, settings: Mapping[str, Any], spent: float, trained: float) -> float:
        """All epochs."""
        return float(settings["epochs"])

    def final_mode(self, settings: Mapping[str, Any]) -> SelectionMode:
        """There is one candidate."""
        return SelectionMode.GREEDY

    def may_stop(self, step: str) -> bool:
        """Its only training."""
        return True

    def select_parents(
        self,
        plan: GenerationPlan,
        records: Mapping[str, Record],
        previous: Winners,
        settings: Mapping[str, Any],
        seed: int,
    ) -> Winners:
        """The initial network stays."""
        return previous

    def search(self, trainer: Trainer, settings: Mapping[str, Any], seed: int) -> Record:
        """Train the initial network."""
        epochs = self.initial_epochs(settings) or 0
        start = Winners.first(trainer.train(initial_training(epochs, trainer.batches_per_epoch)))
        parents = tuple(map(Parent, start.candidates, start.models))
        plan = FinalPlan(generation=1, parents=parents, remaining_batches=0, reason="trained")
        return trainer.train(final_training(plan, start.models[0]))
