"""Dropout behind an activation, or without it."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import BatchNorm, Dropout, KernelLayer, Other
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.weight_transfer import WeightTransfer, unchanged

RATE = 0.5  # of units (Srivastava et al. 2014)
IMAGE_RATE = 0.2  # of pixels, whose neighbours tell most of what a dropped one did


class AddDropout(Operation):
    """Drop half of the units, or a fifth of the pixels, behind an activation; exact in inference.

    In training it changes the outputs, which is its purpose.
    """

    name = "add_dropout"
    label = "+ dropout"
    inserts_behind = True
    takes_width = False

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        layer = topology.layers[position]
        if layer.activation_function in (None, "linear", "softmax"):
            return f"dropout goes behind an activation, and the layer there is {layer}"
        later = [topology.layers[i] for i in topology.descendants(position)]
        if not any(isinstance(each, KernelLayer | Other) for each in later):
            return "it is the output layer, which never changes"
        readers = [topology.layers[i] for i in topology.readers[position]]
        if any(isinstance(reader, Dropout) for reader in readers):
            return "dropout follows already"
        if any(isinstance(reader, BatchNorm) for reader in readers):
            return "batch normalization follows: dropout would falsify the variance that it learns"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        is_flat = len(topology.output_shapes[position]) == 1
        return topology.append(position, Dropout(RATE if is_flat else IMAGE_RATE))

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        behind = position + 1
        rest = unchanged(len(child.layers) - behind - 1, behind)
        return WeightTransfer(child, (*unchanged(behind), None, *rest), {})

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True


class RemoveDropout(Operation):
    """The network without one of its dropout layers; exact in inference."""

    name = "remove_dropout"
    label = "− dropout"  # noqa: RUF001 - a minus sign
    takes_width = False

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        return legality.wrong_kind(topology, position, Dropout, "dropout layer")

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology.remove(position)

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        rest = unchanged(len(child.layers) - position, position + 1)
        return WeightTransfer(child, (*unchanged(position), *rest), {})

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True
