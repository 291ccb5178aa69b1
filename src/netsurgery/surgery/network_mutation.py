"""Perform a mutation on a network."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netsurgery.networks.network import Network
from netsurgery.surgery import refit, widening
from netsurgery.surgery.mutations import Mutation, mutate_topology
from netsurgery.surgery.settings import Growth, PoolingTransfer
from netsurgery.surgery.weight_transfer import (
    Slots,
    WeightTransfer,
    build_child,
    replaced,
    transfer_slots,
)


@dataclass(frozen=True)
class MutationResult:
    """What `mutate` returns.

    Attributes:
        network: the child.
        slots: the child's optimizer slot variables, if the parent's were given.
        noise_bound: the largest effect of added noise, as `netsurgery.surgery.widening.add_noise`
            returns it; 0 without noise.
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
    growth: Growth | str = Growth.COPIES,
    pooling_transfer: PoolingTransfer | str = PoolingTransfer.SUM,
) -> MutationResult:
    """Perform a mutation.

    Args:
        network: the parent; it stays unchanged.
        mutation: the operation, its place and its size.
        rng: draws which units or channels are copied, and how copies share their weights; by
            default a generator with seed 0.
        calibration: (n, *input_shape) samples as the network takes them. With them, least squares
            compensates removals and added pooling in all later layers; without them, the papers'
            rules apply.
        slots: the parent's optimizer slot variables. Weights that survive keep theirs; all others
            start at zero (see `netsurgery.surgery.weight_transfer`).
        noise: size of the noise on the incoming weights of copies, relative to those; 0 keeps
            growth exact.
        growth: what added units and channels are: `copies`, `equal_copies` as published, or
            `zeros`: new ones with outgoing weights of zero. These take no noise, and calibration
            samples give their normalizations the moving statistics.
        pooling_transfer: how added or removed pooling reaches the first dense layer: `sum`, or
            `aggregate` as published.

    Raises:
        IllegalMutation: the network does not allow it; the message says why and where it is legal.
        ValueError: a layer that the calibration samples pass is unknown to numpy, or there is no
            such growth or transfer.
    """
    operation = mutation.operation
    child = mutate_topology(network.topology, mutation)
    if mutation.position is None:
        return MutationResult(network, slots or {})
    position = mutation.at(network.topology)
    rng = np.random.default_rng(0) if rng is None else rng
    if calibration is not None:  # its layout in memory must not change a rounding
        native = calibration.dtype.newbyteorder("=")
        calibration = calibration.astype(native, order="C", copy=False)
    growth = Growth(growth)
    by_new = growth is Growth.ZEROS and operation.accepts_noise
    aggregates = PoolingTransfer(pooling_transfer) is PoolingTransfer.AGGREGATE
    if by_new:
        transfer = widening.widen_by_new(network, child, position, rng, calibration)
    elif growth is Growth.EQUAL_COPIES and operation.accepts_noise:
        transfer = widening.widen(network, child, position, rng, equally=True)
    elif aggregates and operation.resizes_image:
        transfer = operation.transfer_aggregated(network, child, position)
    else:
        transfer = operation.transfer(network, child, position, rng, calibration)
    noise_bound = 0.0
    if noise and operation.accepts_noise and not by_new:
        transfer, noise_bound = widening.add_noise(network, transfer, position, noise, rng)
    result = build_child(network, transfer)
    if calibration is not None:
        positions = operation.layers_to_refit(network.topology, child, position)
        result = refit.refit_layers(
            network, result, positions, calibration, _remaining_outputs(transfer)
        )
        grown = len(child.layers) - len(network.topology.layers)
        refitted = dict.fromkeys(i + grown for i in positions)
        transfer = WeightTransfer(child, replaced(transfer.origins, refitted), transfer.changed)
    child_slots = transfer_slots(network.topology, slots, transfer) if slots else {}
    return MutationResult(result, child_slots, noise_bound)


def _remaining_outputs(transfer: WeightTransfer) -> dict[int, np.ndarray]:
    """By position in the parent which outputs remain of the layers that lose some."""
    return {
        origin.position: origin.outputs
        for origin in transfer.origins
        if origin is not None and origin.outputs is not None
    }
