"""Plot how the topology changed along a winner's lineage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.figure import Figure

from netsurgery.networks.layers import Join, KernelLayer, Layer
from netsurgery.networks.topology import Topology
from netsurgery.plots.labels import format_score, operation_label
from netsurgery.plots.layout import LABEL, add_legend, canvas, legend_entry, text_width
from netsurgery.plots.structure_drawing import Drawing
from netsurgery.plots.structure_layout import Layout, Line, Part, Sizes, arrange
from netsurgery.plots.style import BLUE, DARK, LAYER_COLOURS, WHITE, styled
from netsurgery.search.records import Record

# inches: a box along and across the network, a node, and the space between them
BOX, HEIGHT, NODE, GAP, LANE = 0.46, 0.3, 0.2, 0.16, 0.1
MARGIN = 0.22  # inches between networks


def _width(layer: Layer) -> str:
    return str(layer.width) if isinstance(layer, KernelLayer) else ""


def layer_widths(record: Record) -> list[tuple[str, str]]:
    """Kind and width of every hidden layer with weights, and kinds of joins, in order."""
    layers = Topology.from_json(record.topology).layers[:-1]
    return [
        (layer.kind, _width(layer)) for layer in layers if isinstance(layer, KernelLayer | Join)
    ]


def _arranged(record: Record) -> Layout:
    """The hidden layers with weights, and joins, from left to right."""
    topology = Topology.from_json(record.topology)

    def size(part: Part) -> tuple[float, float] | None:
        if part.is_join:
            return NODE, NODE
        is_output = part.position == len(topology.steps) - 1
        return None if is_output or not _width(part.layer) else (BOX, HEIGHT)

    return arrange(topology, Sizes(size, GAP, LANE))


@styled
def plot_evolution(title: str, lineage: Sequence[Record]) -> Figure:
    """Plot the topologies along a winner's lineage, a row per operation that changed it.

    Args:
        title: of the plot.
        lineage: records from the initial network to the final candidate.
    """
    rows, labels = [lineage[0]], [operation_label(None, None)]
    for before, record in pairwise(lineage):
        if layer_widths(record) != layer_widths(rows[-1]):
            rows.append(record)
            operation = operation_label(record.operation, record.position)
            labels.append(f"epoch {before.epochs_trained:.0f}: {operation}")
    layouts = [_arranged(record) for record in rows]
    left = max(text_width(label, LABEL) for label in labels) + 0.3
    length = max(layout.length for layout in layouts) + 2 * BOX + GAP
    # from the middle of each row up and down
    reaches = [(max(HEIGHT / 2, -layout.left), max(HEIGHT / 2, layout.right)) for layout in layouts]
    size = (max(length + 1.2, 5.0), sum(up + down + MARGIN for up, down in reaches))
    figure, axes = canvas(
        (title, "layers with weights and their channels or units; I: input, O: output"),
        size,
        (left, 0.2, 0.55, 0.1),
    )
    axes.set_axis_off()
    axes.set_xlim(-0.02, size[0])
    axes.set_ylim(size[1], 0)
    top = 0.0
    for record, label, layout, (up, down) in zip(rows, labels, layouts, reaches, strict=True):
        y = top + MARGIN / 2 + up
        top += up + down + MARGIN
        axes.text(-0.12, y, label, size=LABEL, ha="right", va="center_baseline", color=DARK)
        drawing = Drawing(axes, (BOX, y), sideways=True)
        end = layout.length + GAP
        for line in (*layout.lines, Line((layout.length, 0.0), (end, 0.0))):
            drawing.line(line)
        for placed in layout.parts:
            if placed.part.is_join:
                drawing.join(placed)
            else:
                drawing.box(placed, [_width(placed.part.layer)])
        drawing.plain_box((-BOX / 2, 0.0), (BOX, HEIGHT), WHITE, ["I"])
        drawing.plain_box((end + BOX / 2, 0.0), (BOX, HEIGHT), WHITE, ["O"])
        if record.score is not None:
            x, _ = drawing.point(end + BOX + 0.12, 0.0)
            text = format_score(record.score)
            axes.text(x, y, text, size=LABEL, va="center_baseline", color=BLUE)
    handles = [
        legend_entry("convolution", LAYER_COLOURS["conv"], marker="s"),
        legend_entry("dense", LAYER_COLOURS["dense"], marker="s"),
        legend_entry("score when selected", BLUE, line=0),
    ]
    add_legend(figure, axes, handles)
    return figure
