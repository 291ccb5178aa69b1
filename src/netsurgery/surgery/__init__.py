"""Network surgery: pure functions from one network to another.

`legal_mutations` lists what a network allows, `edit` gives the resulting topology, `operate` the
resulting network. Growth leaves the network's output unchanged; removal changes it as little as the
papers' rules can, or, given some real samples, as little as least squares can.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netsurgery.networks.layers import CELL_LENGTH, Kernel
from netsurgery.networks.network import Network, Topology
from netsurgery.surgery import cells, channels, dense, refit
from netsurgery.surgery.mutations import (
    ECTONAS,
    GROWTH,
    IllegalMutation,
    Mutation,
    MutationSizes,
    Operation,
    is_exact,
    legal_mutations,
    mutate_topology,
    with_default_width,
)
from netsurgery.surgery.weight_transfer import (
    Slots,
    WeightTransfer,
    build_child,
    replaced,
    transfer_slots,
)

__all__ = [
    "ECTONAS",
    "IllegalMutation",
    "Mutation",
    "MutationResult",
    "MutationSizes",
    "Operation",
    "Slots",
    "is_exact",
    "legal_mutations",
    "mutate",
    "mutate_topology",
    "with_default_width",
]


@dataclass(frozen=True)
class MutationResult:
    """What surgery gives.

    `slots` are the optimizer's, if any were given. `noise_bound` says how far added noise can reach
    (see `netsurgery.surgery.channels.disturb`); 0 without noise.
    """

    network: Network
    slots: Slots = field(default_factory=dict)
    noise_bound: float = 0.0


def mutate(
    network: Network,
    mutation: Mutation,
    rng: np.random.Generator | None = None,
    *,
    calibration: np.ndarray | None = None,
    slots: Slots | None = None,
    noise: float = 0.0,
) -> MutationResult:
    """Perform a mutation.

    Args:
        network: the parent; left as it is.
        mutation: the operation, its place and its size.
        rng: draws which units or channels are copied, and how their weights are shared; by default
            always the same.
        calibration: (n, *input_shape) samples as the network takes them. With them removal, and
            what pooling takes away, is made up for by least squares in all layers behind; without,
            by the papers' rules.
        slots: the optimizer's, carried to the child where the operation says how (see
            `netsurgery.surgery.weight_transfer`), else zero.
        noise: relative size of noise on what the copies of a wider layer read; 0 keeps it exact.

    Raises:
        IllegalMutation: the network does not allow it; the message says why, and where it would.
        ValueError: the calibration samples pass a layer that numpy does not know.
    """
    child, position = mutate_topology(network.topology, mutation), mutation.position
    if position is None:
        return MutationResult(network, slots or {})
    rng = np.random.default_rng(0) if rng is None else rng
    graft, bound = _graft(network, child, mutation.operation, position, rng, calibration), 0.0
    if noise and mutation.operation in (Operation.ADD_UNITS, Operation.ADD_CHANNELS):
        graft, bound = channels.disturb(network, graft, position, noise, rng)
    operated = build_child(network, graft)
    if calibration is not None:
        places = _to_fit(network.topology, child, mutation.operation, position)
        operated = refit.refit_layers(network, operated, places, calibration)
        grown = len(child.layers) - len(network.topology.layers)
        fitted = dict.fromkeys(place + grown for place in places)
        graft = WeightTransfer(child, replaced(graft.origins, fitted), graft.changed)
    carried = transfer_slots(network.topology, slots, graft) if slots else {}
    return MutationResult(operated, carried, bound)


def _graft(
    network: Network,
    child: Topology,
    operation: Operation,
    position: int,
    rng: np.random.Generator,
    calibration: np.ndarray | None,
) -> WeightTransfer:
    match operation:
        case Operation.ADD_UNITS | Operation.ADD_CHANNELS:
            return channels.widen(network, child, position, rng)
        case Operation.REMOVE_UNITS | Operation.REMOVE_CHANNELS if calibration is not None:
            return refit.prune_channels(network, child, position, calibration)
        case Operation.REMOVE_UNITS:
            return dense.remove_units(network, child, position)
        case Operation.REMOVE_CHANNELS:
            return channels.keep_strongest(network, child, position)
        case Operation.ADD_DENSE:
            return dense.add_dense(network, child, position)
        case Operation.REMOVE_DENSE:
            return dense.remove_dense(network, child, position)
        case Operation.TRUNCATE if calibration is not None:
            return refit.truncate(network, child, position, calibration)
        case Operation.TRUNCATE:
            return dense.truncate(network, child, position)
        case Operation.ADD_CONV_CELL:
            return cells.add_conv_cell(network, child, position)
        case Operation.REMOVE_CONV_CELL:
            return cells.remove_conv_cell(network, child, position)
        case _:
            raise AssertionError(operation)


def _to_fit(topology: Topology, child: Topology, operation: Operation, position: int) -> list[int]:
    """Positions in the parent of the layers that are fitted to what they computed there.

    From the one that reads the changed layer to the output layer: what one cannot make up for, the
    next ones may.
    """
    if operation in GROWTH:
        return []
    grown = len(child.layers) - len(topology.layers)
    if operation is Operation.ADD_CONV_CELL:
        first = child.consumer(position + grown - CELL_LENGTH)
        first = None if first is None else first - grown
    else:
        first = topology.consumer(position)
    if first is None:
        return []
    return [i for i in topology.positions(Kernel) if i >= first]
