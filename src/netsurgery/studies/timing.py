"""How long one operation takes, and how much memory, on networks of two sizes.

A dense network and a convolutional one of each size. The least of some repetitions counts: this is
what the operation costs, not what else the machine was doing.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from netsurgery import topologies
from netsurgery.layers import Shape
from netsurgery.network import Network, initialise
from netsurgery.surgery import Mutation, Operation, legal_mutations, operate

CALIBRATION = 1000
REPETITIONS = 2
# million parameters, name: channels of the cells, units of the dense layers, shape of the input
NETWORKS: dict[tuple[int, str], tuple[tuple[int, ...], tuple[int, ...], Shape]] = {
    (1, "dense"): ((), (768, 512), (784,)),
    (1, "convolutional"): ((64, 128), (112,), (32, 32, 3)),
    (8, "dense"): ((), (2700, 2150), (784,)),
    (8, "convolutional"): ((64, 128), (950,), (32, 32, 3)),
}
REMOVALS = (
    Operation.REMOVE_DENSE,
    Operation.REMOVE_UNITS,
    Operation.REMOVE_CONV_CELL,
    Operation.REMOVE_CHANNELS,
    Operation.TRUNCATE,
)


def built(channels: tuple[int, ...], units: tuple[int, ...], shape: Shape) -> Network:
    """A fresh network of conv cells and dense layers with ten classes."""
    hidden: list[dict[str, Any]] = [{"conv_cell": {"channels": c}} for c in channels]
    hidden += [{"dense": {"units": u}} for u in units]
    return initialise(topologies.build(hidden, shape, 10), np.random.default_rng(0))


def size(network: Network) -> int:
    """Bytes of all arrays."""
    return sum(array.nbytes for arrays in network.weights for array in arrays)


def seconds(work: Callable[[], Any], repetitions: int = REPETITIONS) -> float:
    """The least time that some work takes."""
    times = []
    for _ in range(repetitions):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def peak(work: Callable[[], Any]) -> int:
    """The most bytes that some work holds at a time, beyond those held before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def timed() -> Iterator[dict[str, Any]]:
    """A row per network, operation, place and rule."""
    for (millions, name), shape in NETWORKS.items():
        network = built(*shape)
        x = np.random.default_rng(1).random((CALIBRATION, *shape[2]), np.float32)
        for mutation in legal_mutations(network.topology, operations=list(Operation)):
            removes = mutation.operation in (*REMOVALS, Operation.ADD_CONV_CELL)
            for rule, calibration in (("svd", None), ("least_squares", x)):
                if mutation.position is None or (calibration is not None and not removes):
                    continue

                def work(
                    network: Network = network,
                    mutation: Mutation = mutation,
                    calibration: np.ndarray | None = calibration,
                ) -> None:
                    operate(network, mutation, calibration=calibration)

                yield {
                    "millions": millions,
                    "network": name,
                    "parameters": network.topology.parameters,
                    "operation": str(mutation.operation),
                    "position": mutation.position,
                    "rule": rule,
                    "seconds": seconds(work),
                    "peak": peak(work) / size(network),
                }
