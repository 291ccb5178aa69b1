"""One dense layer more or less (ECToNAS section 3.2, A.1)."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.layers import BatchNorm, Dense, Rescaling
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.blocked_matmul import product
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.structure import dense_block_end
from netsurgery.surgery.weight_transfer import WeightTransfer, replaced, unchanged


class AddDense(Operation):
    """Net2DeeperNet (eq. 3): an identity layer before another dense layer; exact.

    The new layer has a relu where its input is never negative, else no activation.
    """

    name = "add_dense"
    label = "+ dense layer"
    recuperation_factor = 10

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        if not isinstance(topology.layers[position], Dense):
            return None
        return topology.input_shapes[position][-1]

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.wrong_kind(topology, position, Dense, "dense layer"):
            return reason
        if topology.ancestors(position).isdisjoint(topology.positions(Dense)):
            return "it is the first dense layer: new ones go after it"
        return legality.not_as_wide_as_input(width, topology.input_shapes[position][-1])

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        activation = "relu" if topology.non_negative_inputs[position] else "linear"
        return topology.insert(position, Dense(width, activation))

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        width = child.output_shapes[position][0]
        inserted = (np.eye(width, dtype=np.float32), np.zeros(width, np.float32))
        layers = len(network.topology.layers)
        origins = (*unchanged(position), None, *unchanged(layers - position, position))
        return WeightTransfer(child, origins, {position: inserted})

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        return True


class RemoveDense(Operation):
    """Multiply a hidden layer's weights onto the next layer's; approximate.

    Its activation is ignored. Normalization, activation and dropout that belong to it go with it;
    the normalization keeps its effect, as in inference mode.
    """

    name = "remove_dense"
    label = "− dense layer"  # noqa: RUF001 - a minus sign
    is_removal = True
    takes_width = False
    uses_calibration = True
    recuperation_epochs = 1.0
    recuperation_factor = 10

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.not_hidden_dense(topology, position):
            return reason
        return legality.not_removable(topology, position, dense_block_end(topology, position))

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology.remove(position, dense_block_end(topology, position) - position)

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        topology = network.topology
        consumer, end = topology.consumer(position), dense_block_end(topology, position)
        assert consumer is not None
        kernel, *bias = network.weights[position]
        width = kernel.shape[-1]
        gains, constant = np.ones(width), bias[0].astype(np.float64) if bias else np.zeros(width)
        for i in range(position + 1, end):
            if isinstance(layer := topology.layers[i], BatchNorm):
                gain, shift = layer.gain_and_shift(network.weights[i])
                gains, constant = gains * gain, constant * gain + shift
            elif isinstance(layer, Rescaling):
                gains, constant = gains * layer.scale, constant * layer.scale + layer.offset
        outgoing = consumer_kernel.read(network, consumer) * gains[:, None].astype(np.float32)
        merged = consumer_kernel.write(network, consumer, product(kernel, outgoing), constant)
        origins = (*unchanged(position), *unchanged(len(topology.layers) - end, end))
        moved = consumer - (end - position)
        return WeightTransfer(child, replaced(origins, {moved: None}), {moved: merged})
