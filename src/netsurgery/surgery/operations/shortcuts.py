"""Turn a plain cell into a residual one, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from netsurgery.networks.blocks import Residual, Row
from netsurgery.networks.inference import layer_input
from netsurgery.networks.layers import (
    Activation,
    Arrays,
    BatchNorm,
    Conv,
    Dense,
    KernelLayer,
    Rescaling,
)
from netsurgery.networks.network import Network
from netsurgery.networks.steps import steps_of
from netsurgery.networks.topology import Topology
from netsurgery.surgery.corrections import corrected
from netsurgery.surgery.dirac import dirac, middle
from netsurgery.surgery.operations import placement
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.refit import samples_needed
from netsurgery.surgery.weight_transfer import Origin, WeightTransfer, replaced


class _Shortcut(Operation):
    """What both have in common: the last kernel takes in, or gives away, what the shortcut adds."""

    takes_width = False
    uses_calibration = True

    def last_kernel(self, topology: Topology, position: int) -> int:
        """The position of the layer that changes."""
        raise NotImplementedError

    def first_kernel(self, topology: Topology, position: int) -> int:
        """The position of the first layer of the body."""
        raise NotImplementedError

    def is_exact(self, topology: Topology, position: int) -> bool:
        last = self.last_kernel(topology, position)
        return self.first_kernel(topology, position) == last and _has_dirac(topology, last)

    def first_readers(self, topology: Topology, child: Topology, position: int) -> Sequence[int]:
        return topology.readers[self.last_kernel(topology, position)]

    def with_shortcut(
        self,
        network: Network,
        position: int,
        sign: int,
        arrays: Arrays,
        samples: np.ndarray | None,
    ) -> Arrays:
        """Arrays of the last kernel that give, besides, the input of the body times `sign`."""
        topology = network.topology
        first, last = (f(topology, position) for f in (self.first_kernel, self.last_kernel))
        layer = topology.layer(last, KernelLayer)
        if self.is_exact(topology, position):
            kernel = dirac(layer, topology.input_shapes[last])
        elif samples is not None:
            samples = samples[: samples_needed(topology, last, len(samples))]
            entering = (layer_input(network, i, samples) for i in (first, last))
            given, hidden = entering
            return corrected(layer, arrays, hidden, sign * given)
        else:
            kernel = _linear_estimate(network, first, last)
        if kernel is None:
            return arrays
        return ((arrays[0] + sign * kernel).astype(np.float32), *arrays[1:])


class MakeResidual(_Shortcut):
    """A cell whose output has the shape of its input becomes the body of a residual block.

    The cell is a convolution or dense layer that keeps the shape of its input, or two of which the
    second restores it. Its last kernel loses what the shortcut adds. One layer loses a Dirac:
    exact, in training mode as well. Normalization and activation stay behind the sum. With two
    layers the last kernel is fitted to samples, or by the papers' rule, which ignores activations;
    approximate.
    """

    name = "make_residual"
    label = "+ shortcut"
    recuperation_epochs = 0.25

    def first_kernel(self, topology: Topology, position: int) -> int:
        return position

    def last_kernel(self, topology: Topology, position: int) -> int:
        if _has_dirac(topology, position):
            return position
        consumer = topology.consumer(position)
        assert consumer is not None
        return consumer

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        layer = topology.layers[position]
        if not isinstance(layer, Conv | Dense):
            return f"the layer there is {layer}, not a convolution or dense layer"
        last: int | None = position
        if not _has_dirac(topology, position):
            last = topology.consumer(position)
        if last is None or not isinstance(topology.layers[last], Conv | Dense):
            return "its output has another shape than its input"
        if topology.output_shapes[last] != topology.input_shapes[position]:
            return "neither its output nor that of the layer that reads it has its input's shape"
        if not placement.computes_later(topology, last):
            return "it gives the network's output, which never changes"
        block = placement.parent(topology, position)
        if isinstance(block, Residual) and len(block.body) == last - position + 1:
            return "it is the body of a residual block already"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        last = self.last_kernel(topology, position)
        layer = topology.layers[last]
        assert isinstance(layer, Conv | Dense)
        body = (*topology.layers[position:last], replace(layer, activation="linear"))
        behind = [] if layer.activation == "linear" else [Activation(layer.activation)]
        return topology.replace(position, Residual(body), *behind, count=len(body))

    def layer_origins(
        self, topology: Topology, child: Topology, position: int
    ) -> tuple[int | None, ...]:
        old, grown = range(len(topology.layers)), len(child.layers) - len(topology.layers)
        end = self.last_kernel(topology, position) + 1
        return (*old[:end], *[None] * grown, *old[end:])

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        topology = network.topology
        last = self.last_kernel(topology, position)
        arrays = self.with_shortcut(network, position, -1, network.weights[last], samples)
        kept = self.layer_origins(topology, child, position)
        origins = tuple(None if i is None else Origin(i) for i in kept)
        if not self.is_exact(topology, position):
            origins = replaced(origins, {last: None})
        return WeightTransfer(child, origins, {last: arrays})

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        return self.is_exact(topology, position)


class MakePlain(_Shortcut):
    """A residual block without a projection becomes its body; the last kernel adds the input.

    A normalization at the end of the body goes into that kernel. If the body is one layer with a
    kernel, perhaps normalized, a Dirac is added: exact in inference, and without a normalization in
    training mode. Otherwise the kernel is fitted to samples, or by the papers' rule, which ignores
    activations; approximate.
    """

    name = "make_plain"
    label = "− shortcut"  # noqa: RUF001 - a minus sign
    is_removal = True
    recuperation_epochs = 1.0

    def first_kernel(self, topology: Topology, position: int) -> int:
        return position - len(steps_of(_body(topology, position)))

    def last_kernel(self, topology: Topology, position: int) -> int:
        last = position - 1
        while isinstance(topology.layers[last], BatchNorm):
            last -= 1
        return last

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        block = topology.block(position)
        if not isinstance(block, Residual):
            return f"the layer there is {block or topology.layers[position]}, not a residual block"
        if block.shortcut:
            return "its shortcut is a projection"
        if not placement.computes_later(topology, position):
            return "it gives the network's output, which never changes"
        *_, last = (node for node in (None, *block.body) if not isinstance(node, BatchNorm))
        if not isinstance(last, Conv | Dense) or last.activation != "linear":
            return "its body does not end with a linear layer, normalized or not"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        body = _body(topology, position)
        folded = self._folded(topology, position)
        layer = body[len(body) - folded - 1]
        assert isinstance(layer, Conv | Dense)
        layer = layer.with_bias(layer.use_bias or folded > 0)
        return topology.replace(position, *body[: len(body) - folded - 1], layer)

    def _folded(self, topology: Topology, position: int) -> int:
        """How many normalizations go into the last kernel."""
        return position - self.last_kernel(topology, position) - 1

    def layer_origins(
        self, topology: Topology, child: Topology, position: int
    ) -> tuple[int | None, ...]:
        old = range(len(topology.layers))
        return (*old[: self.last_kernel(topology, position) + 1], *old[position + 1 :])

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        topology = network.topology
        last = self.last_kernel(topology, position)
        arrays = network.weights[last]
        for i in range(last + 1, position):
            arrays = _normalized(arrays, topology.layer(i, BatchNorm), network.weights[i])
        arrays = self.with_shortcut(network, position, 1, arrays, samples)
        kept = self.layer_origins(topology, child, position)
        origins = tuple(None if i is None else Origin(i) for i in kept)
        if not self.is_exact_in_training(topology, position):
            origins = replaced(origins, {last: None})
        return WeightTransfer(child, origins, {last: arrays})

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        return self.is_exact(topology, position) and not self._folded(topology, position)


def _body(topology: Topology, position: int) -> Row:
    block = topology.block(position)
    assert isinstance(block, Residual)
    return block.body


def _has_dirac(topology: Topology, position: int) -> bool:
    """Whether the layer at `position` can pass its input on."""
    layer, shape = topology.layers[position], topology.input_shapes[position]
    keeps_shape = topology.output_shapes[position] == shape
    return keeps_shape and middle(layer, shape) is not None


def _normalized(arrays: Arrays, layer: BatchNorm, statistics: Arrays) -> Arrays:
    """A kernel with the effect of the normalization behind it, and a bias."""
    gain, shift = layer.gain_and_shift(statistics)
    kernel, *bias = arrays
    constant = bias[0] * gain + shift if bias else shift
    return (kernel * gain).astype(np.float32), constant.astype(np.float32)


def _linear_estimate(network: Network, first: int, last: int) -> np.ndarray | None:
    """A kernel at `last` that gives about what enters `first`, if activations did nothing.

    It is the pseudoinverse of how the layers between mix channels of a constant image. None if
    there is anything else than layers with kernels and elementwise ones between.
    """
    topology = network.topology
    layer, shape = topology.layer(last, KernelLayer), topology.input_shapes[last]
    tap = middle(layer, shape)
    if tap is None:
        return None
    mixing = np.eye(topology.input_shapes[first][-1])
    for i in range(first, last):
        between = topology.layers[i]
        if isinstance(between, BatchNorm):
            mixing = mixing * between.gain_and_shift(network.weights[i])[0]
        elif isinstance(between, Rescaling):
            mixing = mixing * between.scale
        elif isinstance(between, Conv | Dense):
            kernel = network.weights[i][0].astype(np.float64)
            mixing = mixing @ kernel.sum(axis=tuple(range(kernel.ndim - 2)))
        elif not between.is_elementwise:
            return None
    estimate = np.zeros(layer.kernel_shape(shape))
    estimate[tap] = np.linalg.pinv(mixing)
    return estimate
