"""Good guesses: the networks that one would write by hand for data of a shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netsurgery.networks import topologies
from netsurgery.networks.layers import Dense
from netsurgery.networks.penalties import penalized_row, penalty_of
from netsurgery.networks.topology import Topology

CHANNELS = 16  # of the first cells
LARGEST_SIDE, LARGEST_STEPS = 8, 128  # of an image or a series that is not pooled any more
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
        wider: channels that cells have more behind each pooling.
        separable: whether all cells but the first have depthwise and pointwise convolutions. The
            first one is then alone at its size.
        activation: of the cells.
    """

    name: str
    cells: int
    cells_behind: int
    units: tuple[int, ...]
    wider: int = CHANNELS
    separable: bool = False
    activation: str = "relu"


TEMPLATES = (
    Template("template", 1, 3, (64, 32)),
    Template("deep_template", 2, 2, (64, 64, 32)),
    Template("deeper_template", 3, 3, (64, 64, 64, 32)),
)
# of few parameters, which are worth more in channels than in kernels, and in depth than in width
SMALL_TEMPLATE = Template(
    "small_template",
    cells=2,
    cells_behind=4,
    units=(),
    wider=CHANNELS // 2,
    separable=True,
    activation="leaky_relu",
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
        channels, last = CHANNELS + template.wider * size, size == pooled
        count = template.cells_behind if last else template.cells
        if template.separable and size == 0 and not last:
            count = 1
        for number in range(1, count + 1):
            pooling = "max" if number == count and not last else "none"
            separable = {"separable": True} if template.separable and cells else {}
            sizes = {"channels": channels, "pooling": pooling, **separable, **kernel}
            cells.append({"conv_cell": {**sizes, "activation": template.activation}})
    return [*cells, {"global_average": {}}]


def _main_shape(network: Topology) -> tuple[int, ...]:
    """The shape of a sample, or of the image or series among several inputs."""
    shapes = [part.shape for part in network.inputs] or [network.input_shape]
    return max(shapes, key=len)


def templates_for(start: Topology) -> dict[str, Topology]:
    """The templates with the input and the output of a network; none if its output is not dense.

    Their other layers have the penalties of the output.
    """
    if not isinstance(start.layers[-1], Dense):
        return {}
    return {template.name: _network(template, start) for template in TEMPLATES}


def small_template_for(final: Topology) -> Topology | None:
    """The template of networks that are much smaller than the final one; None for rows."""
    if len(_main_shape(final)) == 1 or not isinstance(final.layers[-1], Dense):
        return None
    return _network(SMALL_TEMPLATE, final)


def _network(template: Template, like: Topology) -> Topology:
    """A template with the input, the table of codes, the output and the penalties of a network."""
    output = like.layers[-1]
    assert isinstance(output, Dense)
    front = topologies.front_of(like)
    shape = Topology(like.input_shape, front).output_shape
    chosen = entries(template, _main_shape(like) if like.inputs else shape)
    built = topologies.build(chosen, shape, output.units, output.activation, inputs=like.inputs)
    row = penalized_row(built.row[:-1], penalty_of(output))
    return Topology(like.input_shape, (*front, *row, output), like.non_negative_input)
