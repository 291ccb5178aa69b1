"""Plot how the topology changed along a winner's lineage."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from netsurgery.networks.layers import KernelLayer
from netsurgery.networks.topology import Topology
from netsurgery.plots.labels import format_score, operation_label
from netsurgery.plots.layout import LABEL, add_legend, canvas, legend_entry, text_width
from netsurgery.plots.style import BLACK, BLUE, DARK, GREY, LAYER_COLOURS, WHITE, styled
from netsurgery.search.records import Record

BOX, ROW, STEP = 0.46, 0.52, 0.62  # inches


def layer_widths(record: Record) -> list[tuple[str, str]]:
    """Kind and width of every hidden layer with weights, from input to output."""
    layers = Topology.from_json(record.topology).layers[:-1]
    widths = []
    for layer in layers:
        if isinstance(layer, KernelLayer):
            widths.append((layer.kind, str(layer.width)))
    return widths


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
    left = max(text_width(label, LABEL) for label in labels) + 0.3
    columns = max(len(layer_widths(record)) for record in rows) + 2
    size = (max(columns * STEP + 1.2, 5.0), len(rows) * ROW)
    figure, axes = canvas(
        (title, "layers with weights and their channels or units; I: input, O: output"),
        size,
        (left, 0.2, 0.55, 0.1),
    )
    axes.set_axis_off()
    axes.set_xlim(-0.02, size[0])
    axes.set_ylim(size[1], 0)
    for i, (record, label) in enumerate(zip(rows, labels, strict=True)):
        y = (i + 0.5) * ROW
        axes.text(-0.12, y, label, size=LABEL, ha="right", va="center_baseline", color=DARK)
        boxes = [("end", "I"), *layer_widths(record), ("end", "O")]
        for column, (kind, text) in enumerate(boxes):
            x = column * STEP
            if column:
                axes.plot([x - STEP + BOX, x], [y, y], color=GREY, linewidth=0.9, zorder=1)
            axes.add_patch(
                FancyBboxPatch(
                    (x, y - 0.15),
                    BOX,
                    0.3,
                    boxstyle="round,pad=0,rounding_size=0.05",
                    facecolor=LAYER_COLOURS.get(kind, WHITE),
                    edgecolor=BLACK,
                    linewidth=0.8,
                    zorder=2,
                )
            )
            axes.text(x + BOX / 2, y, text, size=LABEL, ha="center", va="center_baseline", zorder=3)
        value = record.score
        if value is not None:
            end = len(boxes) * STEP - STEP + BOX + 0.12
            axes.text(end, y, format_score(value), size=LABEL, va="center_baseline", color=BLUE)
    handles = [
        legend_entry("convolution", LAYER_COLOURS["conv"], marker="s"),
        legend_entry("dense", LAYER_COLOURS["dense"], marker="s"),
        legend_entry("score when selected", BLUE, line=0),
    ]
    add_legend(figure, axes, handles)
    return figure
