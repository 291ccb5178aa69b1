"""How long one operation takes, and how much memory, on networks of two sizes.

A dense network and a convolutional one of each size. Beside the time on the clock stands that of
the processors, which says what the operation costs, whatever else the machine was doing.
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
from netsurgery.surgery import OPERATIONS, legal_mutations, mutate

CALIBRATION = 1000
# million parameters, name: channels of the cells, units of the dense layers, shape of the input
NETWORKS: dict[tuple[int, str], tuple[tuple[int, ...], tuple[int, ...], Shape]] = {
    (1, "dense"): ((), (768, 512), (784,)),
    (1, "convolutional"): ((64, 128), (112,), (32, 32, 3)),
    (8, "dense"): ((), (2700, 2150), (784,)),
    (8, "convolutional"): ((64, 128), (950,), (32, 32, 3)),
}


def built(channels: tuple[int, ...], units: tuple[int, ...], shape: Shape) -> Network:
    """A fresh network of conv cells and dense layers with ten classes."""
    hidden: list[dict[str, Any]] = [{"conv_cell": {"channels": c}} for c in channels]
    hidden += [{"dense": {"units": u}} for u in units]
    return initialise(topologies.build(hidden, shape, 10), np.random.default_rng(0))


def size(network: Network) -> int:
    """Bytes of all arrays."""
    return sum(array.nbytes for arrays in network.weights for array in arrays)


def cost(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds on the clock and of the processors, and the most bytes held beyond those before.

    Watching the memory costs next to nothing here, where arrays are few and large.
    """
    tracemalloc.start()
    try:
        clock, processors = time.perf_counter(), time.process_time()
        work()
        clock, processors = time.perf_counter() - clock, time.process_time() - processors
        return {
            "seconds": clock,
            "processor": processors,
            "peak": tracemalloc.get_traced_memory()[1],
        }
    finally:
        tracemalloc.stop()


def timed() -> Iterator[dict[str, Any]]:
    """A row per network, operation, place and rule."""
    for (millions, name), shape in NETWORKS.items():
        network = built(*shape)
        x = np.random.default_rng(1).random((CALIBRATION, *shape[2]), np.float32)
        for mutation in legal_mutations(network.topology, operations=OPERATIONS):
            for rule, calibration in ((SVD, None), (LEAST_SQUARES, x)):
                if mutation.operation.changes_nothing:
                    continue
                if rule == LEAST_SQUARES and not mutation.operation.uses_calibration:
                    continue  # it looks at no samples
                spent = cost(partial(mutate, network, mutation, calibration=calibration))
                yield {
                    "millions": millions,
                    "network": name,
                    "parameters": network.topology.parameters,
                    "operation": str(mutation.operation),
                    "position": mutation.position,
                    "rule": rule,
                    **spent,
                    "peak": spent["peak"] / size(network),
                }
