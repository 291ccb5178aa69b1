"""The interface of algorithms: all that the rest of the program knows of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from netsurgery.objectives.tasks import MULTILABEL
from netsurgery.search.plans import GenerationPlan
from netsurgery.search.records import Record
from netsurgery.search.selection import SelectionMode
from netsurgery.search.steps import FINAL
from netsurgery.search.times import seconds_of
from netsurgery.search.trainer import Trainer
from netsurgery.search.winners import Winners


class UnsuitableSettingError(ValueError):
    """A setting does not suit an algorithm: `key` names it, the message follows its value."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class Algorithm(ABC):
    """An algorithm: how it starts, plans, selects and ends, and what it is called.

    Attributes:
        name: in the settings of a search.
        title: in text.
        description: in a sentence such as "made by ...".
        reference: the paper, in Markdown; empty without one.
        generation: what it calls a generation.
        plans: the classes of its plans of generations, which read them from their files; none if
            it plans nothing.
        epoch_settings: the settings that count epochs, which scaling shrinks.
        task_defaults: defaults of settings by task, where these differ.
        row_defaults: the same for rows of features.
        recipes: an optimizer by task, and what goes with it, unless a search sets its own.
        row_recipes: the same for rows of features.
        fixed_settings: settings of training and surgery that it decides, not its users.
        keras_rates: what Keras's learning rate for an optimizer is multiplied by.
        trains_anew: whether the final network starts from fresh weights.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    reference: ClassVar[str] = ""
    generation: ClassVar[str] = "generation"
    plans: ClassVar[tuple[type[GenerationPlan], ...]] = ()
    epoch_settings: ClassVar[tuple[str, ...]]
    task_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    row_defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    # the gradient of a mean over labels shrinks with their number, which this optimizer levels out
    recipes: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        MULTILABEL: {"optimizer": "adam", "learning_rate": 0.002}
    }
    row_recipes: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    fixed_settings: ClassVar[Mapping[str, Any]] = {}
    keras_rates: ClassVar[float] = 1.0
    trains_anew: ClassVar[bool] = False

    @property
    def searches(self) -> bool:
        """Whether it changes the network at all."""
        return bool(self.plans)

    def check(self, layers: Sequence[Mapping[str, Any]], task: str) -> None:  # noqa: B027
        """Check that it can start from a topology, with data of a task.

        Args:
            layers: the hidden layers, as in the configuration.
            task: classification or regression.

        Raises:
            UnsuitableSettingError: It cannot.
        """

    def check_settings(self, settings: Mapping[str, Any]) -> None:  # noqa: B027
        """Check what the schema cannot of its own settings.

        Raises:
            SettingError: Naming the setting.
        """

    def defaults_of_rate(self, learning_rate: float) -> Mapping[str, Any]:
        """What goes with a learning rate that a search sets itself."""
        return {}

    def method(self, settings: Mapping[str, Any]) -> str:
        """What tables and plots call it with these settings."""
        return self.title

    @abstractmethod
    def initial_epochs(self, settings: Mapping[str, Any]) -> int | None:
        """Epochs that the initial network trains; None: as many as its time allows."""

    def initial_seconds(self, settings: Mapping[str, Any]) -> float | None:
        """Seconds that the initial network may train; None unless the budget is a time."""
        budget = self.budget(settings)
        return seconds_of(budget) if isinstance(budget, str) else None

    def budget(self, settings: Mapping[str, Any]) -> float | str | None:
        """What a search may train over all candidates, in epochs or a time; None: no limit."""
        return settings.get("budget")

    def schedule_epochs(self, settings: Mapping[str, Any]) -> float | str:
        """What the schedule of the learning rate spans; by default the budget."""
        epochs = self.budget(settings)
        assert epochs is not None
        return epochs

    @abstractmethod
    def expected_epochs(
        self, settings: Mapping[str, Any], spent: float, trained: float
    ) -> float | None:
        """Estimate the epochs that a search has trained when it ends; None if unknown.

        Where the budget is a time, the callers estimate it themselves.

        Args:
            settings: of the search.
            spent: epochs trained so far over all candidates.
            trained: epochs that the best candidate's weights received.
        """

    @abstractmethod
    def final_mode(self, settings: Mapping[str, Any]) -> SelectionMode:
        """How the final candidate is selected among the last parents."""

    def is_finished(self, step: str) -> bool:
        """Whether a training step leaves a network that may be used as it is."""
        return True

    def may_stop(self, step: str) -> bool:
        """Whether a training step ends where its network reaches the target of the search."""
        return step == FINAL

    @abstractmethod
    def select_parents(
        self,
        plan: GenerationPlan,
        records: Mapping[str, Record],
        previous: Winners,
        settings: Mapping[str, Any],
        seed: int,
    ) -> Winners:
        """Select the next parents from a generation that has trained.

        Args:
            plan: of the generation.
            records: of all its training steps.
            previous: its own parents, which stay if all its candidates failed.
            settings: of the search.
            seed: of the search.
        """

    @abstractmethod
    def search(self, trainer: Trainer, settings: Mapping[str, Any], seed: int) -> Record:
        """Run a whole search and return the record of its final candidate."""
