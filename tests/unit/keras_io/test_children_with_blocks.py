"""Keras computes what surgery on networks with blocks gives."""

from __future__ import annotations

import numpy as np
import pytest

from netsurgery.keras_io import conversion
from netsurgery.networks.inference import predict
from netsurgery.surgery import Operation, legal_mutations, mutate, operations
from tests.support.random_networks import branched, inputs, trained
from tests.support.surgery_helpers import generator

BLOCKS = (
    operations.ADD_RESIDUAL_BLOCK,
    operations.ADD_BOTTLENECK_BLOCK,
    operations.ADD_CELL,
    operations.REMOVE_BLOCK,
    operations.REMOVE_BRANCH,
    operations.MAKE_RESIDUAL,
    operations.MAKE_PLAIN,
)
CHILDREN = 3  # of each operation


@pytest.mark.parametrize("operation", BLOCKS, ids=str)
def test_keras_computes_what_the_child_does(operation: Operation) -> None:
    count = 0
    for seed in range(100):
        rng = generator(seed)
        network = trained(branched(rng), rng)
        if not (legal := legal_mutations(network.topology, operations=[operation])):
            continue
        samples = inputs(network.topology, rng, 8) if count % 2 else None
        child = mutate(network, legal[-1], rng, calibration=samples).network
        x = inputs(network.topology, rng).astype(np.float32)
        found, expected = conversion.to_keras(child)(x).numpy(), predict(child, x.astype("f8"))
        tolerance = 1e-5 * max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
        if (count := count + 1) == CHILDREN:
            break
    assert count == CHILDREN
