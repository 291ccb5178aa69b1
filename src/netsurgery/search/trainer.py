"""What a search asks of whoever trains its networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from netsurgery.networks.network import Network
from netsurgery.objectives.step_rates import StepRates
from netsurgery.search.calibration import CalibrationSamples
from netsurgery.search.first_look import Look
from netsurgery.search.plans import FinalPlan, FreshNetwork, Offspring
from netsurgery.search.records import Record
from netsurgery.search.steps import FINAL, WARM_UP
from netsurgery.surgery import Mutation


@dataclass(frozen=True)
class Training:
    """A training step to run.

    `generation` and `step` name it; `batches` are those of each round that it covers, in order;
    `model` is the model file that it starts from, relative to the search's folder (None: fresh
    weights of the initial network). With an `offspring`, surgery on that model makes it first; a
    `fresh` network starts from weights of its own.
    `rates` are its learning rates (None: those of the search's schedule); `stream` names the order
    of its samples, which all steps of that name have in common (None: the candidate's own).
    """

    generation: int
    step: str
    batches: Mapping[str, int]
    model: str | None = None
    offspring: Offspring | None = None
    rates: StepRates = None
    stream: str | None = None
    fresh: FreshNetwork | None = None


class Trainer(Protocol):
    """Whoever trains the networks of a search."""

    @property
    def batches_per_epoch(self) -> int:
        """Batches in an epoch."""

    def train(self, training: Training) -> Record:
        """Run a training step and return the record of its candidate."""

    def network(self, model: str) -> Network:
        """The topology and weights in a model file, relative to the search's folder."""

    def calibration(self, count: int) -> CalibrationSamples:
        """So many training samples with their targets, the same ones in a whole search."""

    def look(self, model: str, growths: Sequence[Mutation]) -> list[Look]:
        """Look at growths of a model, before any of them trains."""


def initial_training(epochs: int, batches_per_epoch: int) -> Training:
    """The training of the initial network."""
    return Training(0, WARM_UP, {WARM_UP: epochs * batches_per_epoch})


def final_training(
    plan: FinalPlan, model: str, batches: int | None = None, rates: StepRates = None
) -> Training:
    """The training of the final candidate; by default for as many batches as its plan says."""
    count = plan.remaining_batches if batches is None else batches
    return Training(plan.generation, FINAL, {FINAL: count or 0}, model, rates=rates)
