"""Gates by squeeze and excitation: a factor for each channel that depends on the whole image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsurgery.networks.blocks import Parallel
from netsurgery.networks.inference import as_input, chunks, run_layers
from netsurgery.networks.layers import (
    Arrays,
    Dense,
    GlobalPool,
    KernelLayer,
    Multiply,
    Other,
    Rescaling,
)
from netsurgery.networks.network import Network
from netsurgery.networks.topology import Topology
from netsurgery.surgery.channel_factors import multiplied_before, multiplied_behind
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.sizes import MutationSizes
from netsurgery.surgery.weight_transfer import WeightTransfer, replaced, unchanged

REDUCTION = 4  # channels per squeezed unit


def gate(channels: int, squeezed: int) -> Parallel:
    """A gate of twice a sigmoid, which is 1 where the sigmoid's input is 0."""
    excitation = (Dense(squeezed), Dense(channels, "sigmoid"), Rescaling(2.0))
    return Parallel(((), (GlobalPool(), *excitation)), Multiply.function)


class AddGate(Operation):
    """Squeeze and excitation (Hu, Shen and Sun 2018) behind a cell; exact.

    A gate must be 1 at first. It is twice a sigmoid, as in Swietojanski and Renals (2014), whose
    last kernel is zero: 2 sigmoid(0) = 1, where the sigmoid is steepest. A hard sigmoid with a bias
    of 3 is 1 as well, but its gradient there is 0, and such a gate never learns. The first kernel
    is drawn, so the last one receives gradients from the first step. The width is the number of
    squeezed units.
    """

    name = "add_gate"
    label = "+ gate"
    inserts_behind = True

    def default_width(self, topology: Topology, position: int, sizes: MutationSizes) -> int | None:
        return max(1, topology.output_shapes[position][-1] // REDUCTION)

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if width < 1:
            return "at least one squeezed unit is needed"
        if len(topology.output_shapes[position]) < 2:
            return "gates go behind an image or a series, and the output there is flat"
        if not topology.readers[position]:
            return "it is the output layer, which never changes"
        layer = topology.layers[position]
        if isinstance(layer, Other | Multiply) or not any(
            isinstance(each, KernelLayer) for each in topology.layers[: position + 1]
        ):
            return f"gates go behind a cell or a block, and the layer there is {layer}"
        if any(topology.layers[i].is_elementwise for i in topology.readers[position]):
            return "gates go behind a whole cell, and its normalization or activation follows"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology.append(position, gate(topology.output_shapes[position][-1], width))

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        behind, layers = position + 1, len(network.topology.layers)
        new = range(behind, behind + len(child.layers) - layers)
        changed: dict[int, Arrays] = {
            i: child.layers[i].initial_arrays(child.input_shapes[i], rng) for i in new
        }
        _, last = (i for i in new if isinstance(child.layers[i], Dense))
        changed[last] = tuple(np.zeros_like(array) for array in changed[last])
        origins = (*unchanged(behind), *[None] * len(new), *unchanged(layers - behind, behind))
        return WeightTransfer(child, origins, changed)

    def is_exact(self, topology: Topology, position: int) -> bool:
        return True

    def is_exact_in_training(self, topology: Topology, position: int) -> bool:
        return True


class RemoveGate(Operation):
    """Constant factors instead of a gate; approximate.

    With samples, the factor of a channel is the one that comes closest to the gated channel in the
    sense of least squares; without them, the gate's value for an image of zeros. It multiplies the
    weights that read the channel, or those that give it; where neither is possible it is lost.
    """

    name = "remove_gate"
    label = "− gate"  # noqa: RUF001 - a minus sign
    is_removal = True
    takes_width = False
    uses_calibration = True
    recuperation_epochs = 1.0
    recuperation_factor = 10

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        block = topology.block(position)
        if not (isinstance(block, Parallel) and block.function == Multiply.function):
            return f"no gate ends there, the layer is {topology.layers[position]}"
        whole, *factors = sorted(block.rows, key=len)
        if whole or len(factors) != 1 or not factors[0]:
            return "it multiplies two computed images, which is no gate"
        _, factor = _ends(topology, position)
        if any(side > 1 for side in topology.output_shapes[factor][:-1]):
            return "it has a factor for each pixel, which is no gate"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology.remove(position)

    def layer_origins(
        self, topology: Topology, child: Topology, position: int
    ) -> tuple[int | None, ...]:
        removed = len(topology.layers) - len(child.layers)
        layers = range(len(topology.layers))
        return (*layers[: position + 1 - removed], *layers[position + 1 :])

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        if samples is None:
            factors = _factors_for_zeros(network, position)
        else:
            factors = _closest_factors(network, position, samples)
        return _without_gate(network, child, position, factors)

    def first_readers(self, topology: Topology, child: Topology, position: int) -> Sequence[int]:
        return topology.readers[position]


def _ends(topology: Topology, position: int) -> tuple[int, int]:
    """Positions of what a gate multiplies, and of the layer that gives its factors."""
    one, other = topology.steps[position].inputs
    return min(one, other), max(one, other)


def _factors_for_zeros(network: Network, position: int) -> np.ndarray:
    """The factors (channels,) of a gate that an image of zeros enters."""
    entering, factor = _ends(network.topology, position)
    zeros = np.zeros((1, *network.topology.output_shapes[position]))
    return run_layers(network, {entering: zeros}, entering + 1, position)[factor].reshape(-1)


def _closest_factors(network: Network, position: int, samples: np.ndarray) -> np.ndarray:
    """The factors s (channels,) that minimise sum (g x - s x)^2 over samples and pixels."""
    topology = network.topology
    entering, factor = _ends(topology, position)
    channels = topology.output_shapes[position][-1]
    squares, gated = np.zeros(channels), np.zeros(channels)
    for part in chunks(len(samples)):
        values = run_layers(network, as_input(samples[part]), 0, position)
        x, g = values[entering], values[factor].reshape(-1, channels)
        energy = np.square(x, dtype=np.float64).sum(axis=tuple(range(1, x.ndim - 1)))
        squares += energy.sum(axis=0)
        gated += (g * energy).sum(axis=0)
    neutral = np.ones(channels)
    return np.divide(gated, squares, out=neutral, where=squares > 0)


def _without_gate(
    network: Network, child: Topology, position: int, factors: np.ndarray
) -> WeightTransfer:
    topology = network.topology
    entering, _ = _ends(topology, position)
    removed = len(topology.layers) - len(child.layers)
    first, factors = position + 1 - removed, np.maximum(factors, 0)
    changed = multiplied_behind(network, position, factors)
    if changed is None:
        gate_layers = set(range(first, position + 1))
        changed = multiplied_before(network, entering, factors, gate_layers) or {}
    moved = {i if i < first else i - removed: arrays for i, arrays in changed.items()}
    origins = (*unchanged(first), *unchanged(len(child.layers) - first, position + 1))
    return WeightTransfer(child, replaced(origins, dict.fromkeys(moved)), moved)
