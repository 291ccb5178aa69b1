"""What every operation at every position costs, by rule.

Measures validation accuracy before, immediately after, and after a tenth of an epoch and one epoch
of training; and the largest change of an output. All rules train with the same samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netsurgery.reproduction.studies.outputs import accuracy, change, logits
from netsurgery.reproduction.studies.rules import RULES, mutate_by_rule
from netsurgery.search.ectonas.generation import part_of_epoch
from netsurgery.storage.random_streams import random_stream
from netsurgery.surgery import Mutation, legal_mutations
from netsurgery.surgery.operations import PAPERS

if TYPE_CHECKING:  # imports Keras
    from netsurgery.reproduction.studies.study_network import StudyNetwork

FIRST_STAGE = 0.1  # epochs; the second stage ends at one epoch
CALIBRATION_SAMPLES = 1000  # training samples for the data-aware rule


def measure_fidelity(
    study_network: StudyNetwork, chosen: Sequence[Mutation] | None = None, *, retrain: bool = True
) -> Iterator[dict[str, Any]]:
    """Yield a row per mutation and rule, if the rule differs from the others there.

    Accuracies and the change of output are of the validation samples. An accuracy is None if
    training diverged before.

    Args:
        study_network: the trained network.
        chosen: legal mutations; by default every operation at every position.
        retrain: whether to train the children, which is most of the work.
    """
    from netsurgery.reproduction.studies.study_network import Retraining  # imports Keras

    retrained, (x, y) = Retraining(study_network), study_network.validation_set()
    calibration = study_network.calibration(CALIBRATION_SAMPLES)
    before = logits(study_network.network, x)
    first = part_of_epoch(FIRST_STAGE, study_network.batches_per_epoch)
    stages = [first, max(1, study_network.batches_per_epoch - first)]
    if chosen is None:
        chosen = legal_mutations(study_network.network.topology, operations=PAPERS)
    for mutation in chosen:
        key = (str(mutation.operation), str(mutation.position))
        for rule in RULES:
            started = time.perf_counter()
            rng = random_stream(study_network.seed, "fidelity", *key)
            child = mutate_by_rule(study_network.network, mutation, rule, calibration, rng)
            if child is None:
                continue
            seconds = time.perf_counter() - started
            after = logits(child, x)
            output_change = change(before, after)
            accuracies = retrained(child, stages, "fidelity order", *key) if retrain else []
            yield {
                "operation": str(mutation.operation),
                "pooling": mutation.pooling,
                "position": mutation.position,
                "rule": rule,
                "parameters_before": study_network.network.topology.parameters,
                "parameters": child.topology.parameters,
                "before": accuracy(before, y),
                "right_after": accuracy(after, y),
                "after_tenth": accuracies[0] if accuracies else None,
                "after_epoch": accuracies[1] if len(accuracies) > 1 else None,
                "output_change": output_change if np.isfinite(output_change) else None,
                "seconds": seconds,
            }
