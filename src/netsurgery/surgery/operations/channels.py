"""More or fewer channels in a convolution (ECToNAS section 3.2, A.2)."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import Conv
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import pruning, widening
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.structure import with_width
from netsurgery.surgery.weight_transfer import WeightTransfer


class AddChannels(Operation):
    """Net2WiderNet (eq. 4, 5): copies of drawn channels; exact except before a softmax."""

    name = "add_channels"
    label = "+ channels"
    accepts_noise = True

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        layer = topology.layers[position]
        return layer.channels + sizes.channels_change if isinstance(layer, Conv) else None

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        return legality.not_hidden_conv(topology, position) or legality.not_wider(
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


class RemoveChannels(Operation):
    """The channels of largest |gamma|, or those that least squares keeps; approximate."""

    name = "remove_channels"
    label = "− channels"  # noqa: RUF001 - a minus sign
    is_removal = True
    uses_calibration = True
    recuperation_epochs = 1.0

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        layer = topology.layers[position]
        return layer.channels - sizes.channels_change if isinstance(layer, Conv) else None

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        return legality.not_hidden_conv(topology, position) or legality.not_narrower(
            topology, position, width
        )

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return with_width(topology, position, width)

    def transfer(
        self, network: Network, child: Topology, position: int, rng: np.random.Generator
    ) -> WeightTransfer:
        return pruning.keep_strongest(network, child, position)

    def calibrated_transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray,
    ) -> WeightTransfer:
        return pruning.keep_most_useful(network, child, position, samples)
