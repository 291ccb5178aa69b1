"""Plot the structure of a network from input to output, with blocks as blocks."""

from __future__ import annotations

from matplotlib.figure import Figure

from netsurgery.networks.costs import Costs
from netsurgery.networks.layers import Shape
from netsurgery.networks.topology import Topology
from netsurgery.plots.layout import LABEL, canvas, text_width
from netsurgery.plots.structure_drawing import NODE, SMALL, TEXT_LINE, Drawing
from netsurgery.plots.structure_layout import Line, Part, Sizes, arrange
from netsurgery.plots.style import styled

PADDING = 0.07  # inches in boxes
GAP, LANE = 0.14, 0.22  # inches between boxes: along and across
EDGE = 0.02  # inches


def sides(shape: Shape) -> str:
    """A shape as text."""
    return "×".join(map(str, shape))  # noqa: RUF001 - a multiplication sign


def _texts(topology: Topology, part: Part) -> list[str]:
    """The lines in a box: the layer; its place, what follows it, and the shape of its output."""
    following = ", ".join(map(str, part.following))
    place, shape = topology.places[part.position], topology.output_shapes[part.last]
    described = [str(place), *([following] if following else []), sides(shape)]
    return [str(part.layer), " · ".join(described)]


def _entering(topology: Topology) -> str:
    """What enters, as text."""
    several = len(topology.inputs)
    return f"{several} inputs" if several else f"input {sides(topology.input_shape)}"


@styled
def plot_structure(title: str, topology: Topology) -> Figure:
    """Plot a network: boxes are layers, nodes join the rows of a block.

    Args:
        title: of the plot.
        topology: of the network.
    """

    def size(part: Part) -> tuple[float, float]:
        if part.is_join:
            return NODE, NODE
        label, small = _texts(topology, part)
        width = max(text_width(label, LABEL), text_width(small, SMALL))
        return 2 * (TEXT_LINE + PADDING / 2), width + 2 * PADDING

    layout = arrange(topology, Sizes(size, GAP, LANE))
    costs = Costs.of(topology)
    ends = {
        0.0: (_entering(topology), "bottom"),
        layout.length + GAP: ("output", "top"),
    }
    reach = max(text_width(text, LABEL) for text, _ in ends.values()) / 2
    # with room for the lines around boxes
    left, right = min(layout.left, -reach) - EDGE, max(layout.right, reach) + EDGE
    figure, axes = canvas(
        (
            title,
            f"{topology.parameters:,} parameters,"
            f" {costs.multiplications:,} multiplications per sample",
        ),
        (right - left, layout.length + GAP + 2 * TEXT_LINE),
        (0.2, 0.2, 0.1, 0.05),
    )
    axes.set_axis_off()
    axes.set_xlim(left, right)
    axes.set_ylim(layout.length + GAP + TEXT_LINE, -TEXT_LINE)
    for along, (text, side) in ends.items():
        axes.text(0, along, text, size=LABEL, ha="center", va=side)
    drawing = Drawing(axes)
    for line in (*layout.lines, Line((layout.length, 0), (layout.length + GAP, 0))):
        drawing.line(line)
    for placed in layout.parts:
        if placed.part.is_join:
            drawing.join(placed)
        else:
            drawing.box(placed, _texts(topology, placed.part))
    return figure
