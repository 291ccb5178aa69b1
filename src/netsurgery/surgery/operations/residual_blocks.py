"""Add a residual block that adds nothing at first (He et al. 2016)."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.blocks import Residual
from netsurgery.networks.layers import (
    Activation,
    Arrays,
    BatchNorm,
    Conv,
    Dense,
    KernelLayer,
    Layer,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.batch_statistics import calibrated
from netsurgery.surgery.operations import placement
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.weight_transfer import WeightTransfer, build_child, unchanged


class AddResidualBlock(Operation):
    """Behind a cell or block: two layers whose sum with their input is the input; exact.

    The body is convolution, activation, convolution, or the same with dense layers on flat data. In
    networks with batch normalization both are normalized. The first layer is drawn as for a new
    network. What the last one gives is multiplied by zero: its normalization's gamma is zero
    (Goyal et al. 2017), or its kernel. So the block adds exactly nothing, in inference and in
    training mode, whatever the activation is, and the gradient by the zeros is not zero. The
    statistics of the normalizations are those of samples, if there are any.
    """

    name = "add_residual_block"
    label = "+ residual block"
    inserts_behind = True
    recuperation_epochs = 0.25
    needs_image = False

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        return topology.output_shapes[position][-1]

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := placement.no_end_of_cell(topology, position):
            return reason
        if self.needs_image and len(topology.output_shapes[position]) == 1:
            return "what leaves it is flat: bottlenecks are for images and series"
        return None if width >= 1 else "its body needs at least one channel or unit"

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology.append(position, Residual(self._body(topology, position, width)))

    def _body(self, topology: Topology, position: int, width: int) -> tuple[Layer, ...]:
        shape = topology.output_shapes[position]
        normalized = placement.is_normalized(topology, shape)
        activation = placement.hidden_activation(topology, position)
        body: list[Layer] = []
        layers = self._layers(width, shape[-1], flat=len(shape) == 1)
        for layer in layers:
            body += [layer.with_bias(not normalized), *placement.normalization(normalized)]
            if layer is not layers[-1]:
                body.append(Activation(activation))
        return tuple(body)

    def _layers(self, width: int, channels: int, *, flat: bool) -> tuple[KernelLayer, ...]:
        """The layers with a kernel."""
        if flat:
            return Dense(width, "linear"), Dense(channels, "linear")
        return Conv(width), Conv(channels)

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        layers = len(network.topology.layers)
        join = position + len(child.layers) - layers
        changed: dict[int, Arrays] = {
            i: child.layers[i].initial_arrays(child.input_shapes[i], rng)
            for i in range(position + 1, join)
        }
        first, *rest = changed[join - 1]  # of gamma, or of the kernel
        changed[join - 1] = (np.zeros_like(first), *rest)
        added = [None] * (join - position)
        end = position + 1
        origins = (*unchanged(end), *added, *unchanged(layers - end, end))
        transfer = WeightTransfer(child, origins, changed)
        if samples is None:
            return transfer
        norms = [i for i in changed if isinstance(child.layers[i], BatchNorm)]
        ready = calibrated(build_child(network, transfer), norms, samples)
        return WeightTransfer(child, origins, {i: ready.weights[i] for i in changed})

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        return True


class AddBottleneckBlock(AddResidualBlock):
    """The same with three convolutions, 1x1, 3x3 and 1x1, of which the first two are narrow; exact.

    The width is that of the narrow ones, by default a quarter of the channels.
    """

    name = "add_bottleneck_block"
    label = "+ bottleneck block"
    needs_image = True

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        return max(1, topology.output_shapes[position][-1] // 4)

    def _layers(self, width: int, channels: int, *, flat: bool) -> tuple[KernelLayer, ...]:
        return Conv(width, 1), Conv(width, 3), Conv(channels, 1)
