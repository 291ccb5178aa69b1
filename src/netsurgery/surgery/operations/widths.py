"""More or fewer channels or units, wherever in the network they are: what both have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from netsurgery.networks.layers import KernelLayer
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import pruning, widening
from netsurgery.surgery.channel_groups import channel_groups
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.structure import with_width
from netsurgery.surgery.weight_transfer import WeightTransfer


class ChangeOfWidth(Operation):
    """Another number of channels or units in a group (see `netsurgery.surgery.channel_groups`).

    Legal at the layer that owns the group; all layers that write it change with that one.

    Attributes:
        kind: of the layers that it changes.
        kind_name: what messages call it.
    """

    kind: ClassVar[type[KernelLayer]]
    kind_name: ClassVar[str]

    def changed_width(self, width: int, sizes: MutationSizes) -> int:
        """The new width of a layer."""
        raise NotImplementedError

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        layer = topology.layers[position]
        return self.changed_width(layer.width, sizes) if isinstance(layer, self.kind) else None

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        return (
            legality.wrong_kind(topology, position, self.kind, self.kind_name)
            or legality.not_owner(topology, position)
            or self.why_not_width(topology, position, width)
        )

    def why_not_width(self, topology: Topology, position: int, width: int) -> str | None:
        """Why the group cannot have a width; None if it can."""
        raise NotImplementedError

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return with_width(topology, position, width)


class Widening(ChangeOfWidth):
    """Net2WiderNet (eq. 4, 5): copies of drawn channels or units; exact except before a softmax."""

    accepts_noise = True

    def why_not_width(self, topology: Topology, position: int, width: int) -> str | None:
        return legality.not_wider(topology, position, width)

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        return widening.widen(network, child, position, rng)

    def is_exact(self, topology: Topology, position: int) -> bool:
        return widening.is_exact(topology, position)

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        return widening.is_exact(topology, position)


class Narrowing(ChangeOfWidth):
    """Fewer channels or units: the strongest, or those that least squares keeps; approximate."""

    is_removal = True
    uses_calibration = True
    recuperation_epochs = 1.0

    def why_not_width(self, topology: Topology, position: int, width: int) -> str | None:
        return legality.not_narrower(topology, position, width)

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        if samples is None:
            return self.by_rule(network, child, position)
        return pruning.keep_most_useful(network, child, position, samples)

    def by_rule(self, network: Network, child: Topology, position: int) -> WeightTransfer:
        """The child's weights from the parent's alone."""
        return pruning.keep_strongest(network, child, position)

    def first_readers(self, topology: Topology, child: Topology, position: int) -> Sequence[int]:
        return channel_groups(topology).owned(position).readers
