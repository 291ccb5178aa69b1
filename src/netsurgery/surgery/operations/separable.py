"""A convolution as a depthwise one and one of single pixels, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netsurgery.networks.layers import CAUSAL, Conv, DepthwiseConv
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.weight_transfer import WeightTransfer, unchanged


class Separate(Operation):
    """One kernel for each channel, and a convolution of single pixels that mixes them; approximate.

    For each channel that enters, the kernel as a matrix (taps, outputs) becomes the closest one of
    rank one: its first singular vectors. With samples, the mixing convolution is fitted to what the
    whole one gave.
    """

    name = "separate"
    label = "separable convolution"
    is_removal = True
    takes_width = False
    uses_calibration = True
    recuperation_epochs = 1.0
    recuperation_factor = 10

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.wrong_kind(topology, position, Conv, "convolution"):
            return reason
        layer = topology.layer(position, Conv)
        if not isinstance(layer.strides, int):
            return "its strides differ by side, which depthwise convolutions lack"
        if layer.padding == CAUSAL:
            return "its padding is causal, which depthwise convolutions lack"
        if max(layer.taps(topology.input_shapes[position])) == 1:
            return "its kernel has one tap: there is nothing to separate"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        layer = topology.layer(position, Conv)
        depthwise = DepthwiseConv(
            layer.kernel, "linear", False, layer.strides, layer.padding, layer.dilation
        )
        mixing = replace(layer, kernel=1, strides=1, dilation=1)
        return topology.replace(position, depthwise, mixing)

    def layer_origins(
        self, topology: Topology, child: Topology, position: int
    ) -> tuple[int | None, ...]:
        """Both halves are new."""
        return (*range(position), None, None, *range(position + 1, len(topology.layers)))

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        kernel, *bias = network.weights[position]
        by_channel = np.moveaxis(kernel.astype(np.float64), -2, 0)
        matrices = by_channel.reshape(len(by_channel), -1, kernel.shape[-1])
        left, values, right = np.linalg.svd(matrices, full_matrices=False)
        scale = np.sqrt(values[:, 0, None])
        shapes = [child.array_shapes[i][0] for i in (position, position + 1)]
        depthwise = (left[:, :, 0] * scale).T.reshape(shapes[0]).astype(np.float32)
        mixing = (right[:, 0] * scale).reshape(shapes[1]).astype(np.float32)
        rest = unchanged(len(child.layers) - position - 2, position + 1)
        return WeightTransfer(
            child,
            (*unchanged(position), None, None, *rest),
            {position: (depthwise,), position + 1: (mixing, *bias)},
        )

    def first_readers(self, topology: Topology, child: Topology, position: int) -> Sequence[int]:
        return (position,)  # the mixing convolution is fitted to what the whole one gave


class JoinSeparable(Operation):
    """A depthwise convolution and one of single pixels behind it, as a whole one; exact.

    K[a, c, o] = D[a, c] P[c, o], and the depthwise bias goes through P.
    """

    name = "join_separable"
    label = "joined separable convolution"
    takes_width = False

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.wrong_kind(
            topology, position, DepthwiseConv, "depthwise convolution"
        ):
            return reason
        if topology.layers[position].activation_function != "linear":
            return f"the {topology.layers[position]} there has an activation"
        if (consumer := topology.consumer(position)) != position + 1:
            return "no convolution alone reads it directly"
        assert consumer is not None
        reader = topology.layers[consumer]
        if not isinstance(reader, Conv) or (reader.kernel, reader.strides) != (1, 1):
            return f"the {reader} behind it does not mix single pixels"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        depthwise = topology.layer(position, DepthwiseConv)
        mixing = topology.layer(position + 1, Conv)
        joined = replace(
            mixing,
            kernel=depthwise.kernel,
            strides=depthwise.strides,
            padding=depthwise.padding,
            dilation=depthwise.dilation,
            use_bias=depthwise.use_bias or mixing.use_bias,
        )
        return topology.remove(position).replace(position, joined)

    def layer_origins(
        self, topology: Topology, child: Topology, position: int
    ) -> tuple[int | None, ...]:
        """The joined layer is a new one."""
        return (*range(position), None, *range(position + 2, len(topology.layers)))

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        (depthwise, *first), (mixing, *second) = (
            [array.astype(np.float64) for array in network.weights[i]]
            for i in (position, position + 1)
        )
        matrix = mixing.reshape(mixing.shape[-2:])
        biases = [*(bias @ matrix for bias in first), *second]
        joined = [depthwise * matrix, *([np.sum(biases, axis=0)] if biases else [])]
        rest = unchanged(len(child.layers) - position - 1, position + 2)
        return WeightTransfer(
            child,
            (*unchanged(position), None, *rest),
            {position: tuple(array.astype(np.float32) for array in joined)},
        )

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True
