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
    for position, step in enumerate(topology.steps):
        block = topology.block(position)
        if not isinstance(block, Residual | Parallel) or isinstance(step.layer, Multiply):
            continue
        squares = _squares(network, position, samples[:MOST_SAMPLES])
        whole = max(squares[-1], np.finfo(np.float64).tiny)
        shares = [float(np.sqrt(part / whole)) for part in squares[:-1]]
        if isinstance(block, Residual):
            found[topology.places[position]] = shares[0]
        else:
            for row, end, share in zip(block.rows, step.inputs, shares, strict=True):
                if row and end != INPUT:
                    found[topology.places[end]] = share
    return found


def _squares(network: Network, position: int, samples: np.ndarray) -> list[float]:
    """Sums of squares of what the join at `position` takes, and of what it gives."""
    step = network.topology.steps[position]
    total = np.zeros(len(step.inputs) + 1)
    for part in chunks(len(samples)):
        values = run_layers(network, as_input(samples[part]), 0, position)
        inputs = [values[i] for i in step.inputs]
        whole = JOINS[type(step.layer)](inputs)
        total += [np.square(value, dtype=np.float64).sum() for value in (*inputs, whole)]
    return total.tolist()


def least_first(
    mutations: Iterable[Mutation], contributed: Mapping[Place, float]
) -> list[Mutation]:
    """Removals of parts of blocks, that of the part which contributes least first."""
    return sorted(
        mutations,
        key=lambda m: np.inf if m.position is None else contributed.get(m.position, np.inf),
    )
