"""Two linear layers made one: convolutions, and a layer with its normalization."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from netsurgery.networks.layers import (
    Arrays,
    BatchNorm,
    Conv,
    Dropout,
    GlobalPool,
    LinearLayer,
    Pool,
)
from netsurgery.networks.layers.windows import by_side
from netsurgery.networks.network import Network
from netsurgery.networks.steps import INPUT
from netsurgery.networks.topology import Topology
from netsurgery.surgery import windows
from netsurgery.surgery.channel_factors import scaled_outputs
from netsurgery.surgery.operations import legality
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.weight_transfer import WeightTransfer, replaced, unchanged


class MergeConvolutions(Operation):
    """A linear convolution and the one that reads it, as a single one.

    Its kernel is the convolution of both: K[a + s b] = sum_c A[a, :, c] B[b, c, :], with s the
    strides of the first one. Exact unless the second one pads its input: near the borders the
    merged one takes what the first one would compute outside the image, and not zeros.
    """

    name = "merge_convolutions"
    label = "merged convolutions"
    is_removal = True
    takes_width = False
    uses_calibration = True
    recuperation_epochs = 1.0
    recuperation_factor = 10

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.not_hidden_conv(topology, position):
            return reason
        if topology.layers[position].activation_function != "linear":
            return f"the {topology.layers[position]} there has an activation"
        (reader,) = topology.readers[position]
        if not isinstance(topology.layers[reader], Conv):
            return f"no convolution follows, the next layer is {topology.layers[reader]}"
        if _merged(topology, position) is None:
            return "no single convolution pads the image as these two do"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        merged = _merged(topology, position)
        assert merged is not None
        return topology.remove(position).replace(position, merged)

    def layer_origins(
        self, topology: Topology, child: Topology, position: int
    ) -> tuple[int | None, ...]:
        """The merged layer is a new one."""
        return (*range(position), None, *range(position + 2, len(topology.layers)))

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        first, behind = network.topology.layer(position, Conv), position + 1
        (one, *one_bias), (other, *other_bias) = (
            [array.astype(np.float64) for array in network.weights[i]] for i in (position, behind)
        )
        kernel = np.zeros(child.array_shapes[position][0])
        strides = by_side(first.strides, network.topology.input_shapes[position])
        for tap in np.ndindex(other.shape[:-2]):
            corner = [step * i for step, i in zip(strides, tap, strict=True)]
            window = tuple(slice(i, i + side) for i, side in zip(corner, one.shape, strict=False))
            kernel[window] += one @ other[tap]
        whole = other.reshape(-1, *other.shape[-2:]).sum(axis=0)
        biases = [*(bias @ whole for bias in one_bias), *other_bias]
        merged = kernel, *([np.sum(biases, axis=0)] if biases else [])
        rest = unchanged(len(child.layers) - behind, behind + 1)
        return WeightTransfer(
            child, (*unchanged(position), None, *rest), {position: _float(merged)}
        )

    def is_exact(self, topology: Topology, position: int) -> bool:
        first, second = (topology.layer(i, Conv) for i in (position, position + 1))
        if not any(map(any, windows.margins(second, topology.input_shapes[position + 1]))):
            return True
        # without a bias, a single tap gives zero outside the image
        taps = math.prod(first.taps(topology.input_shapes[position]))
        return taps == 1 and not first.use_bias


def _merged(topology: Topology, position: int) -> Conv | None:
    """The convolution that does what the two from `position` on do; None if there is none."""
    first, second = (topology.layer(i, Conv) for i in (position, position + 1))
    if (first.dilation, second.dilation) != (1, 1):
        return None
    entering, between = topology.input_shapes[position : position + 2]
    steps = by_side(first.strides, entering)

    def combined(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
        """What `one` of the first means with `other` of the second, in pixels that enter."""
        return tuple(a + step * b for a, b, step in zip(one, other, steps, strict=True))

    kernel = combined(first.taps(entering), tuple(side - 1 for side in second.taps(between)))
    strides = combined((0,) * len(steps), by_side(second.strides, between))
    before = combined(windows.before(first, entering), windows.before(second, between))
    for padding in (first.padding, second.padding):
        merged = replace(
            second,
            kernel=kernel,
            strides=strides,
            padding=padding,
            use_bias=first.use_bias or second.use_bias,
        )
        try:
            leaving = merged.output_shape(entering)
        except ValueError:  # larger than the image
            continue
        same_size = leaving == topology.output_shapes[position + 1]
        if same_size and windows.before(merged, entering) == before:
            return merged
    return None


class MergeNormalization(Operation):
    """Batch normalization as part of the linear layer before it; exact in inference.

    Gain and shift of the normalization multiply the kernel's outputs and add to the bias. In
    training, the statistics of a batch no longer matter.
    """

    name = "merge_normalization"
    label = "merged normalization"
    is_removal = True
    takes_width = False

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if reason := legality.wrong_kind(topology, position, BatchNorm, "batch normalization"):
            return reason
        if _normalized(topology, position) is None:
            return "no linear layer comes before it that it alone reads"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        before = _normalized(topology, position)
        assert before is not None
        biased = topology.layer(before, LinearLayer).with_bias(True)
        return topology.remove(position).replace(before, biased)

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        before = _normalized(network.topology, position)
        assert before is not None
        normalization = network.topology.layer(position, BatchNorm)
        gain, shift = normalization.gain_and_shift(network.weights[position])
        linear = network.topology.layer(before, LinearLayer)
        *kernels, bias = scaled_outputs(linear, network.weights[before], gain)
        if not linear.use_bias:
            kernels, bias = [*kernels, bias], np.zeros(len(shift))
        merged = *kernels, bias + shift
        origins = (*unchanged(position), *unchanged(len(child.layers) - position, position + 1))
        return WeightTransfer(child, replaced(origins, {before: None}), {before: _float(merged)})

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True


def _float(arrays: Arrays) -> Arrays:
    return tuple(array.astype(np.float32) for array in arrays)


def _normalized(topology: Topology, position: int) -> int | None:
    """The linear layer that alone feeds a normalization, through layers that keep averages."""
    reader, before = position, topology.steps[position].inputs[0]
    while before != INPUT and topology.readers[before] == (reader,):
        layer = topology.layers[before]
        if isinstance(layer, LinearLayer):
            return before if layer.activation == "linear" else None
        averages = isinstance(layer, Pool | GlobalPool) and layer.function == "average"
        if not (averages or isinstance(layer, Dropout)):
            return None
        reader, before = before, topology.steps[before].inputs[0]
    return None
