"""The operations on dense layers: Net2Net growth, removal by singular values (ECToNAS A.1).

Each takes the parent, the child's topology and the position, and gives a graft.
"""

from __future__ import annotations

import numpy as np

from netsurgery.networks.inference import affine
from netsurgery.networks.layers import BatchNorm, Dense
from netsurgery.networks.network import Arrays, Network, Topology
from netsurgery.surgery import consumer_kernel
from netsurgery.surgery.blocked_matmul import gram, product
from netsurgery.surgery.channels import keep_strongest
from netsurgery.surgery.mutations import dense_end
from netsurgery.surgery.weight_transfer import WeightTransfer, replaced, unchanged


def right_singular_vectors(matrix: np.ndarray, count: int) -> np.ndarray:
    """The first columns of V in matrix = U S V^T (eq. 6), (n, count), by falling singular value.

    From the smaller Gram matrix. Signs are free in a decomposition but not in front of a relu: each
    vector is turned so that its entries sum to a positive number, which makes a unit a mostly
    positive mixture of the old ones.
    """
    rows, columns = matrix.shape
    wide = count < rows < columns
    _, vectors = np.linalg.eigh(gram(matrix.T if wide else matrix))
    vectors = vectors[:, : -count - 1 : -1]
    if wide:
        vectors = product(matrix.T, vectors, np.float64)
        vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=0), np.finfo(np.float64).tiny)
    return vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)


def remove_units(network: Network, child: Topology, position: int) -> WeightTransfer:
    """The closest layer of lower rank: U S as kernel, V^T onto the next one; activation ignored.

    Approximate. The bias is projected like the kernel (the published code rotates it by a corner of
    V cut out square). Units that are normalised cannot be mixed: there the weakest go.
    """
    consumer = network.topology.consumer(position)
    assert consumer is not None
    if any(isinstance(layer, BatchNorm) for layer in network.topology.layers[position:consumer]):
        return keep_strongest(network, child, position)
    kernel, *bias = network.weights[position]
    basis = right_singular_vectors(kernel, child.shapes[position + 1][0])
    outgoing = product(basis.T, consumer_kernel.read(network, consumer))
    return WeightTransfer(
        child,
        replaced(unchanged(len(child.layers)), {position: None, consumer: None}),
        {
            position: (product(kernel, basis), *((b @ basis).astype(np.float32) for b in bias)),
            consumer: consumer_kernel.write(network, consumer, outgoing),
        },
    )


def add_dense(network: Network, child: Topology, position: int) -> WeightTransfer:
    """Net2DeeperNet (eq. 3): an identity layer before the one at `position`; exact."""
    width = child.shapes[position + 1][0]
    inserted = (np.eye(width, dtype=np.float32), np.zeros(width, np.float32))
    layers = len(network.topology.layers)
    origins = (*unchanged(position), None, *unchanged(layers - position, position))
    return WeightTransfer(child, origins, {position: inserted})


def remove_dense(network: Network, child: Topology, position: int) -> WeightTransfer:
    """Multiply the layer's weights onto the next ones; approximate, its activation is ignored.

    So are those of what belongs to it; of batch normalisation the inference form is kept.
    """
    topology = network.topology
    consumer, end = topology.consumer(position), dense_end(topology, position)
    assert consumer is not None
    kernel, *bias = network.weights[position]
    width = kernel.shape[-1]
    gains, constant = np.ones(width), bias[0].astype(np.float64) if bias else np.zeros(width)
    for i in range(position + 1, end):
        if isinstance(layer := topology.layers[i], BatchNorm):
            gain, shift = affine(layer, network.weights[i])
            gains, constant = gains * gain, constant * gain + shift
    outgoing = consumer_kernel.read(network, consumer) * gains[:, None].astype(np.float32)
    merged = consumer_kernel.write(network, consumer, product(kernel, outgoing), constant)
    origins = (*unchanged(position), *unchanged(len(topology.layers) - end, end))
    moved = consumer - (end - position)
    return WeightTransfer(child, replaced(origins, {moved: None}), {moved: merged})


def factorise(
    network: Network, child: Topology, position: int, basis: np.ndarray
) -> WeightTransfer:
    """Truncated SVD: kernel W becomes (W B) and B^T, with a narrow linear layer between.

    Approximate; exact where W has no more than the rank of the basis.

    Args:
        network: the parent.
        child: with the narrow layer at `position`.
        position: of the layer that is factorised.
        basis: B, orthonormal columns (units, rank): the first right singular vectors of W, or of
            what the layer gives for calibration samples.
    """
    kernel, *bias = network.weights[position]
    narrow: Arrays = (product(kernel, basis),)
    layers = len(network.topology.layers)
    origins = (*unchanged(position), None, None, *unchanged(layers - position - 1, position + 1))
    return WeightTransfer(
        child, origins, {position: narrow, position + 1: (basis.T.astype(np.float32), *bias)}
    )


def truncate(network: Network, child: Topology, position: int) -> WeightTransfer:
    """The layer as a product of two narrow ones, by its largest singular values (the Surgeon)."""
    layer = child.layers[position]
    assert isinstance(layer, Dense)
    basis = right_singular_vectors(network.weights[position][0], layer.units)
    return factorise(network, child, position, basis)
