"""Pictures of one run among many: beside its baseline, and how its topology changed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from netsurgery.networks.layers import Conv, Dense
from netsurgery.networks.network import Topology
from netsurgery.plots.axes import mark, over_epochs, write_ends
from netsurgery.plots.family import Family
from netsurgery.plots.style import (
    BLACK,
    BLUE,
    DARK,
    GREY,
    LABEL,
    WHITE,
    canvas,
    figures,
    in_words,
    key,
    legend_below,
    look,
    styled,
    text_width,
)
from netsurgery.search.layout import SearchFolder
from netsurgery.search.records import Record
from netsurgery.storage.files import read_json

BOX, ROW, STEP = 0.46, 0.52, 0.62  # inches


@styled
def beside_baseline(title: str, folder: SearchFolder, plain: SearchFolder | None) -> Figure:
    """The metric along a winner's lineage, and that of plain training of the same start.

    Args:
        title: of the picture.
        folder: of the finished search.
        plain: of its finished baseline; None where there is none.
    """
    summary = read_json(folder.final / "summary.json")
    metric = summary["objective"]
    family = Family(folder.records(), summary["candidate"], metric)
    curve = family.winners_curve()
    curves = [(curve, "search", BLUE)]
    if plain is not None:
        end = plain.end()
        alone = Family(plain.records(), end.candidate, metric).winners_curve()
        curves.insert(0, (alone, "baseline", GREY))
    ends = [
        (*points[:, -1], f"{name} {figures(points[1, -1])}", colour)
        for points, name, colour in curves
    ]
    grown = summary["parameters"] / summary["start_parameters"]
    figure, axes = over_epochs(
        (
            title,
            f"{summary['start_parameters']:,} to {summary['parameters']:,} parameters"
            f" ({grown:.0%} of the start)",
        ),
        family,
        [in_words(record.operation, record.position) for record in family.chain[1:]],
        [end[2] for end in ends],
    )
    for points, _, colour in curves:
        axes.plot(*points, color=colour, linewidth=2 if colour == BLUE else 1.5)
    axes.set_xlim(0, max(points[0, -1] for points, *_ in curves) * 1.01)
    axes.set_ylabel(f"validation {metric.removeprefix('val_')}")
    for parent, child in pairwise(family.chain):
        epochs = family.births[child.candidate]
        mark(axes, epochs, family.points(parent, epochs)[1, -1], child.operation)
    write_ends(axes, ends)
    handles = [key("winner's lineage", BLUE, line=2)]
    if plain is not None:
        handles.append(key("plain training of the same start", GREY, line=1.5))
    legend_below(figure, axes, handles)
    return figure


def widths(record: Record) -> list[tuple[str, str]]:
    """Kind and width of every layer with weights but the output's, from the input on."""
    layers = Topology.from_json(record.topology).layers[:-1]
    found = []
    for layer in layers:
        if isinstance(layer, Conv):
            found.append(("conv", str(layer.channels)))
        elif isinstance(layer, Dense):
            found.append(("dense", str(layer.units)))
    return found


@styled
def evolution(title: str, chain: Sequence[Record]) -> Figure:
    """The topologies along a winner's lineage, a row per operation that changed it.

    Args:
        title: of the picture.
        chain: records from the starting topology to the final candidate.
    """
    rows, labels = [chain[0]], [f"start: {in_words(None, None)}"]
    for before, record in pairwise(chain):
        if widths(record) != widths(rows[-1]):
            rows.append(record)
            operation = in_words(record.operation, record.position)
            labels.append(f"epoch {before.epochs_trained:.0f}: {operation}")
    left = max(text_width(label, LABEL) for label in labels) + 0.3
    most = max(len(widths(record)) for record in rows) + 2
    size = (max(most * STEP + 1.2, 5.0), len(rows) * ROW)
    figure, axes = canvas(
        (title, "boxes: layers with weights, with their channels or units; I input, O output"),
        size,
        (left, 0.2, 0.55, 0.1),
    )
    axes.set_axis_off()
    axes.set_xlim(-0.02, size[0])
    axes.set_ylim(size[1], 0)
    for i, (record, label) in enumerate(zip(rows, labels, strict=True)):
        y = (i + 0.5) * ROW
        axes.text(-0.12, y, label, size=LABEL, ha="right", va="center_baseline", color=DARK)
        boxes = [("end", "I"), *widths(record), ("end", "O")]
        for column, (kind, text) in enumerate(boxes):
            x = column * STEP
            if column:
                axes.plot([x - STEP + BOX, x], [y, y], color=GREY, linewidth=0.9, zorder=1)
            face = {"conv": look("add_channels").colour, "dense": look("add_dense").colour}
            axes.add_patch(
                FancyBboxPatch(
                    (x, y - 0.15),
                    BOX,
                    0.3,
                    boxstyle="round,pad=0,rounding_size=0.05",
                    facecolor=face.get(kind, WHITE),
                    edgecolor=BLACK,
                    linewidth=0.8,
                    zorder=2,
                )
            )
            axes.text(x + BOX / 2, y, text, size=LABEL, ha="center", va="center_baseline", zorder=3)
        value = record.score
        if value is not None:
            end = len(boxes) * STEP - STEP + BOX + 0.12
            axes.text(end, y, figures(value), size=LABEL, va="center_baseline", color=BLUE)
    handles = [
        key("convolution", look("add_channels").colour, marker="s"),
        key("dense", look("add_dense").colour, marker="s"),
        key("score when it went on", BLUE, line=0),
    ]
    legend_below(figure, axes, handles)
    return figure
