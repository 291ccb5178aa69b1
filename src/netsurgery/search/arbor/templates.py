"""A good guess: the network that one would write by hand for data of a shape."""

from __future__ import annotations

from typing import Any

from netsurgery.networks import topologies
from netsurgery.networks.layers import Dense
from netsurgery.networks.penalties import penalized_row, penalty_of
from netsurgery.networks.topology import Topology

CHANNELS = 16  # of the first cell; each one behind it has as many more
LARGEST_SIDE = 8  # of an image, or steps of a series, that is not pooled any more
CELLS_BEHIND = 2  # without pooling
UNITS = (64, 32)  # for rows of features


def template_entries(shape: tuple[int | None, ...]) -> list[dict[str, Any]]:
    """The entries of the template for samples of a shape.

    Images and series: conv cells that max-pool until a side is short, two that do not, and the
    mean of each channel. Rows of features: two dense layers, normalized by batches.

    Args:
        shape: (height, width, channels), (steps, channels) or (features,).
    """
    if len(shape) == 1:
        normalized: list[dict[str, Any]] = [{"batch_norm": {}}, {"activation": {}}]
        layers = [{"dense": {"units": units, "activation": "linear"}} for units in UNITS]
        return [entry for layer in layers for entry in (layer, *normalized)]
    side, pooled = min(side or 1 for side in shape[:-1]), 0
    while side > LARGEST_SIDE or (pooled == 0 and side >= LARGEST_SIDE):
        side, pooled = side // 2, pooled + 1
    poolings = ["max"] * pooled + ["none"] * CELLS_BEHIND
    cells = [
        {"conv_cell": {"channels": CHANNELS * (i + 1), "pooling": pooling}}
        for i, pooling in enumerate(poolings)
    ]
    return [*cells, {"global_average": {}}]


def template_for(start: Topology) -> Topology | None:
    """The template with the input and the output of a network; None if its output is not dense.

    Its other layers have the penalties of the output.
    """
    output = start.layers[-1]
    if not isinstance(output, Dense):
        return None
    built = topologies.build(
        template_entries(start.input_shape), start.input_shape, output.units, output.activation
    )
    row = penalized_row(built.row[:-1], penalty_of(output))
    return Topology(start.input_shape, (*row, output), start.non_negative_input)
