"""A dense layer factorized into two narrow ones: the Surgeon's truncated SVD."""

from __future__ import annotations

import numpy as np

from netsurgery.networks.inference import layer_input, pre_activation
from netsurgery.networks.layers import Arrays, Dense
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.blocked_matmul import product
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.singular_vectors import right_singular_vectors
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.weight_transfer import WeightTransfer, unchanged


def _factorize(
    network: Network, child: Topology, position: int, basis: np.ndarray
) -> WeightTransfer:
    """Kernel W becomes W B and B^T, with a narrow linear layer between.

    Args:
        network: the parent.
        child: with the narrow layer at `position`.
        position: of the factorized layer.
        basis: B, orthonormal columns (units, rank): the first right singular vectors of W, or of
            what the layer computes for calibration samples.
    """
    kernel, *bias = network.weights[position]
    narrow: Arrays = (product(kernel, basis),)
    layers = len(network.topology.layers)
    origins = (*unchanged(position), None, None, *unchanged(layers - position - 1, position + 1))
    return WeightTransfer(
        child, origins, {position: narrow, position + 1: (basis.T.astype(np.float32), *bias)}
    )


class Truncate(Operation):
    """Keep a dense layer's largest singular values; the width is their number, the rank.

    Approximate; exact where the kernel has no higher rank.
    """

    name = "truncate"
    label = "truncated SVD"
    is_removal = True
    uses_calibration = True
    recuperation_epochs = 1.0

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        layer = topology.layers[position]
        if not isinstance(layer, Dense):
            return None
        return max(1, min(topology.input_shapes[position][-1], layer.units) // 2)

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.not_hidden_dense(topology, position):
            return reason
        largest = min(topology.input_shapes[position][-1], topology.output_shapes[position][-1]) - 1
        return None if 1 <= width <= largest else f"the rank {width} is not between 1 and {largest}"

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology.insert(position, Dense(width, "linear", use_bias=False))

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        """Given samples, the directions in which the layer's outputs vary most on them.

        The mean of the other directions then goes to the bias.
        """
        layer = network.topology.layer(position, Dense)
        rank = child.output_shapes[position][-1]
        if samples is None:
            basis = right_singular_vectors(network.weights[position][0], rank)
            return _factorize(network, child, position, basis)
        entering = layer_input(network, position, samples)
        outputs = pre_activation(layer, network.weights[position], entering)
        mean = outputs.mean(axis=0, dtype=np.float64) if layer.use_bias else np.zeros(layer.units)
        outputs -= mean.astype(outputs.dtype)
        basis = right_singular_vectors(outputs, rank)
        transfer = _factorize(network, child, position, basis)
        if not layer.use_bias:
            return transfer
        kernel, bias = transfer.changed[position + 1]
        mean_of_kernel = mean - bias
        bias = (bias + mean_of_kernel - basis @ (basis.T @ mean_of_kernel)).astype(np.float32)
        changed = {**transfer.changed, position + 1: (kernel, bias)}
        return WeightTransfer(child, transfer.origins, changed)
