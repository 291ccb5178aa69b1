"""ECToNAS as an object (Schiessler, Aydin and Cyron, 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netsurgery.search.algorithm import Algorithm
from netsurgery.search.ectonas import loop
from netsurgery.search.ectonas.plans import BracketPlan
from netsurgery.search.ectonas.selection import select_parents
from netsurgery.search.ectonas.settings import EctonasSettings, SelectionSettings, check_operations
from netsurgery.search.methods import balanced
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record
from netsurgery.search.selection import SelectionMode
from netsurgery.search.trainer import Trainer
from netsurgery.search.winners import Winners
from netsurgery.storage.settings import from_settings


class Ectonas(Algorithm):
    """Offspring of all mutation types compete in brackets, generation after generation."""

    name = "ectonas"
    title = "ECToNAS"
    description = "ECToNAS, an evolutionary search that reshapes networks during training"
    reference = "Schiessler, Aydin and Cyron, *ECToNAS*, 2024"
    plans = (BracketPlan,)
    epoch_settings = ("budget", "warm_up_epochs", "round_epochs")

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """See `netsurgery.search.ectonas.settings.check_operations`."""
        check_operations(settings)

    def method(self, settings: Mapping[str, Any]) -> str:
        """Its mode, or the greediness of the balanced one."""
        if settings["mode"] == SelectionMode.BALANCED:
            return balanced(settings["greediness"])
        return settings["mode"]

    def initial_epochs(self, settings: Mapping[str, Any]) -> int:
        """The warm-up, but no more than the budget."""
        return from_settings(EctonasSettings, settings).initial_epochs

    def expected_epochs(self, settings: Mapping[str, Any], spent: float, trained: float) -> float:
        """The budget, which may be exceeded."""
        return max(float(settings["budget"]), spent)

    def final_mode(self, settings: Mapping[str, Any]) -> SelectionMode:
        """The mode of the search."""
        return SelectionMode(settings["mode"])

    def select_parents(
        self,
        plan: GenerationPlan,
        records: Mapping[str, Record],
        previous: Winners,
        settings: Mapping[str, Any],
        seed: int,
    ) -> Winners:
        """The winners of the last matches."""
        chosen = from_settings(SelectionSettings, settings)
        return select_parents(plan, records, previous, chosen, seed)

    def search(self, trainer: Trainer, settings: Mapping[str, Any], seed: int) -> Record:
        """See `netsurgery.search.ectonas.loop`."""
        return loop.search(trainer, from_settings(EctonasSettings, settings), seed)
