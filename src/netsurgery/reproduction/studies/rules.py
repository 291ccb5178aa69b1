"""The rules that are compared: the papers', the data-aware rule, and the authors' code."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.network import Network
from netsurgery.reproduction.studies.published import apply_published_rule
from netsurgery.surgery import Mutation, mutate

# the papers' corrected rules; fitted to samples; the authors' code where it differs
RULES = SVD, LEAST_SQUARES, PUBLISHED = "svd", "least_squares", "published"


def mutate_by_rule(
    network: Network,
    mutation: Mutation,
    rule: str,
    calibration: np.ndarray,
    rng: np.random.Generator,
) -> Network | None:
    """Mutate a network by a rule; None if the rule equals another one there.

    Args:
        network: the parent.
        mutation: legal.
        rule: one of `RULES`.
        calibration: (n, *input_shape) training samples, for the data-aware rule.
        rng: for random choices of the mutation.
    """
    if rule == PUBLISHED:
        return apply_published_rule(network, mutation)
    if rule == SVD:
        return mutate(network, mutation, rng).network
    if not mutation.operation.uses_calibration:
        return None
    return mutate(network, mutation, rng, calibration=calibration).network
