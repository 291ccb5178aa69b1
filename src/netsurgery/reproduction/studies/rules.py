"""The rules whose surgery is compared: the papers', the data-aware one, the authors' code."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.network import Network
from netsurgery.reproduction.studies.published import published
from netsurgery.surgery import Mutation, mutate

# the papers' rules without their slips; fitted to real samples; as published where that differs
RULES = SVD, LEAST_SQUARES, PUBLISHED = "svd", "least_squares", "published"


def operated(
    network: Network,
    mutation: Mutation,
    rule: str,
    calibration: np.ndarray,
    rng: np.random.Generator,
) -> Network | None:
    """The network after a mutation by a rule; None where the rule has nothing of its own there.

    Args:
        network: the parent.
        mutation: legal.
        rule: one of `RULES`.
        calibration: (n, *input_shape) training samples, for the data-aware rule.
        rng: draws what the mutation leaves open.
    """
    if rule == PUBLISHED:
        return published(network, mutation)
    if rule == SVD:
        return mutate(network, mutation, rng).network
    if not mutation.operation.uses_calibration:
        return None
    return mutate(network, mutation, rng, calibration=calibration).network
