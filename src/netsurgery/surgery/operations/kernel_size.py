"""A larger or smaller kernel in a convolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netsurgery.networks.layers import VALID, Conv, Shape
from netsurgery.networks.layers.windows import by_side
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import windows
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.weight_transfer import NEW, Origin, WeightTransfer, replaced, unchanged

STEP = 2  # from one odd kernel to the next


def _longest(layer: Conv, shape: Shape) -> int:
    """The longest side of a kernel."""
    return max(layer.taps(shape))


def _change_kernel(network: Network, child: Topology, position: int) -> WeightTransfer:
    """The taps that parent and child have in common read the same pixels as before."""
    shape = network.topology.input_shapes[position]
    old, new = (each.layer(position, Conv) for each in (network.topology, child))
    sides = zip(
        old.taps(shape),
        new.taps(shape),
        windows.before(old, shape),
        windows.before(new, shape),
        by_side(old.dilation, shape),
        strict=True,
    )
    taps = []
    for old_side, new_side, old_margin, new_margin, apart in sides:
        sources = np.arange(new_side) - (new_margin - old_margin) // apart
        taps.append(np.where((sources >= 0) & (sources < old_side), sources, NEW))
    origins = replaced(unchanged(len(child.layers)), {position: Origin(position, taps=tuple(taps))})
    return WeightTransfer(child, origins, {})


class _KernelSize(Operation):
    """What growing and shrinking have in common.

    The width is the longest side of the kernel. The others change by as much, but sides of one tap
    stay as they are beside longer ones.
    """

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.wrong_kind(topology, position, Conv, "convolution"):
            return reason
        layer = topology.layer(position, Conv)
        if layer.padding == VALID:
            return "its padding is valid: with another kernel its output has another size"
        return self.why_not_this_size(_longest(layer, topology.input_shapes[position]), width)

    def why_not_this_size(self, current: int, width: int) -> str | None:
        """Why the longest side cannot change to `width`; None if it can."""
        raise NotImplementedError

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        layer = topology.layer(position, Conv)
        shape = topology.input_shapes[position]
        longest = _longest(layer, shape)
        kernel = tuple(
            max(1, side + width - longest) if side > 1 or longest == 1 else 1
            for side in layer.taps(shape)
        )
        return topology.replace(position, replace(layer, kernel=kernel))

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        return _change_kernel(network, child, position)


class GrowKernel(_KernelSize):
    """A kernel with zeros around it, by default 2 taps wider on each side; exact.

    The new taps receive gradients from the first step, as their inputs are not zero.
    """

    name = "grow_kernel"
    label = "larger kernel"

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        layer = topology.layers[position]
        if not isinstance(layer, Conv):
            return None
        return _longest(layer, topology.input_shapes[position]) + STEP

    def why_not_this_size(self, current: int, width: int) -> str | None:
        if (width - current) % STEP:
            return f"the kernel's size {width} must differ from {current} by an even number"
        if width <= current:
            return f"the kernel's size {width} is not above the current {current}"
        return None

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        return True


class ShrinkKernel(_KernelSize):
    """A kernel without its outer taps, or fitted to what it computed; approximate."""

    name = "shrink_kernel"
    label = "smaller kernel"
    is_removal = True
    uses_calibration = True
    recuperation_epochs = 1.0
    recuperation_factor = 10

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        layer = topology.layers[position]
        if not isinstance(layer, Conv):
            return None
        return _longest(layer, topology.input_shapes[position]) - STEP

    def why_not_this_size(self, current: int, width: int) -> str | None:
        if (width - current) % STEP:
            return f"the kernel's size {width} must differ from {current} by an even number"
        if not 1 <= width < current:
            return f"the kernel's size {width} is not between 1 and {current - 1}"
        return None

    def first_readers(self, topology: Topology, child: Topology, position: int) -> Sequence[int]:
        return (position,)  # the convolution itself is fitted first
