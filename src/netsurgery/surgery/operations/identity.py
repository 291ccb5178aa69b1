"""The operation that changes nothing."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.weight_transfer import WeightTransfer, unchanged


class Identity(Operation):
    """The child is the parent, so that a parent competes with its own offspring; exact."""

    name = "identity"
    label = "identity"
    changes_nothing = True
    takes_position = False
    takes_width = False

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        return WeightTransfer(child, unchanged(len(child.layers)), {})

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        return True
