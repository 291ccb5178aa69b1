"""Add a conv cell that does not pool."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import Activation, BatchNorm, Conv
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.batch_statistics import calibrated
from netsurgery.surgery.dirac import dirac
from netsurgery.surgery.operations import legality, placement
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.weight_transfer import WeightTransfer, build_child, unchanged


class AddCell(Operation):
    """Convolution, normalization and activation that pass their input on; exact in inference.

    The kernel is a Dirac. The normalization is the identity in inference mode: its gamma and beta
    undo its statistics, which are those of samples if there are any, else mean 0 and variance 1.
    The activation is a relu where only non-negative values enter, otherwise none.

    In training mode the output changes: the normalization divides by the standard deviation of each
    batch and multiplies by that of the samples, so only to the extent that the two differ. Without
    samples its first moving statistics have nothing to do with a batch, and the change is large.
    """

    name = "add_cell"
    label = "+ cell"
    inserts_behind = True
    recuperation_epochs = 0.25

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        return topology.output_shapes[position][-1]

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := placement.no_end_of_cell(topology, position):
            return reason
        shape = topology.output_shapes[position]
        if len(shape) == 1:
            return "what leaves it is flat: cells are for images and series"
        return legality.not_as_wide_as_input(width, shape[-1])

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        non_negative = placement.gives_non_negative(topology, position)
        activation = Activation("relu" if non_negative else "linear")
        return topology.append(position, Conv(width), BatchNorm(), activation)

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        conv, norm = position + 1, position + 2
        layer, normalization = child.layer(conv, Conv), child.layer(norm, BatchNorm)
        kernel = dirac(layer, child.input_shapes[conv])
        assert kernel is not None
        zeros, ones = np.zeros(layer.channels, np.float32), np.ones(layer.channels, np.float32)
        layers, end = len(network.topology.layers), position + 1
        origins = (*unchanged(end), None, None, None, *unchanged(layers - end, end))
        changed = {conv: (kernel, zeros), norm: (ones, zeros, zeros, ones)}
        transfer = WeightTransfer(child, origins, changed)
        if samples is not None:
            ready = calibrated(build_child(network, transfer), [norm], samples)
            changed[norm] = ready.weights[norm]
        *_, mean, variance = changed[norm]
        gamma = np.sqrt(variance.astype(np.float64) + normalization.epsilon).astype(np.float32)
        return WeightTransfer(child, origins, {**changed, norm: (gamma, mean, mean, variance)})

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True
