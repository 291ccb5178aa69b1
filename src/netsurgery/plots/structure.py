"""Plot the structure of a network from input to output, with blocks as blocks."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

from netsurgery.networks.costs import Costs
from netsurgery.networks.layers import Shape
from netsurgery.networks.topology import Topology
from netsurgery.plots.layout import LABEL, canvas, text_width
from netsurgery.plots.structure_layout import Layout, Line, Part, Placed, Sizes, arrange
from netsurgery.plots.style import BLACK, DARK, GREY, WHITE, layer_colour, styled

SMALL = 7.0  # points
TEXT_LINE, PADDING = 0.15, 0.07  # inches
GAP, LANE = 0.14, 0.22  # inches between boxes: along and across
NODE = 0.26  # inches: diameter of a join
SYMBOLS = {"add": "+", "multiply": "×", "concatenate": "‖"}  # noqa: RUF001


def sides(shape: Shape) -> str:
    """A shape as text."""
    return "×".join(map(str, shape))  # noqa: RUF001 - a multiplication sign


def _texts(topology: Topology, part: Part) -> list[str]:
    """The lines in a box: the layer; its place, what follows it, and the shape of its output."""
    following = ", ".join(map(str, part.following))
    place, shape = topology.places[part.position], topology.output_shapes[part.last]
    described = [str(place), *([following] if following else []), sides(shape)]
    return [str(part.layer), " · ".join(described)]


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
        label, *small = _texts(topology, part)
        widths = [text_width(label, LABEL), *(text_width(text, SMALL) for text in small)]
        return TEXT_LINE * (1 + len(small)) + PADDING, max(widths) + 2 * PADDING

    layout = arrange(topology, Sizes(size, GAP, LANE))
    costs = Costs.of(topology)
    width, height = layout.right - layout.left, layout.length + 2 * TEXT_LINE + GAP
    subtitle = (
        f"{topology.parameters:,} parameters, {costs.multiplications:,} multiplications per sample"
    )
    figure, axes = canvas((title, subtitle), (width, height), (0.2, 0.2, 0.1, 0.05))
    axes.set_axis_off()
    axes.set_xlim(layout.left - 0.02, layout.right + 0.02)
    axes.set_ylim(layout.length + TEXT_LINE + GAP, -TEXT_LINE)
    ends = {0.0: f"input {sides(topology.input_shape)}", layout.length + GAP: "output"}
    for along, text in ends.items():
        below = along > 0
        axes.text(0, along, text, size=LABEL, ha="center", va="top" if below else "bottom")
    _draw_line(axes, Line((layout.length, 0), (layout.length + GAP, 0)))
    _draw(axes, layout, topology)
    return figure


def _draw(axes: Axes, layout: Layout, topology: Topology) -> None:
    for line in layout.lines:
        _draw_line(axes, line)
    for placed in layout.parts:
        if placed.part.is_join:
            _draw_join(axes, placed)
        else:
            _draw_box(axes, placed, _texts(topology, placed.part))


def _draw_line(axes: Axes, line: Line) -> None:
    (start, x), (end, to) = line.start, line.end
    if line.lane is None:
        vertices, codes = [(x, start), (to, end)], [Curve.MOVETO, Curve.LINETO]
    else:  # around a row: out, along, and back
        bend = min(LANE, (end - start) / 3)
        vertices = [
            (x, start), (line.lane, start), (line.lane, start + bend),
            (line.lane, end - bend), (line.lane, end), (to, end),
        ]  # fmt: skip
        codes = [Curve.MOVETO, Curve.CURVE3, Curve.CURVE3, Curve.LINETO, Curve.CURVE3, Curve.CURVE3]
    path = Curve(vertices, codes)
    axes.add_patch(PathPatch(path, facecolor="none", edgecolor=GREY, linewidth=1.0, zorder=1))


def _draw_join(axes: Axes, placed: Placed) -> None:
    centre = placed.across, placed.along
    axes.add_patch(
        Circle(centre, NODE / 2, facecolor=WHITE, edgecolor=BLACK, linewidth=0.8, zorder=2)
    )
    symbol = SYMBOLS.get(str(placed.part.layer), "?")
    axes.text(*centre, symbol, size=LABEL, ha="center", va="center_baseline", zorder=3)


def _draw_box(axes: Axes, placed: Placed, texts: list[str]) -> None:
    corner = placed.across - placed.width / 2, placed.along - placed.length / 2
    axes.add_patch(
        FancyBboxPatch(
            corner,
            placed.width,
            placed.length,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=layer_colour(placed.part.layer),
            edgecolor=BLACK,
            linewidth=0.8,
            zorder=2,
        )
    )
    for i, text in enumerate(texts):
        y = corner[1] + PADDING / 2 + (i + 0.5) * TEXT_LINE
        axes.text(
            placed.across,
            y,
            text,
            size=SMALL if i else LABEL,
            color=DARK if i else BLACK,
            ha="center",
            va="center_baseline",
            zorder=3,
            parse_math=False,
        )
