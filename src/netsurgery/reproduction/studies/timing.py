"""Time and memory of single operations on networks of two sizes.

There is a dense and a convolutional network of each size. In addition to the wall time, the CPU
time is measured, which does not depend on the load of the machine.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from netsurgery.networks import topologies
from netsurgery.networks.layers import Shape
from netsurgery.networks.network import Network, initialise
from netsurgery.reproduction.studies.rules import LEAST_SQUARES, SVD
from netsurgery.surgery import legal_mutations, mutate
from netsurgery.surgery.operations import PAPERS

CALIBRATION_SAMPLES = 1000
# million parameters, name: channels of the cells, units of the dense layers, shape of the input
NETWORKS: dict[tuple[int, str], tuple[tuple[int, ...], tuple[int, ...], Shape]] = {
    (1, "dense"): ((), (768, 512), (784,)),
    (1, "convolutional"): ((64, 128), (112,), (32, 32, 3)),
    (8, "dense"): ((), (2700, 2150), (784,)),
    (8, "convolutional"): ((64, 128), (950,), (32, 32, 3)),
}


def build_network(channels: tuple[int, ...], units: tuple[int, ...], shape: Shape) -> Network:
    """An untrained network of conv cells and dense layers with ten classes."""
    hidden: list[dict[str, Any]] = [{"conv_cell": {"channels": c}} for c in channels]
    hidden += [{"dense": {"units": u}} for u in units]
    return initialise(topologies.build(hidden, shape, 10), np.random.default_rng(0))


def byte_size(network: Network) -> int:
    """The size of all arrays in bytes."""
    return sum(array.nbytes for arrays in network.weights for array in arrays)


def measure_cost(work: Callable[[], Any]) -> dict[str, float]:
    """Wall and CPU seconds, and the peak of additional memory in bytes.

    Tracing memory is cheap here, because there are few and large arrays.
    """
    tracemalloc.start()
    try:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {
            "seconds": wall,
            "processor": cpu,
            "peak": tracemalloc.get_traced_memory()[1],
        }
    finally:
        tracemalloc.stop()


def measure_times() -> Iterator[dict[str, Any]]:
    """Yield a row per network, operation, position and rule."""
    for (millions, name), shape in NETWORKS.items():
        network = build_network(*shape)
        x = np.random.default_rng(1).random((CALIBRATION_SAMPLES, *shape[2]), np.float32)
        for mutation in legal_mutations(network.topology, operations=PAPERS):
            for rule, calibration in ((SVD, None), (LEAST_SQUARES, x)):
                if mutation.operation.changes_nothing:
                    continue
                if rule == LEAST_SQUARES and not mutation.operation.uses_calibration:
                    continue  # uses no samples
                spent = measure_cost(partial(mutate, network, mutation, calibration=calibration))
                yield {
                    "millions": millions,
                    "network": name,
                    "parameters": network.topology.parameters,
                    "operation": str(mutation.operation),
                    "position": mutation.position,
                    "rule": rule,
                    **spent,
                    "peak": spent["peak"] / byte_size(network),
                }
