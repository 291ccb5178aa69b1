"""How much of a network outlives an operation: every operation, at every place, by every rule.

Validation accuracy before, right after, and after a tenth of an epoch and a whole one; and the
largest change of an output. All rules train on from the same place with the same samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.reproduction.studies.outputs import accuracy, change, logits
from netsurgery.reproduction.studies.rules import RULES, operated
from netsurgery.search.ectonas.generation import part_of_epoch
from netsurgery.storage.random_streams import random_stream
from netsurgery.surgery import OPERATIONS, Mutation, legal_mutations

if TYPE_CHECKING:  # it knows Keras
    from netsurgery.reproduction.studies.study_network import StudyNetwork

RETRAINED = 0.1  # epochs of the first stretch; the second ends at one epoch
CALIBRATION = 1000  # training samples that the data-aware rule looks at


def measured(
    base: StudyNetwork, chosen: Sequence[Mutation] | None = None, *, retrain: bool = True
) -> Iterator[dict[str, Any]]:
    """A row per mutation and rule that has something of its own for it.

    Accuracies and the change are of the validation samples. An accuracy that was not reached is
    None.

    Args:
        base: the trained network.
        chosen: legal mutations; by default every operation at every place.
        retrain: whether to train on, which is most of the work.
    """
    from netsurgery.reproduction.studies.study_network import Retraining  # it knows Keras

    trained, (x, y) = Retraining(base), base.validating()
    calibration = base.calibration(CALIBRATION)
    before = logits(base.network, x)
    first = part_of_epoch(RETRAINED, base.batches_per_epoch)
    stretches = [first, max(1, base.batches_per_epoch - first)]
    if chosen is None:
        chosen = legal_mutations(base.network.topology, operations=OPERATIONS)
    for mutation in chosen:
        place = (str(mutation.operation), str(mutation.position))
        for rule in RULES:
            started = time.perf_counter()
            rng = random_stream(base.seed, "fidelity", *place)
            child = operated(base.network, mutation, rule, calibration, rng)
            if child is None:
                continue
            seconds = time.perf_counter() - started
            after = logits(child, x)
            moved = change(before, after)
            reached = trained(child, stretches, "fidelity order", *place) if retrain else []
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
