"""How much of a network outlives an operation: every operation, at every place, by every rule.

Validation accuracy before, right after, and after a tenth of an epoch and a whole one; and the
largest change of an output. All rules train on from the same place with the same samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.network import Topology
from netsurgery.search.generation import part_of_epoch
from netsurgery.seeds import generator
from netsurgery.studies.measures import accuracy, change, logits
from netsurgery.studies.rules import operated
from netsurgery.surgery import Mutation, Operation, legal_mutations

if TYPE_CHECKING:  # it knows Keras
    from netsurgery.studies.bases import Base

RETRAINED = 0.1  # epochs of the first stretch; the second ends at one epoch
CALIBRATION = 1000  # training samples that the data-aware rule looks at


def places(topology: Topology) -> list[Mutation]:
    """All operations at all places: added cells with either pooling, and truncation."""
    found = legal_mutations(topology, operations=list(Operation))
    widened = [m for m in found if m.operation is Operation.ADD_CONV_CELL]
    maximal = [Mutation(m.operation, m.position, m.width, "max") for m in widened]
    return [*found, *maximal]


def measured(
    base: Base, rule: str, chosen: Sequence[Mutation] | None = None
) -> Iterator[dict[str, Any]]:
    """A row per mutation that a rule has something of its own for.

    Accuracies and the change are of the validation samples. An accuracy that was not reached is
    None.

    Args:
        base: the trained network.
        rule: one of `netsurgery.studies.rules.RULES`.
        chosen: legal mutations; all `places` by default.
    """
    x, y = base.validating()
    calibration = base.calibration(CALIBRATION)
    before = logits(base.network, x)
    first = part_of_epoch(RETRAINED, base.batches_per_epoch)
    stretches = [first, max(1, base.batches_per_epoch - first)]
    for mutation in places(base.network.topology) if chosen is None else chosen:
        place = (str(mutation.operation), str(mutation.position), mutation.pooling or "")
        started = time.perf_counter()
        rng = generator(base.seed, "fidelity", *place)
        child = operated(base.network, mutation, rule, calibration, rng)
        if child is None:
            continue
        seconds = time.perf_counter() - started
        after = logits(child, x)
        moved = change(before, after)
        reached = base.trained(child, stretches, "fidelity order", *place)
        yield {
            "operation": str(mutation.operation),
            "pooling": mutation.pooling,
            "position": mutation.position,
            "rule": rule,
            "parameters_before": base.network.topology.parameters,
            "parameters": child.topology.parameters,
            "before": accuracy(before, y),
            "right_after": accuracy(after, y),
            "after_tenth": reached[0] if reached else None,
            "after_epoch": reached[1] if len(reached) > 1 else None,
            "output_change": moved if np.isfinite(moved) else None,
            "seconds": seconds,
        }
