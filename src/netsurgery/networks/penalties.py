"""L1 and L2 regularization: penalties on the kernels of layers, which training adds to the loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from netsurgery.networks.blocks import Block, Row
from netsurgery.networks.layers import Layer, LinearLayer
from netsurgery.networks.topology import Topology

Penalty = tuple[float, float]  # factors of the absolute values of kernels, and of their squares
NONE: Penalty = (0.0, 0.0)


def penalty_of(layer: Layer) -> Penalty:
    """The factors of a layer; zero for layers without a kernel."""
    return (layer.l1, layer.l2) if isinstance(layer, LinearLayer) else NONE


def with_penalty(layer: Layer, penalty: Penalty) -> Layer:
    """A layer with other factors; layers without a kernel stay."""
    factors: dict[str, Any] = dict(zip(("l1", "l2"), penalty, strict=True))
    return replace(layer, **factors) if isinstance(layer, LinearLayer) else layer


def penalized_row(row: Row, penalty: Penalty) -> Row:
    """A row whose layers have these factors, unless they have their own."""
    return tuple(
        node.with_rows([penalized_row(inner, penalty) for inner in node.rows])
        if isinstance(node, Block)
        else node
        if penalty_of(node) != NONE
        else with_penalty(node, penalty)
        for node in row
    )


def penalized(topology: Topology, penalty: Penalty) -> Topology:
    """A topology whose layers have these factors, unless they have their own."""
    return replace(topology, row=penalized_row(topology.row, penalty))


def inherited(parent: Topology, child: Topology, origins: Sequence[int | None]) -> Topology:
    """The child of a mutation, whose layers have the factors that they come from.

    New layers have those of the nearest layer with a kernel before them, or else behind them.

    Args:
        parent: the topology before the mutation.
        child: after it.
        origins: for each layer of the child its position in the parent; None for new layers.
    """
    if all(penalty_of(layer) == NONE for layer in parent.layers):
        return child
    changed: dict[int, Layer] = {}
    known = [
        penalty_of(parent.layers[origin])
        if origin is not None and isinstance(layer, LinearLayer)
        else None
        for layer, origin in zip(child.layers, origins, strict=True)
    ]
    for i, layer in enumerate(child.layers):
        if isinstance(layer, LinearLayer):
            nearest = [*reversed(known[: i + 1]), *known[i + 1 :]]
            found = next((each for each in nearest if each is not None), NONE)
            changed[i] = with_penalty(layer, found)
    return child.with_layers(changed)
