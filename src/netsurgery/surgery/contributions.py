"""How much the parts of blocks contribute to what the blocks give, for calibration samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.inference import JOINS, as_input, chunks, run_layers
from netsurgery.networks.layers import Multiply
from netsurgery.networks.network import Network
from netsurgery.networks.steps import INPUT, Place
from netsurgery.surgery.mutations import Mutation

MOST_SAMPLES = 256


def contributions(network: Network, samples: np.ndarray) -> dict[Place, float]:
    """What each part of a block that may go contributes, between 0 and, mostly, 1.

    It is the Euclidean norm of what the part gives, over that of what the block gives. The places
    are those of the operations that remove the parts: of a residual block, whose body goes, and of
    the last layer of a branch.

    Args:
        network: with blocks.
        samples: (n, *input_shape); the first `MOST_SAMPLES` count.
    """
    topology = network.topology
    found: dict[Place, float] = {}
    for position, (*parts, whole) in _squares(network, samples[:MOST_SAMPLES]).items():
        shares = np.sqrt(parts / max(whole, np.finfo(np.float64).tiny)).tolist()
        block = topology.block(position)
        assert block is not None
        if isinstance(block, Residual):
            found[topology.places[position]] = shares[0]
            continue
        ends = topology.steps[position].inputs
        for row, end, share in zip(block.rows, ends, shares, strict=True):
            if row and end != INPUT:
                found[topology.places[end]] = share
    return found


def _squares(network: Network, samples: np.ndarray) -> dict[int, np.ndarray]:
    """By the position of a join, sums of squares of all that it takes, and of what it gives."""
    topology = network.topology
    totals = {
        position: np.zeros(len(step.inputs) + 1)
        for position, step in enumerate(topology.steps)
        if isinstance(topology.block(position), Residual | Parallel)
        and not isinstance(step.layer, Multiply)
    }
    for part in chunks(len(samples)):
        at, values = 0, as_input(samples[part])
        for position, total in totals.items():
            values = run_layers(network, values, at, position)
            step, at = topology.steps[position], position
            inputs = [values[i] for i in step.inputs]
            gives = JOINS[type(step.layer)](inputs)
            total += [np.square(value, dtype=np.float64).sum() for value in (*inputs, gives)]
    return totals


def least_first(
    mutations: Iterable[Mutation], contributed: Mapping[Place, float]
) -> list[Mutation]:
    """Removals of parts of blocks, that of the part which contributes least first."""
    return sorted(
        mutations,
        key=lambda m: np.inf if m.position is None else contributed.get(m.position, np.inf),
    )
