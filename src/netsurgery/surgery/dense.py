"""The operations on dense layers: Net2Net growth, removal by singular values (ECToNAS A.1)."""

from __future__ import annotations

import numpy as np

from netsurgery.network import Network, Topology
from netsurgery.surgery import taps


def add_units(
    network: Network, child: Topology, position: int, rng: np.random.Generator
) -> Network:
    """Net2WiderNet (eq. 4, 5): exact."""
    width, wider = network.topology.shapes[position + 1][0], child.shapes[position + 1][0]
    copies = taps.choose_copies(width, wider - width, rng)
    kernel, *bias = network.weights[position]
    consumer = network.topology.consumer(position)
    outgoing = taps.split(taps.read(network, consumer), copies, rng)
    weights = list(network.weights)
    weights[position] = (kernel[:, copies], *(b[copies] for b in bias))
    weights[consumer] = taps.write(network, consumer, outgoing)
    return Network(child, tuple(weights))


def right_singular_vectors(kernel: np.ndarray) -> np.ndarray:
    """V of kernel = U S V^T (eq. 6), (n, n), by falling singular value.

    From the Gram matrix, so that a tall kernel costs no more than its width. Signs are free in a
    decomposition but not in front of a relu: each vector is turned so that its entries sum to a
    positive number, which makes a unit a mostly positive mixture of the old ones.
    """
    _, vectors = np.linalg.eigh(kernel.T @ kernel)
    vectors = vectors[:, ::-1]
    return vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)


def remove_units(network: Network, child: Topology, position: int) -> Network:
    """The closest layer of lower rank: U S as kernel, V^T onto the next one; activation ignored.

    Approximate. The bias is projected like the kernel (the published code rotates it by a corner of
    V cut out square).
    """
    kernel, *bias = (array.astype(np.float64) for array in network.weights[position])
    basis = right_singular_vectors(kernel)[:, : child.shapes[position + 1][0]]
    consumer = network.topology.consumer(position)
    outgoing = basis.T @ taps.read(network, consumer)
    weights = list(network.weights)
    weights[position] = tuple((array @ basis).astype(np.float32) for array in (kernel, *bias))
    weights[consumer] = taps.write(network, consumer, outgoing)
    return Network(child, tuple(weights))


def add_dense(network: Network, child: Topology, position: int) -> Network:
    """Net2DeeperNet (eq. 3): an identity layer before the one at `position`; exact."""
    width = child.shapes[position + 1][0]
    inserted = (np.eye(width, dtype=np.float32), np.zeros(width, np.float32))
    weights = network.weights
    return Network(child, (*weights[:position], inserted, *weights[position:]))


def remove_dense(network: Network, child: Topology, position: int) -> Network:
    """Multiply the layer's weights onto the next ones; approximate, its activation is ignored."""
    kernel, *bias = (array.astype(np.float64) for array in network.weights[position])
    consumer = network.topology.consumer(position)
    merged = kernel @ taps.read(network, consumer)
    weights = list(network.weights)
    weights[consumer] = taps.write(network, consumer, merged, constant=bias[0] if bias else None)
    del weights[position]
    return Network(child, tuple(weights))
