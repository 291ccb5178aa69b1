"""What each operation costs in networks of about a million parameters.

    PYTHONPATH=src OMP_NUM_THREADS=1 python -m benchmarks.operation_costs OUT.md [--samples 200]

One network has conv cells that pool and dense layers, as the papers' have, the other one residual
blocks, branches, a gate and depthwise convolutions; together they allow every operation. Without
samples each is done at all places, and the slowest counts; with samples at the first place of both
networks, behind which most layers are fitted. Times are those of the processor: on one core, those
that elapse.
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
from netsurgery.networks.steps import Place
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
    """What an operation costs.

    Attributes:
        operation: what was done.
        places: how many allow it.
        seconds: of processor time, without samples, at the slowest place.
        network: in which it is slower with samples.
        place: the first one there.
        calibrated: seconds with samples at that place.
    """

    operation: Operation
    places: int
    seconds: float
    network: str
    place: Place
    calibrated: float


def seconds(network: Network, mutation: Mutation, samples: np.ndarray | None = None) -> float:
    """How long a mutation takes the processor."""
    start = time.process_time()
    mutate(network, mutation, calibration=samples)
    return time.process_time() - start


def cost(operation: Operation, networks: dict[str, Network], samples: np.ndarray) -> Cost:
    """Perform an operation at all places, and with samples at the first one of each network."""
    offers = {
        name: legal_mutations(network.topology, operations=[operation])
        for name, network in networks.items()
    }
    pairs = [(name, mutation) for name, legal in offers.items() for mutation in legal]
    slowest = max(seconds(networks[name], mutation) for name, mutation in pairs)
    firsts = {name: legal[0] for name, legal in offers.items() if legal}
    took = {name: seconds(networks[name], first, samples) for name, first in firsts.items()}
    name = max(took, key=lambda name: took[name])
    place = firsts[name].position
    assert place is not None
    return Cost(operation, len(pairs), slowest, name, place, took[name])


def table(costs: list[Cost]) -> str:
    """The costs as Markdown."""
    headings = ["operation", "places", "seconds", "first place", "seconds with samples"]
    lines = [headings, ["---", "---:", "---:", "---", "---:"]]
    for each in costs:
        line = [f"`{each.operation}`", str(each.places), f"{each.seconds:.3f}"]
        lines.append([*line, f"{each.place} in {each.network}", f"{each.calibrated:.2f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measure(samples: int) -> str:
    """The table of all operations, with so many samples."""
    rng = np.random.default_rng(0)
    networks = {name: trained(topology, rng) for name, topology in topologies().items()}
    x = rng.uniform(0, 1, (samples, *SHAPE)).astype(np.float32)
    changes = [operation for operation in OPERATIONS if operation.takes_position]
    return table([cost(operation, networks, x) for operation in changes])


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("out", type=Path)
    parser.add_argument("--samples", type=int, default=200)
    given = parser.parse_args()
    given.out.write_text(measure(given.samples) + "\n")


if __name__ == "__main__":
    main()
