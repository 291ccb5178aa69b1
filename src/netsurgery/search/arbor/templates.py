"""Good guesses: the networks that one would write by hand for data of a shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netsurgery.networks import topologies
from netsurgery.networks.layers import Dense
from netsurgery.networks.penalties import penalized_row, penalty_of
from netsurgery.networks.topology import Topology

CHANNELS = 16  # of the first cells; those behind each pooling have as many more
LARGEST_SIDE, LARGEST_STEPS = 8, 32  # of an image or a series that is not pooled any more
SERIES_AXES = 2  # steps, channels
STEPS_OF_KERNEL = 9  # of series, whose patterns are longer than edges in images


@dataclass(frozen=True)
class Template:
    """How deep a guess is.

    Attributes:
        name: of the guess.
        cells: at each size of images or series that is pooled.
        cells_behind: at the last size.
        units: of the dense layers, for rows of features.
    """

    name: str
    cells: int
    cells_behind: int
    units: tuple[int, ...]


TEMPLATES = (
    Template("template", 1, 3, (64, 32)),
    Template("deep_template", 2, 2, (64, 64, 32)),
    Template("deeper_template", 3, 3, (64, 64, 64, 32)),
)


def entries(template: Template, shape: tuple[int | None, ...]) -> list[dict[str, Any]]:
    """The entries of a template for samples of a shape.

    Images and series: conv cells, of which some max-pool until a side is short, and the mean of
    each channel. Rows of features: dense layers, normalized by batches.

    Args:
        template: to write out.
        shape: (height, width, channels), (steps, channels) or (features,).
    """
    if len(shape) == 1:
        normalized: list[dict[str, Any]] = [{"batch_norm": {}}, {"activation": {}}]
        layers = [{"dense": {"units": each, "activation": "linear"}} for each in template.units]
        return [entry for layer in layers for entry in (layer, *normalized)]
    series = len(shape) == SERIES_AXES
    largest = LARGEST_STEPS if series else LARGEST_SIDE
    kernel = {"kernel": STEPS_OF_KERNEL} if series else {}
    side, pooled = min(side or 1 for side in shape[:-1]), 0
    while side > largest or (pooled == 0 and side >= LARGEST_SIDE):
        side, pooled = side // 2, pooled + 1
    cells: list[dict[str, Any]] = []
    for size in range(pooled + 1):
        channels, last = CHANNELS * (size + 1), size == pooled
        poolings = ["none"] * (template.cells_behind if last else template.cells - 1)
        poolings += [] if last else ["max"]
        cells += [
            {"conv_cell": {"channels": channels, "pooling": each, **kernel}} for each in poolings
        ]
    return [*cells, {"global_average": {}}]


def templates_for(start: Topology) -> dict[str, Topology]:
    """The templates with the input and the output of a network; none if its output is not dense.

    Their other layers have the penalties of the output.
    """
    output = start.layers[-1]
    if not isinstance(output, Dense):
        return {}
    found = {}
    for template in TEMPLATES:
        chosen = entries(template, start.input_shape)
        built = topologies.build(chosen, start.input_shape, output.units, output.activation)
        row = penalized_row(built.row[:-1], penalty_of(output))
        found[template.name] = Topology(start.input_shape, (*row, output), start.non_negative_input)
    return found
