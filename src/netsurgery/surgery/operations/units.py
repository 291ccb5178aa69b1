"""More or fewer units in dense layers (ECToNAS section 3.2, A.1)."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.blocked_matmul import product
from netsurgery.surgery.operations.widths import Narrowing, Widening
from netsurgery.surgery.singular_vectors import right_singular_vectors
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.weight_transfer import WeightTransfer, replaced, unchanged


class AddUnits(Widening):
    """Net2WiderNet (eq. 4, 5): copies of drawn units; exact except before a softmax."""

    name = "add_units"
    label = "+ units"
    kind = Dense
    kind_name = "dense layer"

    def changed_width(self, width: int, sizes: MutationSizes) -> int:
        return sizes.wider(width, sizes.units(width))


class RemoveUnits(Narrowing):
    """The closest layer of lower rank, or the units that least squares keeps; approximate."""

    name = "remove_units"
    label = "− units"  # noqa: RUF001 - a minus sign
    kind = Dense
    kind_name = "dense layer"
    recuperation_factor = 10

    def changed_width(self, width: int, sizes: MutationSizes) -> int:
        return sizes.narrower(width, sizes.units(width))

    def by_rule(self, network: Network, child: Topology, position: int) -> WeightTransfer:
        """U S as kernel (eq. 6) and V^T multiplied onto the next layer; ignores the activation.

        The bias is projected like the kernel (the published code multiplies it by a square corner
        of V). Units that are normalized, joined with others or read by several layers cannot be
        mixed: there the weakest are dropped.
        """
        consumer = network.topology.consumer(position)
        between = [] if consumer is None else network.topology.layers[position:consumer]
        if consumer is None or any(layer.has_channel_arrays for layer in between):
            return super().by_rule(network, child, position)
        kernel, *bias = network.weights[position]
        basis = right_singular_vectors(kernel, child.output_shapes[position][0])
        outgoing = product(basis.T, consumer_kernel.read(network, consumer))
        return WeightTransfer(
            child,
            replaced(unchanged(len(child.layers)), {position: None, consumer: None}),
            {
                position: (product(kernel, basis), *((b @ basis).astype(np.float32) for b in bias)),
                consumer: consumer_kernel.write(network, consumer, outgoing),
            },
        )
