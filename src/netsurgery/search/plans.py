"""Plans: what a search does next, as its jobs write it and the workflow reads it.

A plan either trains offspring or is the final one. Each algorithm adds what only it needs in
subclasses of its own. A plan has one JSON form; its `kind` says which class reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from netsurgery.search.steps import fresh_step, recuperation_step
from netsurgery.surgery import Mutation

Contenders = tuple[str, ...]  # training steps of which the winner goes on


@dataclass(frozen=True)
class Parent:
    """A parent of a planned generation, and its model file relative to the search's folder."""

    candidate: str
    model: str


@dataclass(frozen=True)
class Offspring:
    """A candidate to be made from its parent by surgery.

    `parameters` are those of the network that surgery gives; `batches` is how long the offspring
    recuperates.
    """

    candidate: str
    generation: int
    parent: str
    mutation: Mutation
    parameters: int
    batches: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return own | {"mutation": self.mutation.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave, or that of a subclass."""
        own = {field.name: values[field.name] for field in fields(cls)}
        return cls(**(own | {"mutation": Mutation.from_json(values["mutation"])}))


@dataclass(frozen=True)
class FreshNetwork:
    """A network that trains from fresh weights.

    Attributes:
        candidate: its name.
        generation: that it belongs to.
        parent: the candidate whose shape it has; None for a template.
        origin: where its shape comes from, such as `scaled` or `template`.
        topology: as JSON values.
        batches: that it trains.
        precision: that it trains in.
        epoch_cost: epochs of the budget that an epoch counts as.
        teacher: the candidate of its generation that it learns from; None: of the labels alone.
    """

    candidate: str
    generation: int
    parent: str | None
    origin: str
    topology: Mapping[str, Any]
    batches: int
    precision: str
    epoch_cost: float = 1.0
    teacher: str | None = None

    @property
    def cost(self) -> float:
        """Batches that the budget counts."""
        return self.batches * self.epoch_cost

    @property
    def teacher_step(self) -> str | None:
        """The training step of its teacher."""
        return None if self.teacher is None else fresh_step(self.teacher)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FreshNetwork:
        """Read what `asdict` gave."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """A plan that trains offspring.

    `contenders` has, for each training step that begins with a selection, the steps whose winner it
    trains, in an order in which each step follows its contenders. All other training steps are the
    recuperations of the offspring.
    """

    kind: ClassVar[str]
    generation: int
    parents: tuple[Parent, ...]
    offspring: tuple[Offspring, ...]
    contenders: Mapping[str, Contenders]

    @property
    def steps(self) -> list[str]:
        """All training steps, each after its contenders."""
        born = [recuperation_step(child.candidate) for child in self.offspring]
        return [*born, *self.contenders]

    def child(self, candidate: str) -> Offspring:
        """The offspring with this name."""
        return next(child for child in self.offspring if child.candidate == candidate)

    def model_of(self, parent: str) -> str:
        """The model file of a parent, relative to the search's folder."""
        return next(each.model for each in self.parents if each.candidate == parent)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "kind": self.kind,
            "generation": self.generation,
            "parents": [asdict(parent) for parent in self.parents],
            "offspring": [child.to_json() for child in self.offspring],
            "contenders": {step: list(steps) for step, steps in self.contenders.items()},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        return cls(**cls._fields(values))

    @classmethod
    def _fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "generation": values["generation"],
            "parents": tuple(Parent(**parent) for parent in values["parents"]),
            "offspring": tuple(cls._offspring(child) for child in values["offspring"]),
            "contenders": {step: tuple(steps) for step, steps in values["contenders"].items()},
        }

    @classmethod
    def _offspring(cls, values: Mapping[str, Any]) -> Offspring:
        return Offspring.from_json(values)


@dataclass(frozen=True, kw_only=True)
class GenerationPlan(TrainingPlan):
    """A whole generation.

    `winners` has the contenders for each place among the next parents. `parts` are the plan files
    that this one was merged from, relative to the generation's folder.
    """

    winners: tuple[Contenders, ...]
    parts: tuple[str, ...] = ()

    def rounds_of(self, step: str) -> tuple[str, ...]:
        """The rounds that a training step covers, in order; the first one is its name."""
        return (step,)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return super().to_json() | {
            "winners": [list(contenders) for contenders in self.winners],
            "parts": list(self.parts),
        }

    @classmethod
    def _fields(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return super()._fields(values) | {
            "winners": tuple(tuple(contenders) for contenders in values["winners"]),
            "parts": tuple(values["parts"]),
        }


@dataclass(frozen=True, kw_only=True)
class FinalPlan:
    """The end of a search.

    The final candidate is selected from the parents and trained for `remaining_batches` more; None
    stands for all that the settings of the search leave.
    """

    kind: ClassVar[str] = "final"
    generation: int
    parents: tuple[Parent, ...]
    remaining_batches: int | None
    reason: str
    parts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"kind": self.kind} | asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FinalPlan:
        """Read what `to_json` gave."""
        return cls(
            generation=values["generation"],
            parents=tuple(Parent(**parent) for parent in values["parents"]),
            remaining_batches=values["remaining_batches"],
            reason=values["reason"],
            parts=tuple(values["parts"]),
        )
