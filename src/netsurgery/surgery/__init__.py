"""Network surgery: pure functions from one network to another.

`legal_mutations` lists what a network allows, `edit` gives the resulting topology, `operate` the
resulting network. Growth leaves the network's output unchanged; removal changes it as little as the
papers' rules can.
"""

from __future__ import annotations

import numpy as np

from netsurgery.network import Network
from netsurgery.surgery import conv, dense
from netsurgery.surgery.mutations import (
    IllegalMutation,
    Mutation,
    Operation,
    Sizes,
    edit,
    legal_mutations,
)

__all__ = [
    "IllegalMutation",
    "Mutation",
    "Operation",
    "Sizes",
    "edit",
    "legal_mutations",
    "operate",
]


def operate(
    network: Network, mutation: Mutation, sizes: Sizes, rng: np.random.Generator
) -> Network:
    """Perform a mutation.

    Args:
        network: the parent; left as it is.
        mutation: the operation and its place.
        sizes: how much it changes.
        rng: draws which units or channels are copied, and how their weights are shared.

    Raises:
        IllegalMutation: the network does not allow it; the message says where it would be legal.
    """
    child = edit(network.topology, mutation, sizes)
    position = mutation.position
    if position is None:
        return network
    match mutation.operation:
        case Operation.ADD_UNITS:
            return dense.add_units(network, child, position, rng)
        case Operation.REMOVE_UNITS:
            return dense.remove_units(network, child, position)
        case Operation.ADD_DENSE:
            return dense.add_dense(network, child, position)
        case Operation.REMOVE_DENSE:
            return dense.remove_dense(network, child, position)
        case Operation.ADD_CHANNELS:
            return conv.add_channels(network, child, position, rng)
        case Operation.REMOVE_CHANNELS:
            return conv.remove_channels(network, child, position)
        case Operation.ADD_CONV_CELL:
            return conv.add_conv_cell(network, child, position)
        case Operation.REMOVE_CONV_CELL:
            return conv.remove_conv_cell(network, child, position)
        case _:
            raise AssertionError(mutation)
