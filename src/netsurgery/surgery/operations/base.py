"""What an operation is: one way to change one place of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from netsurgery.networks.layers import KernelLayer
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.weight_transfer import WeightTransfer


class Operation(ABC):
    """A stateless object that holds everything the program knows of one operation.

    Configuration, records and plans hold an operation's `name`;
    `netsurgery.surgery.operations.by_name` gives the object back. Optimizer slot variables need no
    method of their own: they follow the origins in the `WeightTransfer`.

    Attributes:
        name: identifies the operation in settings, records and on the command line.
        label: a short name for figures and tables.
        changes_nothing: the child is the parent.
        takes_position: whether a mutation must name a layer.
        takes_width: whether a mutation may set the number of units or channels.
        takes_pooling: whether a mutation may set a kind of pooling.
        accepts_noise: whether it copies units or channels, which noise can make different.
        uses_calibration: whether calibration samples change the weights that it gives.
        inserts_behind: whether new layers go behind the layer at the position, not before it.
        is_removal: whether it removes or approximates a part of the network.
        resizes_image: whether images have another size from there on.
        recuperation_epochs: ECToNAS's default for the training right after surgery.
        recuperation_factor: the Surgeon's default for the same, in multiples of its shortest one.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    changes_nothing: ClassVar[bool] = False
    takes_position: ClassVar[bool] = True
    takes_width: ClassVar[bool] = True
    takes_pooling: ClassVar[bool] = False
    accepts_noise: ClassVar[bool] = False
    uses_calibration: ClassVar[bool] = False
    inserts_behind: ClassVar[bool] = False
    is_removal: ClassVar[bool] = False
    resizes_image: ClassVar[bool] = False
    recuperation_epochs: ClassVar[float] = 0.1
    recuperation_factor: ClassVar[int] = 1

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        """Units or channels of the changed or new layer if the mutation gives no width.

        None where the operation takes no width, and where the layer has another kind.
        """
        return None

    @abstractmethod
    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        """Why the topology does not allow the operation at a position; None if it does.

        Args:
            topology: the parent's.
            position: of an existing layer.
            width: of the changed or new layer; 0 if the operation takes none.
        """

    @abstractmethod
    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        """The topology after the operation, at a legal position.

        Raises:
            ValueError: a later layer cannot take its new input.
        """

    def layer_origins(
        self, topology: Topology, child: Topology, position: int
    ) -> tuple[int | None, ...]:
        """For each layer of the child its position in the parent; None for new layers.

        By default the child has new layers next to the one at `position`, or lacks as many from
        there on.
        """
        old, grown = range(len(topology.layers)), len(child.layers) - len(topology.layers)
        start = position + self.inserts_behind
        return (*old[:start], *[None] * max(0, grown), *old[start + max(0, -grown) :])

    @abstractmethod
    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        """The child's weights: by the papers' rule, or by what samples show.

        Args:
            network: the parent.
            child: the child's topology, from `child_topology`.
            position: in the parent.
            rng: draws what the rule leaves open.
            samples: (n, *input_shape) calibration samples; without them the parent's weights alone
                decide, as they do in operations that need no samples. `layers_to_refit` are fitted
                to the samples afterwards.
        """

    def transfer_aggregated(
        self, network: Network, child: Topology, position: int
    ) -> WeightTransfer:
        """The same of an operation that resizes images, as ECToNAS publishes it (A.2).

        The first dense layer's weights are pooled like the images, or repeated.
        """
        raise NotImplementedError

    def layers_to_refit(self, topology: Topology, child: Topology, position: int) -> list[int]:
        """Positions in the parent of the layers to fit to what they computed there.

        These are the layers with a kernel among the first readers of the change, and all that
        depend on them: what one cannot compensate, later ones may.
        """
        if not self.uses_calibration or self.is_exact(topology, position):
            return []
        first = self.first_readers(topology, child, position)
        reached = set(first).union(*map(topology.descendants, first))
        return [i for i in topology.positions(KernelLayer) if i in reached]

    def first_readers(self, topology: Topology, child: Topology, position: int) -> Sequence[int]:
        """Positions in the parent of the first layers that take something else in the child."""
        consumer = topology.consumer(position)
        return () if consumer is None else (consumer,)

    def is_exact(self, topology: Topology, position: int) -> bool:
        """Whether the output stays the same up to rounding, whatever the weights are."""
        return False

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        """Whether this holds in training mode as well, where normalization sees each batch."""
        return False
