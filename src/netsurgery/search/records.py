"""The record of a candidate after a training step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from netsurgery.networks.costs import Costs
from netsurgery.networks.steps import Place
from netsurgery.networks.topology import Topology
from netsurgery.objectives.training_settings import FLOAT32
from netsurgery.search.speed import Speed, precision_for
from netsurgery.storage.fractions import floor_product


class Status(StrEnum):
    """What became of a candidate: every status but `OK` eliminates it."""

    OK = "ok"
    DIVERGED = "diverged"  # a loss, the objective or a weight is not finite
    DEGENERATE = "degenerate"  # weights are not finite after surgery
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"


# of training that was repeated and failed again (see `netsurgery.processes.client`)
FAILED_STATUSES = (Status.OUT_OF_MEMORY, Status.CRASHED, Status.TIMED_OUT)


@dataclass(frozen=True)
class RoundResult:
    """What a candidate trained in a round: the batches, and its score afterwards."""

    batches: int
    score: float | None


@dataclass(frozen=True)
class LastEpochs:
    """What came of the last epochs of a search, which trained the selected network.

    Attributes:
        batches: that they trained.
        score_before: of the selected network.
        score_after: the score after them; None if the training failed.
        kept: whether the network after them is the final one, and not that before them.
    """

    batches: int
    score_before: float | None
    score_after: float | None
    kept: bool


@dataclass(frozen=True)
class Record:
    """A candidate after a training step.

    Work is counted in batches, so that sums are exact; epochs are batches / batches_per_epoch.

    Attributes:
        history: an entry per epoch (or part of one) since the candidate's surgery, with `epoch`
            (counted along its lineage from the start of the search), loss, val_loss and metrics
            such as accuracy and val_accuracy; None for a value that is not finite. If it is not
            constant, also the learning_rate of the last batch.
        rounds: the result of each round that the step covers.
        last_epochs: those of the search, if this is its final network and there were any.
        precision: that it trains in.
        speed: of the machine of the first training, if the search measured it.
    """

    candidate: str
    parent: str | None
    operation: str | None
    position: Place | None
    generation: int
    step: str  # the last round it took part in (see `netsurgery.search.steps`)
    topology: Mapping[str, Any]
    parameters: int
    batches_per_epoch: int
    batches_trained: int = 0  # of these weights, including their ancestors
    batches_spent: int = 0  # in this step
    epoch_cost: float = 1.0  # epochs of the budget that an epoch counts as
    rounds: Mapping[str, RoundResult] = field(default_factory=dict)
    history: tuple[Mapping[str, float | None], ...] = field(default=())
    score: float | None = None
    validation_samples: int = 0  # that scored it; 0 before its first training
    last_epochs: LastEpochs | None = None
    precision: str = FLOAT32
    speed: Speed | None = None
    parent_score: float | None = None
    parent_parameters: int | None = None
    status: Status = Status.OK
    model_sha256: str = ""
    latency: float | None = None  # seconds to predict a sample where it was trained
    latency_batch32: float | None = None  # the same for 32 samples at once
    wall_seconds: float = 0.0  # of this step
    seconds: Mapping[str, float] = field(default_factory=dict)  # of these, by activity
    began: float = 0.0  # Unix time
    provenance: Mapping[str, str] = field(default_factory=dict)  # see netsurgery.storage.provenance

    @property
    def epochs_trained(self) -> float:
        """Epochs that these weights trained, including their ancestors."""
        return self.batches_trained / self.batches_per_epoch

    @property
    def epochs_spent(self) -> float:
        """Epochs trained in this step."""
        return self.batches_spent / self.batches_per_epoch

    @property
    def batches_counted(self) -> int:
        """Batches of this step as the budget counts them."""
        return floor_product(self.epoch_cost, self.batches_spent)

    def seconds_spent(self, speed: Speed | None) -> float:
        """Seconds that the training of this step takes by the speed of a machine; 0 without."""
        if speed is None or not self.batches_spent:
            return 0.0
        topology = Topology.from_json(self.topology)
        return speed.step(topology, self.batches_spent, self.batches_per_epoch)

    @cached_property
    def costs(self) -> Costs:
        """What the network costs where it is used."""
        return Costs.of(Topology.from_json(self.topology))

    def to_json(self) -> dict[str, Any]:
        """Plain values, including epochs and costs."""
        derived = {"epochs_trained": self.epochs_trained, "epochs_spent": self.epochs_spent}
        return asdict(self) | derived | asdict(self.costs)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Record:
        """Read what `to_json` gave."""
        fields = {k: v for k, v in values.items() if k in cls.__dataclass_fields__}
        typed: dict[str, Any] = {
            "history": tuple(fields["history"]),
            "rounds": {name: RoundResult(**each) for name, each in fields["rounds"].items()},
            "status": Status(fields["status"]),
            "speed": Speed.from_json(fields.get("speed")),
        }
        if fields.get("last_epochs") is not None:
            typed["last_epochs"] = LastEpochs(**fields["last_epochs"])
        return cls(**(fields | typed))

    def skipped(self, rounds: Mapping[str, int]) -> Record:
        """The record after rounds that the candidate did not train.

        Args:
            rounds: batches of each round that count as spent nevertheless.
        """
        return replace(
            self,
            step=list(rounds)[-1],
            rounds={name: RoundResult(n, self.score) for name, n in rounds.items()},
            batches_spent=sum(rounds.values()),
        )

    def child(
        self,
        candidate: str,
        generation: int,
        operation: str,
        position: Place | None,
        topology: Topology,
    ) -> Record:
        """The record of an offspring right after surgery.

        Its generation need not follow its parent's: where all candidates of a generation fail, the
        parents stay.
        """
        return replace(
            self,
            candidate=candidate,
            parent=self.candidate,
            operation=operation,
            position=position,
            generation=generation,
            topology=topology.to_json(),
            parameters=topology.parameters,
            precision=precision_for(topology, self.speed, self.precision),
            history=(),
            score=None,
            latency=None,
            latency_batch32=None,
            parent_score=self.score,
            parent_parameters=self.parameters,
        )
