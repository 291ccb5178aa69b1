"""The flatten layer replaced by global pooling, and back."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from netsurgery.networks.layers import (
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    KernelLayer,
    Layer,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.weight_transfer import Origin, WeightTransfer, replaced, unchanged

LINEAR = (BatchNorm, Dropout, Flatten)  # in inference mode


def _no_dense_reader(topology: Topology, position: int) -> str | None:
    """No dense layer alone reads the features at `position`."""
    if reason := legality.no_reader(topology, position):
        return reason
    consumer = topology.consumer(position)
    assert consumer is not None
    layer = topology.layers[consumer]
    return (
        None if isinstance(layer, Dense) else f"the {layer} at {consumer} reads it, no dense layer"
    )


def _pixels(topology: Topology, position: int) -> int:
    """Pixels of an image, steps of a series."""
    return math.prod(topology.input_shapes[position][:-1])


class _Replacement(Operation):
    """What both have in common: another layer makes the image flat for a dense layer.

    Attributes:
        new_layer: the one that the child has at the position.
    """

    new_layer: ClassVar[Layer]
    takes_width = False
    uses_calibration = True

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology.replace(position, self.new_layer)

    def layer_origins(
        self, topology: Topology, child: Topology, position: int
    ) -> tuple[int | None, ...]:
        return tuple(None if i == position else i for i in range(len(topology.layers)))


class FlattenToGlobalPooling(_Replacement):
    """Averages of channels instead of all pixels; approximate, exact for images of one pixel.

    The dense layer's kernel is summed over pixels, which is exact for images that are constant:
    sum_p x_p W_p = x sum_p W_p if all x_p = x.
    """

    name = "flatten_to_global_pooling"
    label = "flatten → global pooling"
    new_layer = GlobalPool()
    is_removal = True
    recuperation_epochs = 1.0
    recuperation_factor = 10

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.wrong_kind(topology, position, Flatten, "flatten layer"):
            return reason
        if len(topology.input_shapes[position]) == 1:
            return "its input is flat already"
        if reason := _no_dense_reader(topology, position):
            return reason
        if not any(isinstance(layer, KernelLayer) for layer in topology.layers[:position]):
            return "no convolution comes before it: the samples themselves would be averaged"
        between = topology.layers[position : topology.consumer(position)]
        if any(layer.has_channel_arrays for layer in between):
            return "the batch normalization after the flatten layer supports one image size only"
        return None

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        dense = network.topology.consumer(position)
        assert dense is not None
        kernel = consumer_kernel.read(network, dense)
        pooled = kernel.reshape(-1, *kernel.shape[-2:]).sum(axis=0, dtype=np.float64)
        return WeightTransfer(
            child,
            replaced(unchanged(len(child.layers)), {position: None, dense: None}),
            {dense: consumer_kernel.write(network, dense, pooled)},
        )

    def is_exact(self, topology: Topology, position: int) -> bool:
        return _pixels(topology, position) == 1


class GlobalPoolingToFlatten(_Replacement):
    """All pixels instead of the averages of channels; exact for average pooling.

    Every pixel gets the weights of its channel, divided by the number of pixels. Approximate for
    maximum pooling, and with an activation between pooling and dense layer.
    """

    name = "global_pooling_to_flatten"
    label = "global pooling → flatten"
    new_layer = Flatten()

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.wrong_kind(topology, position, GlobalPool, "global pooling"):
            return reason
        if reason := _no_dense_reader(topology, position):
            return reason
        for layer in topology.layers[position : topology.consumer(position)]:
            if layer.mixes_channels:
                return f"the {layer} after it would take all pixels together"
        return None

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        topology = network.topology
        dense, pixels = topology.consumer(position), _pixels(topology, position)
        assert dense is not None
        kernel, *bias = network.weights[dense]
        by_pixel = np.tile((kernel / np.float64(pixels)).astype(np.float32), (pixels, 1))
        index = np.tile(np.arange(len(kernel)), pixels)
        moved: dict[int, Origin | None] = {
            i: Origin(i, outputs=index)
            for i in range(position + 1, dense)
            if topology.layers[i].has_channel_arrays
        }
        origins = replaced(unchanged(len(child.layers)), {**moved, position: None, dense: None})
        return WeightTransfer(child, origins, {dense: (by_pixel, *bias)})

    def is_exact(self, topology: Topology, position: int) -> bool:
        if _pixels(topology, position) == 1:
            return True
        pool = topology.layers[position]
        between = topology.layers[position : topology.consumer(position)]
        return (
            isinstance(pool, GlobalPool)
            and pool.function == "average"
            and all(isinstance(layer, LINEAR) for layer in between[1:])
        )

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        """Unless a normalization then sees the variance of pixels, not that of averages."""
        between = topology.layers[position : topology.consumer(position)]
        return self.is_exact(topology, position) and not any(
            layer.has_channel_arrays for layer in between
        )
