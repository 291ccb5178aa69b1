"""Remove the body of a residual block, or one of the branches of a block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netsurgery.networks.blocks import Parallel, Residual, Row
from netsurgery.networks.inference import layer_input
from netsurgery.networks.layers import BatchNorm, Concatenate, KernelLayer, Multiply
from netsurgery.networks.network import Network
from netsurgery.networks.steps import steps_of
from netsurgery.networks.topology import Topology
from netsurgery.surgery.corrections import corrected
from netsurgery.surgery.operations import placement
from netsurgery.surgery.operations.base import Operation
from netsurgery.surgery.refit import samples_needed
from netsurgery.surgery.weight_transfer import Origin, WeightTransfer, replaced, selection_behind

SMALLEST_GAIN = 1e-3  # below it, a correction in front of a normalization would be large


def _count(*rows: Row) -> int:
    """How many layers rows have, those of inner blocks included."""
    return sum(len(steps_of(row)) for row in rows)


def _residual(topology: Topology, position: int) -> Residual:
    block = topology.block(position)
    assert isinstance(block, Residual)
    return block


def _parallel(topology: Topology, position: int) -> Parallel:
    block = topology.block(position)
    assert isinstance(block, Parallel)
    return block


class _Removal(Operation):
    """What both have in common: later layers are fitted to what they computed."""

    is_removal = True
    takes_width = False
    uses_calibration = True
    recuperation_epochs = 1.0

    def join(self, topology: Topology, position: int) -> int:
        """The position of the layer that joins the block's rows."""
        return position

    def gone(self, topology: Topology, position: int) -> set[int]:
        """Positions of the layers that the child lacks."""
        raise NotImplementedError

    def layer_origins(
        self, topology: Topology, child: Topology, position: int
    ) -> tuple[int | None, ...]:
        gone = self.gone(topology, position)
        return tuple(i for i in range(len(topology.layers)) if i not in gone)

    def first_readers(self, topology: Topology, child: Topology, position: int) -> Sequence[int]:
        return topology.readers[self.join(topology, position)]

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        kept = self.layer_origins(network.topology, child, position)
        return WeightTransfer(child, tuple(Origin(i) for i in kept if i is not None), {})


class RemoveBlock(_Removal):
    """A residual block becomes its shortcut: nothing, or a projection, which stays; approximate.

    `netsurgery.surgery.contributions` says which block contributes least. Given samples, a
    projection is fitted to what the whole block gave.
    """

    name = "remove_block"
    label = "− block"  # noqa: RUF001 - a minus sign

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        if not isinstance(block := topology.block(position), Residual):
            return f"the layer there is {block or topology.layers[position]}, not a residual block"
        if not placement.computes_later(topology, position):
            return "it gives the network's output, which never changes"
        if not block.shortcut and placement.fills_its_row(topology, position):
            return "it is all that its row holds"
        return None

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        return topology.replace(position, *_residual(topology, position).shortcut)

    def gone(self, topology: Topology, position: int) -> set[int]:
        block = _residual(topology, position)
        start = position - _count(*block.rows)
        return {*range(start, start + _count(block.body)), position}

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        transfer = super().transfer(network, child, position, rng)
        topology = network.topology
        if samples is None or (found := _projection(network, position)) is None:
            return transfer
        projection, gain = found
        layer = topology.layer(projection, KernelLayer)
        samples = samples[: samples_needed(topology, projection, len(samples))]
        entering = layer_input(network, projection, samples)
        missing = layer_input(network, position, samples) / gain  # what the body gives
        arrays = corrected(layer, network.weights[projection], entering, missing)
        after = projection - _count(_residual(topology, position).body)
        origins = replaced(transfer.origins, {after: None})
        return WeightTransfer(child, origins, {after: arrays})


def _projection(network: Network, position: int) -> tuple[int, np.ndarray] | None:
    """The last layer of a shortcut if it is linear, and the gain of the normalizations behind it.

    None if there is no such layer, or a channel's gain is (nearly) zero.
    """
    topology = network.topology
    gain = np.ones(topology.output_shapes[position][-1])
    shortcut = _count(_residual(topology, position).shortcut)
    for i in reversed(range(position - shortcut, position)):
        layer = topology.layers[i]
        if isinstance(layer, BatchNorm):
            gain = gain * layer.gain_and_shift(network.weights[i])[0]
        elif isinstance(layer, KernelLayer) and layer.activation == "linear":
            return (i, gain) if np.abs(gain).min() > SMALLEST_GAIN else None
        else:
            return None
    return None


class RemoveBranch(_Removal):
    """One of the rows that a block adds or concatenates; its place is that of its last layer.

    Approximate. What reads a concatenation loses its channels. A block of two rows becomes the
    other one.
    """

    name = "remove_branch"
    label = "− branch"  # noqa: RUF001 - a minus sign

    def why_illegal(self, topology: Topology, position: int, width: int) -> str | None:
        readers = topology.readers[position]
        block = topology.block(readers[0]) if len(readers) == 1 else None
        if not isinstance(block, Parallel) or len(topology.steps[position].path) < 3:
            return "no branch of a block ends there"
        (join,) = readers
        if isinstance(block.join, Multiply):
            return "its block multiplies rows, and a factor is no part of a sum"
        if not placement.computes_later(topology, join):
            return "its block gives the network's output, which never changes"
        if isinstance(block.join, Concatenate) and topology.consumer(join) is None:
            return "no single layer reads the channels of its block"
        rest = self._rest(topology, position)
        if rest == ((),) and placement.fills_its_row(topology, join):
            return "nothing would be left of its row"
        return None

    def join(self, topology: Topology, position: int) -> int:
        return topology.readers[position][0]

    def _rest(self, topology: Topology, position: int) -> tuple[Row, ...]:
        """The rows that stay."""
        branches = _parallel(topology, self.join(topology, position)).branches
        branch = topology.steps[position].path[-2]
        return (*branches[:branch], *branches[branch + 1 :])

    def child_topology(
        self, topology: Topology, position: int, width: int, pooling: str
    ) -> Topology:
        join, rest = self.join(topology, position), self._rest(topology, position)
        if len(rest) == 1:
            return topology.replace(join, *rest[0])
        return topology.replace(join, _parallel(topology, join).with_rows(rest))

    def gone(self, topology: Topology, position: int) -> set[int]:
        path, join = topology.steps[position].path[:-1], self.join(topology, position)
        lost = {i for i, step in enumerate(topology.steps) if step.path[: len(path)] == path}
        return lost | ({join} if len(self._rest(topology, position)) == 1 else set())

    def transfer(
        self,
        network: Network,
        child: Topology,
        position: int,
        rng: np.random.Generator,
        samples: np.ndarray | None = None,
    ) -> WeightTransfer:
        topology = network.topology
        transfer = super().transfer(network, child, position, rng)
        join = self.join(topology, position)
        if not isinstance(topology.layers[join], Concatenate):
            return transfer
        inputs = topology.steps[join].inputs
        before = inputs[: inputs.index(position)]
        first = sum(topology.leaving(i)[-1] for i in before)
        width = topology.output_shapes[position][-1]
        kept = np.delete(np.arange(topology.output_shapes[join][-1]), np.s_[first : first + width])
        cut = selection_behind(topology, join, kept)
        origins = (origin and cut.get(origin.position, origin) for origin in transfer.origins)
        return WeightTransfer(child, tuple(origins), {})
