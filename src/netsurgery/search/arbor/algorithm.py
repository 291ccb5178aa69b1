"""Arbor as an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from netsurgery.objectives.training_settings import NONE, SQRT
from netsurgery.search.algorithm import Algorithm
from netsurgery.search.arbor import loop
from netsurgery.search.arbor.judgement import next_trunk
from netsurgery.search.arbor.plans import FreshPlan, RoundPlan, is_cooled
from netsurgery.search.arbor.settings import (
    WARM_UP_PARTS,
    ArborSettings,
    BudgetSettings,
    JudgementSettings,
    check_operations,
    check_sizes,
)
from netsurgery.search.methods import ARBOR
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record
from netsurgery.search.selection import SelectionMode
from netsurgery.search.steps import Phase, Step
from netsurgery.search.trainer import Trainer
from netsurgery.search.winners import Winners
from netsurgery.storage.settings import from_settings
from netsurgery.surgery.settings import LEAST_SQUARES, Growth, PoolingTransfer

RATE_OF_ROUNDS = 3  # times lower than the highest rate of a schedule
_CLASSES = {
    "learning_rate": 0.15,
    "round_learning_rate": 0.05,
    "learning_rate_scaling": SQRT,
}
_ROWS_OF_CLASSES = {"weight_decay": 0.05, "batch_parts": 1, "learning_rate_scaling": NONE}


class Arbor(Algorithm):
    """A small network grows round by round; its shape, full-size, then trains from scratch."""

    name = "arbor"
    title = ARBOR
    description = "Arbor, a search that grows a small network and trains the shape that it found"
    generation = "round"
    plans = (RoundPlan, FreshPlan)
    # the gradient of a squared error grows with the error
    task_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "classification": _CLASSES,
        "regression": {
            "learning_rate": 0.02,
            "round_learning_rate": 0.02,
            "learning_rate_scaling": NONE,
        },
        "multilabel": _CLASSES,
    }
    # dense networks learn more by heart, and kernels decay by the rate times this; more parts of a
    # batch are no faster there
    row_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "classification": _ROWS_OF_CLASSES,
        "regression": {"weight_decay": 0.4, "batch_parts": 1},
        "multilabel": _ROWS_OF_CLASSES,
    }
    recipes: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    # rows have inputs of which few samples have any, and steps of adam are as large for these
    row_recipes: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "classification": {
            "optimizer": "adam",
            "learning_rate": 0.004,
            "round_learning_rate": 0.001,
            "weight_decay": 1.5,
        }
    }
    # new layers and channels get their statistics from samples
    fixed_settings: ClassVar[Mapping[str, Any]] = {
        "growth": Growth.ZEROS.value,
        "removal_rule": LEAST_SQUARES,
        "copy_noise": 0,
        "pooling_transfer": PoolingTransfer.SUM.value,
    }
    epoch_settings = ("budget", "warm_up_epochs")
    keras_rates = 10.0  # which are for trainings at one rate; here a schedule ends at 0
    trains_anew = True

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Check the operations, and the sizes of smaller networks."""
        check_operations(settings)
        check_sizes(settings)

    def defaults_of_rate(self, learning_rate: float) -> Mapping[str, Any]:
        """A third of it for rounds; it is meant for the batches that there are."""
        rate = learning_rate / RATE_OF_ROUNDS
        return {"round_learning_rate": rate, "learning_rate_scaling": NONE}

    def initial_epochs(self, settings: Mapping[str, Any]) -> int:
        """The warm-up, but at most a fifth of the budget."""
        return from_settings(BudgetSettings, settings).initial_epochs

    def initial_seconds(self, settings: Mapping[str, Any]) -> float | None:
        """At most a fifth of a budget of time."""
        seconds = super().initial_seconds(settings)
        return None if seconds is None else seconds / WARM_UP_PARTS

    def expected_epochs(self, settings: Mapping[str, Any], spent: float, trained: float) -> float:
        """The budget."""
        return max(float(settings["budget"]), spent)

    def final_mode(self, settings: Mapping[str, Any]) -> SelectionMode:
        """By score: there is one finalist."""
        return SelectionMode.GREEDY

    def is_finished(self, step: str) -> bool:
        """Whether the learning rate has fallen."""
        return is_cooled(step)

    def may_stop(self, step: str) -> bool:
        """Trainings from fresh weights."""
        return Step.parse(step).phase in (Phase.FRESH, Phase.FINAL)

    def select_parents(
        self,
        plan: GenerationPlan,
        records: Mapping[str, Record],
        previous: Winners,
        settings: Mapping[str, Any],
        seed: int,
    ) -> Winners:
        """The best network of the generation, by validation loss and multiplications."""
        price = from_settings(JudgementSettings, settings).price
        return next_trunk(plan, records, previous, price)

    def search(self, trainer: Trainer, settings: Mapping[str, Any], seed: int) -> Record:
        """See `netsurgery.search.arbor.loop`."""
        return loop.search(trainer, from_settings(ArborSettings, settings), seed)
