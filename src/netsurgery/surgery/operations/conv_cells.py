"""One conv cell more or less (ECToNAS section 3.2, A.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from netsurgery.networks.layers import (
    CONV_CELL_LENGTH,
    Arrays,
    BatchNorm,
    Conv,
    Convolution,
    Other,
    Pool,
    Reshape,
    conv_cell,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.blocked_matmul import product
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.pooling import aggregated, resampled
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.structure import (
    channels_at,
    flattened_image_reader,
    flattening_position,
    is_conv_cell,
    is_series,
)
from netsurgery.surgery.weight_transfer import WeightTransfer, replaced, unchanged


def _takes_no_image(topology: Topology, position: int) -> bool:
    """Whether a layer shows that what leaves it is no image, channels last.

    An embedding gives steps and features, other layers want channels first; a normalization of two
    axes has statistics by feature.
    """
    layer = topology.layers[position]
    if isinstance(layer, Other):
        return not layer.is_image
    two_axes = len(topology.input_shapes[position]) == 2
    return layer.has_channel_arrays and two_axes and not is_series(topology)


Resample = Callable[[np.ndarray, Sequence[int]], np.ndarray]  # a kernel for other sides


def _for_new_image_size(
    child: Topology, kernel: np.ndarray, dense: int, resample: Resample
) -> np.ndarray:
    """The kernel (*sides, c, out) of the first dense layer for the child's image.

    Args:
        child: the child's topology.
        kernel: as `consumer_kernel.read` gives it.
        dense: position of the dense layer in the child.
        resample: gives it the new size.
    """
    *sides, _ = child.shape_before_flatten(dense)
    if kernel.ndim < len(sides) + 2:  # an image without a channel axis
        kernel = kernel[..., None, :]
    return resample(kernel, sides)


class AddConvCell(Operation):
    """A cell that passes its input on, pooled; approximate because of the pooling.

    The convolution's kernel is a Dirac: identity across channels at the centre tap (the published
    code sets the centre taps of all pairs of channels to 1). The first dense layer's kernel is
    resampled to the smaller image.
    """

    name = "add_conv_cell"
    label = "+ conv cell"
    takes_pooling = True
    uses_calibration = True
    resizes_image = True
    recuperation_epochs = 0.25

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        return channels_at(topology, position)

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        end = flattening_position(topology, position)
        if end is None:
            return "the network has no layer that flattens an image"
        if position > end:
            return "the image is already flat there"
        for i in sorted(topology.ancestors(position)):
            if _takes_no_image(topology, i):
                return f"the {topology.layers[i]} at {i} gives no image with its channels last"
        channels = channels_at(topology, position)
        if reason := legality.not_as_wide_as_input(width, channels):
            return reason
        shape = topology.input_shapes[end]
        sides = shape[:-1] if len(shape) == 3 or is_series(topology) else shape
        if is_series(topology) and sides == (1,):
            return "the series has one step left: there is nothing left to pool"
        if min(sides) == 1:
            return "the flattened image is 1 pixel wide or high: there is nothing left to pool"
        if position != end and not isinstance(topology.layers[position], Convolution):
            return "conv cells go before a convolution or the layer that flattens the image"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        activation = "relu" if topology.non_negative_inputs[position] else "linear"
        cell = conv_cell(width, pooling=pooling, activation=activation)
        shape = topology.input_shapes[position]
        channel_axis = [Reshape((*shape, 1))] if len(shape) == 2 and not is_series(topology) else []
        return topology.insert(position, *channel_axis, *cell)

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        return self._transfer(network, child, position, resampled)

    def transfer_aggregated(
        self, network: Network, child: Topology, position: int
    ) -> WeightTransfer:
        added = len(child.layers) - len(network.topology.layers)
        pooling = child.layer(position + added - CONV_CELL_LENGTH + 1, Pool).function
        return self._transfer(network, child, position, partial(aggregated, pooling=pooling))

    def _transfer(
        self, network: Network, child: Topology, position: int, resample: Resample
    ) -> WeightTransfer:
        added = len(child.layers) - len(network.topology.layers)
        start = position + added - CONV_CELL_LENGTH  # after a channel axis that had to be added
        conv, batch_norm = child.layer(start, Conv), child.layer(start + 2, BatchNorm)
        width = conv.channels
        kernel = np.zeros(child.array_shapes[start][0], np.float32)
        centre = tuple((taps - 1) // 2 for taps in kernel.shape[:-2])
        kernel[centre] = np.eye(width)
        zeros, ones = np.zeros(width, np.float32), np.ones(width, np.float32)
        gamma = ones * np.float32(np.sqrt(1 + batch_norm.epsilon))
        changed: dict[int, Arrays] = {
            start: (kernel, zeros),
            start + 2: (gamma, zeros, zeros, ones),
        }

        layers = len(network.topology.layers)
        origins = (*unchanged(position), *[None] * added, *unchanged(layers - position, position))
        dense = flattened_image_reader(network.topology, position)
        if dense is not None:
            resized = _for_new_image_size(
                child, consumer_kernel.read(network, dense), dense + added, resample
            )
            changed[dense + added] = consumer_kernel.write(network, dense, resized)
            origins = replaced(origins, {dense + added: None})
        return WeightTransfer(child, origins, changed)

    def first_readers(self, topology: Topology, child: Topology, position: int) -> Sequence[int]:
        added = len(child.layers) - len(topology.layers)
        first = child.consumer(position + added - CONV_CELL_LENGTH)
        return () if first is None else (first - added,)


class RemoveConvCell(Operation):
    """Multiply the cell, made linear, onto the next layer's weights; approximate.

    The convolution keeps its response to a constant image (the sum of its taps), the normalization
    its effect in inference mode. The activation is ignored, as when a dense layer is removed. The
    first dense layer's kernel is resampled to the larger image.
    """

    name = "remove_conv_cell"
    label = "− conv cell"  # noqa: RUF001 - a minus sign
    is_removal = True
    takes_width = False
    uses_calibration = True
    resizes_image = True
    recuperation_epochs = 1.0

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.not_hidden_conv(topology, position):
            return reason
        if not is_conv_cell(topology, position):
            return (
                "no complete conv cell (convolution, pooling, batch normalization, activation)"
                " starts there"
            )
        return legality.not_removable(topology, position, position + CONV_CELL_LENGTH)

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology.remove(position, CONV_CELL_LENGTH)

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        return self._transfer(network, child, position, resampled)

    def transfer_aggregated(
        self, network: Network, child: Topology, position: int
    ) -> WeightTransfer:
        repeat = partial(aggregated, pooling="average")  # whatever it was, the weights repeat
        return self._transfer(network, child, position, repeat)

    def _transfer(
        self, network: Network, child: Topology, position: int, resample: Resample
    ) -> WeightTransfer:
        topology = network.topology
        batch_norm = topology.layer(position + 2, BatchNorm)
        kernel, *bias = (array.astype(np.float64) for array in network.weights[position])
        gain, shift = batch_norm.gain_and_shift(network.weights[position + 2])
        constant = shift + gain * (bias[0] if bias else 0)
        mixing = (
            kernel.sum(axis=tuple(range(kernel.ndim - 2))) * gain
        )  # (channels in, channels out)

        consumer = topology.consumer(position)
        dense = flattened_image_reader(topology, position)
        assert consumer is not None
        outgoing = {i: consumer_kernel.read(network, i) for i in (consumer, dense) if i is not None}
        outgoing[consumer] = product(mixing, outgoing[consumer])
        if dense is not None:
            outgoing[dense] = _for_new_image_size(
                child, outgoing[dense], dense - CONV_CELL_LENGTH, resample
            )
        changed = {
            i - CONV_CELL_LENGTH: consumer_kernel.write(
                network, i, kernels, constant if i == consumer else None
            )
            for i, kernels in outgoing.items()
        }
        end = position + CONV_CELL_LENGTH
        origins = (*unchanged(position), *unchanged(len(topology.layers) - end, end))
        return WeightTransfer(child, replaced(origins, dict.fromkeys(changed)), changed)
