"""The record of a candidate after a training step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from netsurgery.networks.network import Topology

OK, DIVERGED, DEGENERATE = "ok", "diverged", "degenerate"
# failures that are no fault of the machine (see `netsurgery.processes.client`)
FAILED_STATUSES = OUT_OF_MEMORY, CRASHED, TIMED_OUT = "out_of_memory", "crashed", "timed_out"
# what may differ between two runs of one search
TIMES = ("wall_seconds", "seconds", "began", "provenance")


@dataclass(frozen=True)
class Record:
    """What is known of a candidate after a training step.

    Work is counted in batches, so that sums are exact; epochs are batches / batches_per_epoch.
    `history` has one entry per epoch (or part of one) since the candidate's surgery: `epoch` (on
    the axis of its lineage, from the start of the search), loss, val_loss and the metrics, such as
    accuracy and val_accuracy; None where a value was not finite. `rounds` has what became of the
    candidate in each round that the step covers: the batches it trained there and its score then.
    """

    candidate: str
    parent: str | None
    operation: str | None
    position: int | None
    generation: int
    step: str  # the last round that it stood in: warm-up, recuperation, phase1/..., final
    topology: Mapping[str, Any]
    parameters: int
    batches_per_epoch: int
    batches_trained: int = 0  # received by these weights, ancestors included
    batches_spent: int = 0  # in this step
    rounds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # see above
    history: tuple[Mapping[str, float | None], ...] = field(default=())
    score: float | None = None
    parent_score: float | None = None
    parent_parameters: int | None = None
    status: str = OK
    model_sha256: str = ""
    wall_seconds: float = 0.0  # of this step
    seconds: Mapping[str, float] = field(default_factory=dict)  # of these, by what they went to
    began: float = 0.0  # Unix time
    provenance: Mapping[str, str] = field(default_factory=dict)  # see netsurgery.storage.provenance

    @property
    def epochs_trained(self) -> float:
        """Epochs that these weights received, ancestors included."""
        return self.batches_trained / self.batches_per_epoch

    @property
    def epochs_spent(self) -> float:
        """Epochs trained in this step."""
        return self.batches_spent / self.batches_per_epoch

    def to_json(self) -> dict[str, Any]:
        """Plain values, epochs included."""
        derived = {"epochs_trained": self.epochs_trained, "epochs_spent": self.epochs_spent}
        return asdict(self) | derived

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Record:
        """What `to_json` wrote."""
        fields = {k: v for k, v in values.items() if k in cls.__dataclass_fields__}
        return cls(**(fields | {"history": tuple(fields["history"])}))

    def idle(self, rounds: Mapping[str, int]) -> Record:
        """The record after rounds in which the candidate did not change.

        Args:
            rounds: batches by round that count as spent all the same.
        """
        return replace(
            self,
            step=list(rounds)[-1],
            rounds={name: {"batches": n, "score": self.score} for name, n in rounds.items()},
            batches_spent=sum(rounds.values()),
        )

    def child(
        self,
        candidate: str,
        generation: int,
        operation: str,
        position: int | None,
        topology: Topology,
    ) -> Record:
        """The record of an offspring fresh from surgery.

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
            history=(),
            score=None,
            parent_score=self.score,
            parent_parameters=self.parameters,
        )
