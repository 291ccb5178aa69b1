"""More or fewer units in a dense layer (ECToNAS section 3.2, A.1)."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import Dense
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import consumer_kernel, pruning, widening
from netsurgery.surgery.blocked_matmul import product
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.singular_vectors import right_singular_vectors
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.structure import with_width
from netsurgery.surgery.weight_transfer import WeightTransfer, replaced, unchanged


class AddUnits(Operation):
    """Net2WiderNet (eq. 4, 5): copies of drawn units; exact except before a softmax."""

    name = "add_units"
    label = "+ units"
    accepts_noise = True

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        layer = topology.layers[position]
        return layer.units + sizes.units(layer.units) if isinstance(layer, Dense) else None

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        return legality.not_hidden_dense(topology, position) or legality.not_wider(
            topology, position, width
        )

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return with_width(topology, position, width)

    def transfer(
        self, network: Network, child: Topology, position: int, rng: np.random.Generator
    ) -> WeightTransfer:
        return widening.widen(network, child, position, rng)

    def is_exact(self, topology: Topology, position: int) -> bool:
        return widening.is_exact(topology, position)


class RemoveUnits(Operation):
    """The closest layer of lower rank, or the units that least squares keeps; approximate."""

    name = "remove_units"
    label = "− units"  # noqa: RUF001 - a minus sign
    is_removal = True
    uses_calibration = True
    recuperation_epochs = 1.0
    recuperation_factor = 10

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        layer = topology.layers[position]
        return layer.units - sizes.units(layer.units) if isinstance(layer, Dense) else None

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        return legality.not_hidden_dense(topology, position) or legality.not_narrower(
            topology, position, width
        )

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return with_width(topology, position, width)

    def transfer(
        self, network: Network, child: Topology, position: int, rng: np.random.Generator
    ) -> WeightTransfer:
        """U S as kernel (eq. 6) and V^T multiplied onto the next layer; ignores the activation.

        The bias is projected like the kernel (the published code multiplies it by a square corner
        of V). Units that are normalized cannot be mixed: there the weakest are dropped.
        """
        consumer = network.topology.consumer(position)
        assert consumer is not None
        between = network.topology.layers[position:consumer]
        if any(layer.has_channel_arrays for layer in between):
            return pruning.keep_strongest(network, child, position)
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

    def calibrated_transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray,
    ) -> WeightTransfer:
        return pruning.keep_most_useful(network, child, position, samples)
