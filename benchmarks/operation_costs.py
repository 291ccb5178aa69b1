"""What each operation costs in networks of about a million parameters.

    PYTHONPATH=src OMP_NUM_THREADS=1 python -m benchmarks.operation_costs OUT.md [--samples 200]

One network has conv cells that pool and dense layers, as the papers' have, the other one residual
blocks, branches, a gate and depthwise convolutions; together they allow every operation. Each is
done once in each network where it is legal, at the first place there, behind which most layers
follow; the slower one counts. Times are those of the processor: on one core, those that elapse.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.support.random_networks import trained

from netsurgery.networks.blocks import Parallel, Residual
from netsurgery.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    GlobalPool,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topologies import build
from netsurgery.networks.topology import Topology
from netsurgery.surgery import OPERATIONS, Mutation, Operation, legal_mutations, mutate
from netsurgery.surgery.operations.gates import gate

SHAPE = (32, 32, 3)
NORMALIZED = (BatchNorm(), Activation("relu"))


def residual(channels: int) -> tuple[Residual, Activation]:
    """A residual block of two convolutions, and an activation."""
    body = (Conv(channels), *NORMALIZED, Conv(channels), BatchNorm())
    return Residual(body), Activation("relu")


def topologies() -> dict[str, Topology]:
    """Both networks, by name."""
    cells = [{"conv_cell": {"channels": 64}}, {"conv_cell": {"channels": 128}}]
    dense = [{"dense": {"units": 110}}, {"dense": {"units": 110}}]
    branches = Parallel(((Conv(64), *NORMALIZED), (Conv(32, 1), *NORMALIZED)))
    row = (
        *(Conv(32), *NORMALIZED, *residual(32), Residual((Conv(32),)), Activation("relu")),
        *(gate(32, 8), Conv(64, strides=2), *NORMALIZED, Dropout(0.2), branches),
        *(Conv(128, 1), Conv(128, strides=2, padding="valid"), *NORMALIZED),
        *(*residual(128), *residual(128), DepthwiseConv(), Conv(128, 1), *NORMALIZED),
        *(GlobalPool(), Dense(700), Dense(64), Dense(10, "softmax")),
    )
    return {"cells": build([*cells, *dense], SHAPE, 10), "blocks": Topology(SHAPE, row)}


@dataclass(frozen=True)
class Cost:
    """What one mutation costs.

    Attributes:
        network: the name of the network.
        mutation: what was done.
        parameters: of the child.
        seconds: of processor time, without samples.
        calibrated: the same with samples.
    """

    network: str
    mutation: Mutation
    parameters: int
    seconds: float
    calibrated: float


def cost(name: str, network: Network, mutation: Mutation, samples: np.ndarray) -> Cost:
    """Do it twice."""
    took = []
    for calibration in (None, samples):
        start = time.process_time()
        child = mutate(network, mutation, calibration=calibration).network
        took.append(time.process_time() - start)
    return Cost(name, mutation, child.topology.parameters, *took)


def slowest(operation: Operation, networks: dict[str, Network], samples: np.ndarray) -> Cost | None:
    """The larger of the operation's costs in the networks; None if all refuse it."""
    costs = []
    for name, network in networks.items():
        if legal := legal_mutations(network.topology, operations=[operation]):
            costs.append(cost(name, network, legal[0], samples))
    return max(costs, key=lambda each: each.calibrated, default=None)


def table(costs: list[Cost], sizes: dict[str, int]) -> str:
    """The costs as Markdown."""
    headings = ["operation", "network", "at", "parameters", "seconds", "seconds with samples"]
    lines = [headings, ["---"] * 3 + ["---:"] * 3]
    for each in costs:
        change = f"{sizes[each.network]:,} → {each.parameters:,}"
        line = [f"`{each.mutation.operation}`", each.network, str(each.mutation.position), change]
        lines.append([*line, f"{each.seconds:.2f}", f"{each.calibrated:.2f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measure(samples: int) -> str:
    """The table of all operations, with so many samples."""
    rng = np.random.default_rng(0)
    networks = {name: trained(topology, rng) for name, topology in topologies().items()}
    x = rng.uniform(0, 1, (samples, *SHAPE)).astype(np.float32)
    changes = [operation for operation in OPERATIONS if operation.takes_position]
    costs = [slowest(operation, networks, x) for operation in changes]
    sizes = {name: network.topology.parameters for name, network in networks.items()}
    return table([each for each in costs if each is not None], sizes)


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("out", type=Path)
    parser.add_argument("--samples", type=int, default=200)
    given = parser.parse_args()
    given.out.write_text(measure(given.samples) + "\n")


if __name__ == "__main__":
    main()
