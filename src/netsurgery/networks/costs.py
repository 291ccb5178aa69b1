"""What a network costs where it is used: multiplications, memory, and the size of its file.

All follows from the topology, for one sample and numbers of four bytes (float32). How long a
prediction takes on a machine is measured (`netsurgery.training.latency`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from netsurgery.networks.layers import Shape
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology

BYTES = 4  # of a float32


@dataclass(frozen=True)
class Costs:
    """What a network costs where it is used.

    Attributes:
        multiplications: of one sample, by kernels.
        peak_memory: bytes of all values that are in memory at the same time, for one sample.
        model_bytes: bytes of all arrays, as the model file holds them.
    """

    multiplications: int
    peak_memory: int
    model_bytes: int

    @classmethod
    def of(cls, topology: Topology) -> Costs:
        """Count those of a network."""
        return cls(multiplications(topology), peak_memory(topology), model_bytes(topology))


def multiplications(topology: Topology) -> int:
    """Multiplications by kernels for one sample; each goes with an addition.

    A layer that surgery does not know is estimated.
    """
    layers = zip(topology.layers, topology.input_shapes, strict=True)
    return sum(layer.multiplications(shape) for layer, shape in layers)


def peak_memory(topology: Topology) -> int:
    """The most bytes that inputs and outputs of layers take at the same time, for one sample.

    While a layer computes, its inputs, its output, and what later layers still take are in memory.
    The network's arrays are not among them (see `model_bytes`), and no layer overwrites its input.
    """
    last_reader = {i: max(step, default=i) for i, step in enumerate(topology.readers)}
    last_reader[INPUT] = max(
        (i for i, s in enumerate(topology.steps) if INPUT in s.inputs), default=INPUT
    )
    present = {INPUT: _numbers(topology.input_shape)}
    peak = 0
    for position, shape in enumerate(topology.output_shapes):
        present[position] = _numbers(shape)
        peak = max(peak, sum(present.values()))
        present = {i: size for i, size in present.items() if last_reader[i] > position}
    return peak * BYTES


def model_bytes(topology: Topology) -> int:
    """Bytes of all arrays, moving statistics included, as float32."""
    return BYTES * sum(math.prod(array) for layer in topology.array_shapes for array in layer)


def _numbers(shape: Shape) -> int:
    return math.prod(side or 1 for side in shape)  # None: any length
